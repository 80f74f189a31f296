import type { ReactiveController, ReactiveControllerHost } from 'lit'
import { Listeners } from '../client/listeners.ts'

const lookers = new Listeners()
let watching = false

/** One `beforeprint` listener serves all elements of the page. */
function watchPrint(): void {
  if (watching) return
  watching = true
  addEventListener('beforeprint', () => {
    lookers.notify()
  })
}

/** Whether a viewer needs tooltips and full dates: the pointer has been over the host, or the page is printed. */
export class CloseLook implements ReactiveController {
  readonly #host: ReactiveControllerHost & EventTarget
  #taken = false
  #listening = false
  #leave: (() => void) | null = null

  constructor(host: ReactiveControllerHost & EventTarget) {
    this.#host = host
    host.addController(this)
  }

  get taken(): boolean {
    return this.#taken
  }

  hostConnected(): void {
    watchPrint()
    this.#leave?.()
    this.#leave = lookers.add(() => {
      this.handleEvent()
    })
  }

  hostDisconnected(): void {
    this.#leave?.()
    this.#leave = null
  }

  hostUpdated(): void {
    // After the first render, so that a page with a thousand elements renders first.
    if (this.#listening) return
    this.#listening = true
    this.#host.addEventListener('pointerenter', this, { once: true })
  }

  /** @internal */
  handleEvent(): void {
    if (this.#taken) return
    this.#taken = true
    this.#host.requestUpdate()
  }
}

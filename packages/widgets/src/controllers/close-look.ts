import type { ReactiveController, ReactiveControllerHost } from 'lit'
import { Listeners } from '../client/listeners.ts'

const lookers = new Listeners()
let watching = false

/** One pair of ears for all elements of the page. */
function watchPrint(): void {
  if (watching) return
  watching = true
  addEventListener('beforeprint', () => {
    lookers.notify()
  })
}

/** Whether somebody looks closely, with a pointer or on paper: tooltips are not written for nobody. */
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
    // Not before it is drawn: a page with a thousand elements spends its first moment on other things.
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

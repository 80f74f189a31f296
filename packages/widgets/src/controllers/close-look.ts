import type { ReactiveController, ReactiveControllerHost } from 'lit'

const lookers = new Set<CloseLook>()
let watching = false

/** One pair of ears for all elements of the page. */
function watchPrint(): void {
  if (watching) return
  watching = true
  addEventListener('beforeprint', () => {
    for (const looker of [...lookers]) looker.handleEvent()
  })
}

/** Whether somebody looks closely, with a pointer or on paper: tooltips are not written for nobody. */
export class CloseLook implements ReactiveController {
  readonly #host: ReactiveControllerHost & EventTarget
  #taken = false
  #listening = false

  constructor(host: ReactiveControllerHost & EventTarget) {
    this.#host = host
    host.addController(this)
  }

  get taken(): boolean {
    return this.#taken
  }

  hostConnected(): void {
    watchPrint()
    lookers.add(this)
  }

  hostDisconnected(): void {
    lookers.delete(this)
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

/**
 * Subscriptions where there is no document. A server that renders a page subscribes and leaves within one task: when the
 * last one leaves before the link is live, the link stops at once, and opens no transport for a page that is only text.
 */
interface Stoppable {
  readonly view: { readonly state: string }
  stop(): void
}

export class Visits {
  readonly #link: Stoppable
  #count = 0

  constructor(link: Stoppable) {
    this.#link = link
  }

  /** @returns what ends the subscription, once */
  begin(release: () => void): () => void {
    if (typeof document !== 'undefined') return release
    this.#count++
    let left = false
    return () => {
      if (left) return
      left = true
      release()
      if (--this.#count === 0 && this.#link.view.state === 'connecting') this.#link.stop()
    }
  }
}

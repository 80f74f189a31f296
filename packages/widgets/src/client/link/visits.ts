/**
 * Subscriptions where there is no document. A server that renders a page subscribes and leaves within one task: when the
 * last one leaves before the line is live, the line is let go at once, so nothing is opened for a page that is only text.
 */
interface Stoppable {
  readonly view: { readonly state: string }
  stop(): void
}

export class Visits {
  readonly #link: () => Stoppable
  #count = 0

  constructor(link: () => Stoppable) {
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
      const link = this.#link()
      if (--this.#count === 0 && link.view.state === 'connecting') link.stop()
    }
  }
}

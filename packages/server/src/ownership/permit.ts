/**
 * Whether this node may dial at this moment. A node that is not sure that it still owns a connection must not dial it:
 * the broker would close the connection of the present owner. Dials wait meanwhile; open connections stay open.
 */
export class Permit {
  readonly #isLive: () => boolean
  readonly #waiting = new Set<() => void>()
  #granted = false

  /** @param isLive checked at each dial, because a lease can end between two renewals */
  constructor(isLive: () => boolean) {
    this.#isLive = isLive
  }

  get granted(): boolean {
    return this.#granted && this.#isLive()
  }

  grant(): void {
    this.#granted = true
    for (const wake of [...this.#waiting]) wake()
  }

  revoke(): void {
    this.#granted = false
  }

  /** Waits until the permit is granted; `false` when `signal` was aborted before. */
  async enter(signal: AbortSignal): Promise<boolean> {
    while (!signal.aborted && !this.granted) await this.#next(signal)
    return !signal.aborted
  }

  #next(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        signal.removeEventListener('abort', wake)
        this.#waiting.delete(wake)
        resolve()
      }
      signal.addEventListener('abort', wake, { once: true })
      this.#waiting.add(wake)
    })
  }
}

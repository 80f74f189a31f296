/**
 * Whether connections may be dialled at this moment. An instance that can't be sure that a connection is still its own
 * must not dial it: it would throw out whoever keeps it now. Dials wait meanwhile; what is open stays open.
 */
export class DialPermit {
  readonly #isLive: () => boolean
  readonly #waiting = new Set<() => void>()
  #granted = false

  /** @param isLive asked at each dial, because a lease ends without anybody being told */
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

  /** Waits until it is granted; `false` when the wait was given up. */
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

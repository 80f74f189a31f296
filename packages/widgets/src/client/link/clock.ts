/** How far this device's clock is from the server's; the sample with the shortest round trip is the best one. */
export class ServerClock {
  readonly #now: () => number
  #offsetMs = 0
  #bestMs = Infinity

  constructor(now: () => number) {
    this.#now = now
  }

  /** The server's time, in ms since the epoch. */
  now(): number {
    return this.#now() + this.#offsetMs
  }

  /** The server has sent `serverTime` in reply to a message that left at `askedMs` of this device's clock. */
  sample(serverTime: string, askedMs: number): void {
    const tripMs = this.#now() - askedMs
    const offsetMs = Date.parse(serverTime) - askedMs - tripMs / 2
    // An invalid `serverTime` is NaN, and every comparison with it is false.
    if (!(tripMs >= 0 && tripMs <= this.#bestMs && Math.abs(offsetMs) >= 0)) return
    this.#bestMs = tripMs
    this.#offsetMs = offsetMs
  }

  /** This device's clock may have been set: the next sample is the best one. */
  doubt(): void {
    this.#bestMs = Infinity
  }
}

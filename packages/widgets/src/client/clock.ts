/** How far this device's clock is from the server's; the sample with the shortest round trip is the best one. */
export class ServerClock {
  readonly #now: () => number
  #offsetMs = 0
  #bestMs = Number.POSITIVE_INFINITY

  constructor(now: () => number) {
    this.#now = now
  }

  /** The server's time, in ms since the epoch. */
  now(): number {
    return this.#now() + this.#offsetMs
  }

  /** The server answered `serverTime` to what was asked at `askedMs` of this device's clock. */
  sample(serverTime: string, askedMs: number): void {
    const answeredMs = this.#now()
    const tripMs = answeredMs - askedMs
    const serverMs = Date.parse(serverTime)
    if (Number.isNaN(serverMs) || tripMs < 0 || tripMs > this.#bestMs) return
    this.#bestMs = tripMs
    this.#offsetMs = serverMs - (askedMs + tripMs / 2)
  }
}

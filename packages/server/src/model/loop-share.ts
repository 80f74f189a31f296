/**
 * Divides the time of the event loop. What many brokers send at the same moment is handled in slices; when the slices of one turn
 * have taken their time, the others wait for a later turn, in the order of the calls, so that timers and sockets run in between.
 */
export class LoopShare {
  readonly #shareMs: number
  readonly #now: () => number
  /** The time at which the first slice of this turn began, in ms; `null`: none has. */
  #beganMs: number | null = null
  #waiting = 0

  /** @param shareMs the time of all slices in one turn; a slice that has begun is not interrupted */
  constructor(shareMs: number, now: () => number = () => performance.now()) {
    this.#shareMs = shareMs
    this.#now = now
  }

  /** Handles a slice, at once or in a later turn of the event loop. */
  run(slice: () => void): void {
    if (this.#waiting === 0 && this.#hasTime()) slice()
    else this.later(slice)
  }

  /** Handles a slice in a later turn of the event loop. */
  later(slice: () => void): void {
    this.#waiting++
    setImmediate(() => {
      this.#waiting--
      if (this.#hasTime()) slice()
      else this.later(slice)
    })
  }

  #hasTime(): boolean {
    const nowMs = this.#now()
    if (this.#beganMs === null) {
      this.#beganMs = nowMs
      setImmediate(() => {
        this.#beganMs = null
      })
    }
    return nowMs - this.#beganMs < this.#shareMs
  }
}

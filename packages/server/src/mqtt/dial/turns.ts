/**
 * Spreads work that thousands of rows start at the same moment over turns of the event loop, so that timers and sockets run in
 * between. The order is that of the calls.
 */
export class Turns {
  readonly #perTurn: number
  readonly #waiting: (() => void)[] = []
  #next = 0

  /** @param perTurn calls that continue in one turn of the event loop */
  constructor(perTurn: number) {
    this.#perTurn = perTurn
  }

  /** Resolves in a later turn of the event loop, never in the same one. */
  enter(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#waiting.push(resolve) === 1) this.#schedule()
    })
  }

  #schedule(): void {
    setImmediate(() => {
      const end = this.#next + this.#perTurn
      for (const enter of this.#waiting.slice(this.#next, end)) enter()
      this.#next = end
      if (end < this.#waiting.length) {
        this.#schedule()
        return
      }
      this.#waiting.length = 0
      this.#next = 0
    })
  }
}

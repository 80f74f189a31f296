/**
 * Work that thousands ask for at the same moment, spread over turns of the event loop, so that timers, sockets and
 * clients get theirs in between. First come, first served.
 */
export class Turns {
  readonly #perTurn: number
  readonly #waiting: (() => void)[] = []
  #next = 0

  /** @param perTurn how many go on before the event loop does */
  constructor(perTurn: number) {
    this.#perTurn = perTurn
  }

  /** Waits for a turn; never within the one that asks. */
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

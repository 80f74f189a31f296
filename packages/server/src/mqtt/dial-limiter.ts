/** So many dials at the same time, first come, first served. */
export class DialLimiter {
  readonly #queue: (() => void)[] = []
  #free: number

  constructor(concurrency: number) {
    this.#free = concurrency
  }

  /**
   * Waits for a place.
   *
   * @returns what gives it back, once; `null` when the wait was given up
   */
  async enter(signal: AbortSignal): Promise<(() => void) | null> {
    if (signal.aborted) return null
    if (this.#free > 0) this.#free--
    else if (!(await this.#wait(signal))) return null
    let given = false
    return () => {
      if (given) return
      given = true
      this.#leave()
    }
  }

  #wait(signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const enter = (): void => {
        signal.removeEventListener('abort', giveUp)
        resolve(true)
      }
      const giveUp = (): void => {
        this.#queue.splice(this.#queue.indexOf(enter), 1)
        resolve(false)
      }
      signal.addEventListener('abort', giveUp, { once: true })
      this.#queue.push(enter)
    })
  }

  #leave(): void {
    const next = this.#queue.shift()
    if (next === undefined) this.#free++
    else next()
  }
}

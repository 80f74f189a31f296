/** Someone who waits; those that a person waits for come first. */
interface Waiter {
  readonly enter: () => void
}

/** So many dials at the same time, first come, first served. */
export class DialLimiter {
  readonly #waiting = new Set<Waiter>()
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
      const giveUp = (): void => {
        this.#waiting.delete(waiter)
        resolve(false)
      }
      const waiter: Waiter = {
        enter: () => {
          signal.removeEventListener('abort', giveUp)
          resolve(true)
        },
      }
      signal.addEventListener('abort', giveUp, { once: true })
      this.#waiting.add(waiter)
    })
  }

  #leave(): void {
    const [next] = this.#waiting
    if (next === undefined) {
      this.#free++
      return
    }
    this.#waiting.delete(next)
    next.enter()
  }
}

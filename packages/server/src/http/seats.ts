/** Places that are taken and given back, counted by whose they are. */
export class Seats {
  readonly #taken = new Map<string, number>()
  readonly #limit: number

  /** @param limit places for each key; 0 = any number */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** Keys with a place taken, for leak checks. */
  get size(): number {
    return this.#taken.size
  }

  /** @returns how to give the place back (once is enough, twice does no harm), or `null` if none is free */
  take(key: string): (() => void) | null {
    const taken = this.#taken.get(key) ?? 0
    if (this.#limit > 0 && taken >= this.#limit) return null
    this.#taken.set(key, taken + 1)
    let held = true
    return () => {
      if (!held) return
      held = false
      const left = (this.#taken.get(key) ?? 0) - 1
      if (left > 0) this.#taken.set(key, left)
      else this.#taken.delete(key)
    }
  }
}

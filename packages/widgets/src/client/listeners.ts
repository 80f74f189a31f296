import { attempt } from './report.ts'

/** Who wants to be told. One function may listen twice, and each leaves once. */
export class Listeners<T extends unknown[] = []> {
  readonly #all = new Set<{ readonly tell: (...args: T) => void }>()

  get empty(): boolean {
    return this.#all.size === 0
  }

  /** @returns what undoes it */
  add(tell: (...args: T) => void): () => void {
    const own = { tell }
    this.#all.add(own)
    return () => {
      this.#all.delete(own)
    }
  }

  clear(): void {
    this.#all.clear()
  }

  /** Over a copy; who has left meanwhile is not called, and an exception of one never starves the next. */
  notify(...args: T): void {
    for (const own of [...this.#all]) {
      if (!this.#all.has(own)) continue
      attempt(() => {
        own.tell(...args)
      })
    }
  }
}

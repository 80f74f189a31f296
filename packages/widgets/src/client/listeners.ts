import { attempt } from './report.ts'

/** Listeners of one subject. A function may be added twice; each undo function removes one of them. */
export class Listeners<T extends unknown[] = []> {
  readonly #all = new Set<{ readonly tell: (...args: T) => void }>()

  get empty(): boolean {
    return this.#all.size === 0
  }

  /** @returns the undo function */
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

  /** Calls each listener that is still there when its turn comes. After an exception it calls the next ones all the same. */
  notify(...args: T): void {
    for (const own of [...this.#all]) {
      if (!this.#all.has(own)) continue
      attempt(() => {
        own.tell(...args)
      })
    }
  }
}

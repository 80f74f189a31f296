/**
 * What waits, in the order of turns: each party gets one turn before any of them gets another, however many of its
 * items wait. The items of one party keep their order.
 */
export class RoundRobin<T> {
  /** In the order of their turns; a party that was served goes to the end. */
  readonly #items = new Map<string, Set<T>>()
  #size = 0

  /** Items that wait. */
  get size(): number {
    return this.#size
  }

  add(party: string, item: T): void {
    const items = this.#items.get(party)
    if (items === undefined) this.#items.set(party, new Set([item]))
    else items.add(item)
    this.#size++
  }

  delete(party: string, item: T): void {
    const items = this.#items.get(party)
    if (items?.delete(item) !== true) return
    this.#size--
    if (items.size === 0) this.#items.delete(party)
  }

  /** Takes the item whose turn it is, of the parties that may have one now; `null` if there is none. */
  take(may: (party: string) => boolean): { readonly party: string; readonly item: T } | null {
    for (const [party, items] of this.#items) {
      if (!may(party)) continue
      const [item] = items
      if (item === undefined) continue
      this.delete(party, item)
      if (items.size > 0) {
        this.#items.delete(party)
        this.#items.set(party, items)
      }
      return { party, item }
    }
    return null
  }

  /** Takes all items. */
  clear(): T[] {
    const all = [...this.#items.values()].flatMap((items) => [...items])
    this.#items.clear()
    this.#size = 0
    return all
  }
}

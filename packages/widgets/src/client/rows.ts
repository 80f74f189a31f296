/** The rows by id, as the server has sent them; unchanged rows keep their identity. */
import type { Connection, Patch, Snapshot, WatchFilter } from '@mqtt-status/protocol'
import type { WatchSet } from './watch-set.ts'

/** A complete answer. */
export interface Answer {
  /** What its watch has named; `undefined`: everything that is watched. */
  readonly named: WatchFilter | undefined
  /** The ids of its rows, those of all parts. */
  readonly arrived: ReadonlySet<string>
}

export class Rows {
  readonly #watches: WatchSet
  /** `null`: the server has answered that the row is missing. */
  readonly #rows = new Map<string, Connection | null>()
  #all: readonly Connection[] | null = null

  constructor(watches: WatchSet) {
    this.#watches = watches
  }

  /** `undefined`: nothing is known yet; `null`: it is missing. */
  get(id: string): Connection | null | undefined {
    return this.#rows.get(id)
  }

  /** The same array until any of them changes. */
  get all(): readonly Connection[] {
    return (this.#all ??= [...this.#rows.values()].filter((row) => row !== null))
  }

  /** @returns the ids of the rows that have changed; it ignores lower revisions, and rows that the page watches no longer */
  take(connections: readonly Connection[], missing: readonly string[] = []): Set<string> {
    const changed = new Set<string>()
    for (const row of connections) {
      const known = this.#rows.get(row.id)
      if (!this.#watches.holds(row) || (known && !isNews(known, row))) continue
      this.#set(row.id, row, changed)
    }
    for (const id of missing) this.#drop(id, changed)
    return changed
  }

  /** A part of an answer; the last one drops the rows that its watch has named and that no part contained. */
  snapshot({ connections, missing }: Snapshot, answer: Answer | null): ReadonlySet<string> {
    const changed = this.take(connections, missing)
    if (!answer) return changed
    const { named, arrived } = answer
    for (const row of this.all) {
      if (arrived.has(row.id)) continue
      if (!named || !this.#watches.holds(row, named)) this.#drop(row.id, changed)
    }
    return changed
  }

  patch({ connections, removed, missing }: Patch): ReadonlySet<string> {
    const changed = this.take(connections, missing)
    for (const { id, revision } of removed) {
      if (revision >= (this.#rows.get(id)?.revision ?? Infinity)) this.#drop(id, changed)
    }
    return changed
  }

  /** Drops the rows that the page watches no longer. */
  prune(): ReadonlySet<string> {
    const dropped = new Set<string>()
    for (const [id, row] of this.#rows) {
      if (row ? !this.#watches.holds(row) : !this.#watches.has('connections', id))
        this.#drop(id, dropped)
    }
    return dropped
  }

  forget(): ReadonlySet<string> {
    const ids = new Set(this.#rows.keys())
    this.#rows.clear()
    this.#all = null
    return ids
  }

  /** A row that is watched by its id becomes missing. Any other one is removed. */
  #drop(id: string, changed: Set<string>): void {
    if (this.#watches.has('connections', id)) {
      if (this.#rows.get(id) !== null) this.#set(id, null, changed)
    } else if (this.#rows.delete(id)) {
      this.#all = null
      changed.add(id)
    }
  }

  #set(id: string, row: Connection | null, changed: Set<string>): void {
    this.#rows.set(id, row)
    this.#all = null
    changed.add(id)
  }
}

/** A later revision, or the same one seen through another token. */
function isNews(known: Connection, row: Connection): boolean {
  return (
    row.revision > known.revision ||
    (row.revision === known.revision &&
      (row.detail !== known.detail || row.desiredBy !== known.desiredBy))
  )
}

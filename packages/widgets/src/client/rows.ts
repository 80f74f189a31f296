/** The rows by id, as the server has told them; unchanged rows keep their identity. */
import type { Connection, Patch, Snapshot } from '@mqtt-status/protocol'
import type { Filter } from './watch-set.ts'

export class Rows {
  readonly #rows = new Map<string, Connection>()
  readonly #missing = new Set<string>()
  /** Ids of the answer that is still arriving. */
  #arriving = new Set<string>()

  get(id: string): Connection | undefined {
    return this.#rows.get(id)
  }

  isMissing(id: string): boolean {
    return this.#missing.has(id)
  }

  all(): readonly Connection[] {
    return [...this.#rows.values()]
  }

  /** @returns whether the row is news: a lower revision never is */
  put(row: Connection): boolean {
    const known = this.#rows.get(row.id)
    if (known !== undefined && known.revision >= row.revision && !reprojected(known, row))
      return false
    this.#rows.set(row.id, row)
    this.#missing.delete(row.id)
    return true
  }

  /** A page of an answer; the last one drops what the watch named and the answer left out. */
  snapshot(
    { connections, missing, final }: Snapshot,
    named: Filter,
    stillWatched: (row: Connection) => boolean,
  ): ReadonlySet<string> {
    const changed = this.#take(connections, missing)
    for (const { id } of connections) this.#arriving.add(id)
    if (!final) return changed
    for (const row of this.#rows.values()) {
      const meant = named.all || named.connections.has(row.id) || named.sites.has(row.siteId)
      if (meant && !this.#arriving.has(row.id) && (missing.includes(row.id) || !stillWatched(row)))
        this.#drop(row.id, changed)
    }
    this.#arriving = new Set()
    return changed
  }

  patch({ connections, removed, missing }: Patch): ReadonlySet<string> {
    const changed = this.#take(connections, missing)
    for (const { id, revision } of removed) {
      const known = this.#rows.get(id)
      if (known !== undefined && revision >= known.revision) this.#drop(id, changed)
    }
    return changed
  }

  /** An answer that was cut off does not count. */
  interrupted(): void {
    this.#arriving = new Set()
  }

  /** Drops rows that nobody watches any more. */
  keepOnly(watched: (row: Connection) => boolean): void {
    for (const row of this.#rows.values()) if (!watched(row)) this.#rows.delete(row.id)
  }

  forget(): ReadonlySet<string> {
    const ids = new Set([...this.#rows.keys(), ...this.#missing])
    this.#rows.clear()
    this.#missing.clear()
    this.#arriving = new Set()
    return ids
  }

  #take(connections: readonly Connection[], missing: readonly string[]): Set<string> {
    const changed = new Set<string>()
    for (const row of connections) if (this.put(row)) changed.add(row.id)
    for (const id of missing) {
      if (this.#missing.has(id)) continue
      this.#missing.add(id)
      this.#rows.delete(id)
      changed.add(id)
    }
    return changed
  }

  #drop(id: string, changed: Set<string>): void {
    this.#rows.delete(id)
    this.#missing.add(id)
    changed.add(id)
  }
}

/** The same revision seen through another token. */
function reprojected(known: Connection, row: Connection): boolean {
  return (
    known.revision === row.revision &&
    (known.detail !== row.detail || known.desiredBy !== row.desiredBy)
  )
}

/** All rows that the feed has read, by id and by site, and the tombstones of places that rows have left. */
import type { Connection } from '@mqtt-status/protocol'

/** A read of the database; the change feed explains the fields. */
export interface HubRead {
  readonly kind: 'snapshot' | 'changes'
  readonly epoch: string
  readonly mark: bigint
  readonly floor: bigint
  readonly rows: readonly { readonly connection: Connection; readonly changed: bigint }[]
  readonly tombstones: readonly Tombstone[]
}

/** The id and the site of a row, now or earlier. */
export interface Place {
  readonly id: string
  readonly siteId: string
}

export interface Tombstone extends Place {
  readonly revision: number
  readonly changed: bigint
}

/** A row, encoded at most once for scopes with `control` and once for all others. */
export class Row {
  readonly connection: Connection
  readonly changed: bigint
  #full: string | null = null
  #viewed: string | null = null

  constructor(connection: Connection, changed: bigint) {
    this.connection = connection
    this.changed = changed
  }

  json(control: boolean): string {
    if (control) return (this.#full ??= JSON.stringify(this.connection))
    return (this.#viewed ??= JSON.stringify(project(this.connection, control)))
  }
}

/** @returns the row, without `detail` and `desiredBy` unless the scope has `control` */
export function project(connection: Connection, control: boolean): Connection {
  return control ? connection : { ...connection, detail: null, desiredBy: null }
}

/** Marks whose changes the mirror keeps until the next read. */
const KNOWN_MARKS = 16

/** The ids that a read has changed, each with all its present and earlier sites. */
export type Touched = ReadonlyMap<string, ReadonlySet<string>>

export class Mirror {
  epoch = ''
  mark = 0n
  floor = 0n
  readonly rows: Map<string, Row> = new Map()
  readonly #sites = new Map<string, Set<string>>()
  readonly #tombstones = new Map<string, Map<string, Tombstone>>()
  /** Changes by mark, because the cursors of a fleet that reconnects have few different marks. */
  readonly #changed = new Map<bigint, readonly Place[]>()
  /** All ids in order; `null`: ids have come or gone since it was made. */
  #ids: readonly string[] | null = null

  /** All ids in order. The list is never changed: while rows come and go, the mirror makes another one. */
  get ids(): readonly string[] {
    return (this.#ids ??= [...this.rows.keys()].sort())
  }

  /** The ids of a site. */
  at(siteId: string): ReadonlySet<string> {
    return this.#sites.get(siteId) ?? new Set()
  }

  /** The places that a row has left. */
  tombstones(id: string): Iterable<Tombstone> {
    return this.#tombstones.get(id)?.values() ?? []
  }

  /** @returns the places that changed in transactions from `mark` on; the mirror keeps the result until the next read */
  changedSince(mark: bigint): readonly Place[] {
    const known = this.#changed.get(mark)
    if (known !== undefined) return known
    const places: Place[] = []
    for (const { changed, connection } of this.rows.values())
      if (changed >= mark) places.push(connection)
    for (const stones of this.#tombstones.values()) {
      for (const stone of stones.values()) if (stone.changed >= mark) places.push(stone)
    }
    // A client can name any mark, so the mirror keeps the newest ones only.
    const [oldest] = this.#changed.keys()
    if (this.#changed.size >= KNOWN_MARKS && oldest !== undefined) this.#changed.delete(oldest)
    this.#changed.set(mark, places)
    return places
  }

  apply(read: HubRead): Touched {
    const touched = new Map<string, Set<string>>()
    this.#changed.clear()
    if (read.kind === 'snapshot') this.#forget(read, touched)
    this.epoch = read.epoch
    this.mark = read.mark
    if (read.floor > this.floor) this.#prune(read.floor)
    this.floor = read.floor
    for (const stone of read.tombstones) this.#bury(stone, touched)
    for (const { connection, changed } of read.rows)
      this.#put(new Row(connection, changed), touched)
    return touched
  }

  /** A snapshot of the same history has all rows, so the mirror deletes rows that it leaves out. */
  #forget({ epoch, mark, rows }: HubRead, touched: Map<string, Set<string>>): void {
    if (epoch !== this.epoch) {
      this.#ids = null
      this.rows.clear()
      this.#sites.clear()
      this.#tombstones.clear()
      return
    }
    const present = new Set(rows.map(({ connection }) => connection.id))
    for (const [id, { connection }] of this.rows) {
      if (present.has(id)) continue
      // The database may have deleted the tombstone already.
      this.#bury(
        { id, siteId: connection.siteId, revision: connection.revision + 1, changed: mark },
        touched,
      )
    }
  }

  /** Drops tombstones below the floor: the hub honours no cursor that would need them. */
  #prune(floor: bigint): void {
    for (const [id, places] of this.#tombstones) {
      for (const [site, { changed }] of places) if (changed < floor) places.delete(site)
      if (places.size === 0) this.#tombstones.delete(id)
    }
  }

  #bury(stone: Tombstone, touched: Map<string, Set<string>>): void {
    const row = this.rows.get(stone.id)
    if (row?.connection.siteId === stone.siteId) {
      // A newer row has the same id.
      if (row.connection.revision > stone.revision) return
      this.#drop(row)
    }
    const places = this.#tombstones.get(stone.id) ?? new Map<string, Tombstone>()
    this.#tombstones.set(stone.id, places)
    places.set(stone.siteId, stone)
    touch(touched, stone.id, stone.siteId)
  }

  #put(row: Row, touched: Map<string, Set<string>>): void {
    const { id, siteId, revision } = row.connection
    const before = this.rows.get(id)
    if (before === undefined) this.#ids = null
    else {
      if (before.connection.revision >= revision) return
      this.#leave(before)
      touch(touched, id, before.connection.siteId)
    }
    this.rows.set(id, row)
    const site = this.#sites.get(siteId) ?? new Set<string>()
    this.#sites.set(siteId, site)
    site.add(id)
    const places = this.#tombstones.get(id)
    if (places?.delete(siteId) && places.size === 0) this.#tombstones.delete(id)
    touch(touched, id, siteId)
  }

  #drop(row: Row): void {
    this.rows.delete(row.connection.id)
    this.#ids = null
    this.#leave(row)
  }

  /** Removes a row from its site. */
  #leave({ connection: { id, siteId } }: Row): void {
    const site = this.#sites.get(siteId)
    site?.delete(id)
    if (site?.size === 0) this.#sites.delete(siteId)
  }
}

function touch(touched: Map<string, Set<string>>, id: string, siteId: string): void {
  const sites = touched.get(id)
  if (sites === undefined) touched.set(id, new Set([siteId]))
  else sites.add(siteId)
}

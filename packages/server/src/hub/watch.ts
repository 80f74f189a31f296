/**
 * Watches. Subscribers with the same filter and the same scope share one `Watch`, and so each frame. An index maps
 * the id and the sites of a changed row to the watches that may have it.
 */
import { createHash } from 'node:crypto'
import type { Mirror, Row, Tombstone } from './mirror.ts'
import type { HubScope } from './scope.ts'

/** The rows that a client watches: the union of the three. */
export interface Filter {
  readonly connections: ReadonlySet<string>
  readonly sites: ReadonlySet<string>
  readonly all: boolean
}

export const NOTHING: Filter = { connections: new Set(), sites: new Set(), all: false }

export function toFilter(named: {
  readonly connections?: readonly string[]
  readonly sites?: readonly string[]
  readonly all?: boolean
}): Filter {
  return {
    connections: new Set(named.connections),
    sites: new Set(named.sites),
    all: named.all ?? false,
  }
}

export function union(a: Filter, b: Filter): Filter {
  return {
    connections: a.connections.union(b.connections),
    sites: a.sites.union(b.sites),
    all: a.all || b.all,
  }
}

export function without(a: Filter, b: Filter): Filter {
  return {
    connections: a.connections.difference(b.connections),
    sites: a.sites.difference(b.sites),
    all: a.all && !b.all,
  }
}

/** Whether the filter names a place and the scope permits it. */
export function holds(
  scope: HubScope,
  filter: Filter,
  place: { id: string; siteId: string },
): boolean {
  const { id, siteId } = place
  const named = filter.all || filter.connections.has(id) || filter.sites.has(siteId)
  return named && scope.permits(id, siteId)
}

/** Yields the rows that the filter names and the scope permits, by the index if the filter does not name all. */
export function* select(mirror: Mirror, scope: HubScope, filter: Filter): Iterable<Row> {
  if (filter.all) {
    for (const row of mirror.rows.values()) if (holds(scope, filter, row.connection)) yield row
    return
  }
  const ids = new Set(filter.connections)
  for (const site of filter.sites) for (const id of mirror.at(site)) ids.add(id)
  for (const id of ids) {
    const row = mirror.rows.get(id)
    if (row !== undefined && holds(scope, filter, row.connection)) yield row
  }
}

/** @returns the row of an id, or its newest tombstone, or `null` if the watch has neither */
export function present(
  mirror: Mirror,
  { scope, filter }: Pick<Watch, 'scope' | 'filter'>,
  id: string,
): Row | Tombstone | null {
  const row = mirror.rows.get(id)
  if (row !== undefined && holds(scope, filter, row.connection)) return row
  let last: Tombstone | null = null
  for (const stone of mirror.tombstones(id)) {
    if (holds(scope, filter, stone) && stone.revision > (last?.revision ?? -1)) last = stone
  }
  return last
}

export class Watch<Member = unknown> {
  readonly key: string
  readonly scope: HubScope
  readonly filter: Filter
  readonly members: Set<Member> = new Set()
  /** Ids that changed and are not written to the members yet. */
  readonly dirty: Set<string> = new Set()

  constructor(key: string, scope: HubScope, filter: Filter) {
    this.key = key
    this.scope = scope
    this.filter = filter
  }
}

export class Watches<Member> {
  readonly #watches = new Map<string, Watch<Member>>()
  readonly #byId = new Map<string, Set<Watch<Member>>>()
  readonly #bySite = new Map<string, Set<Watch<Member>>>()
  readonly #all = new Set<Watch<Member>>()

  get size(): number {
    return this.#watches.size
  }

  join(member: Member, scope: HubScope, filter: Filter): Watch<Member> {
    const key = signature(scope, filter)
    let watch = this.#watches.get(key)
    if (watch === undefined) {
      watch = new Watch<Member>(key, scope, filter)
      this.#watches.set(key, watch)
      for (const id of filter.connections) add(this.#byId, id, watch)
      for (const site of filter.sites) add(this.#bySite, site, watch)
      if (filter.all) this.#all.add(watch)
    }
    watch.members.add(member)
    return watch
  }

  leave(member: Member, watch: Watch<Member>): void {
    watch.members.delete(member)
    if (watch.members.size > 0 || this.#watches.get(watch.key) !== watch) return
    this.#watches.delete(watch.key)
    for (const id of watch.filter.connections) remove(this.#byId, id, watch)
    for (const site of watch.filter.sites) remove(this.#bySite, site, watch)
    this.#all.delete(watch)
  }

  /** Watches that may hold an id that is or was at these sites. */
  *concerned(id: string, sites: Iterable<string>): Iterable<Watch<Member>> {
    yield* this.#all
    yield* this.#byId.get(id) ?? []
    for (const site of sites) yield* this.#bySite.get(site) ?? []
  }
}

/** @returns a key that is equal for equal filters and scopes; a hash, because a filter may have a thousand ids */
function signature(scope: HubScope, { connections, sites, all }: Filter): string {
  const parts = [scope.key, scope.control, all, [...connections].sort(), [...sites].sort()]
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url')
}

function add<T>(index: Map<string, Set<T>>, key: string, value: T): void {
  const values = index.get(key)
  if (values === undefined) index.set(key, new Set([value]))
  else values.add(value)
}

function remove<T>(index: Map<string, Set<T>>, key: string, value: T): void {
  const values = index.get(key)
  values?.delete(value)
  if (values?.size === 0) index.delete(key)
}

/** The counts of one site, or of all rows that one scope may see. A group counts only rows that changed again. */
import { appearance } from '@mqtt-status/protocol'
import type { Status } from '@mqtt-status/protocol'
import { Frame } from './frames.ts'
import type { Mirror } from './mirror.ts'
import type { HubScope } from './scope.ts'
import { holds, select, toFilter } from './watch.ts'
import type { Filter } from './watch.ts'

/** The name of the summary of all rows that the scope may see. */
export const ALL = '*'

export interface SummaryMember {
  /** Sends the counts, at first and whenever they change. */
  summarise(group: SummaryGroup): void
}

/** The last count of a row. */
interface Counted {
  readonly status: Status
  readonly attention: boolean
}

export class SummaryGroup {
  readonly key: string
  readonly scope: HubScope
  readonly site: string
  readonly members: Set<SummaryMember> = new Set()
  /** Ids that changed and are not counted yet. */
  readonly dirty: Set<string> = new Set()
  /** The newest message with the counts. */
  frame: Frame | null = null
  /** The next time at which the appearance of a row changes with time alone, in ms since 1970. */
  changesAt: number = Number.POSITIVE_INFINITY

  readonly #filter: Filter
  readonly #counted = new Map<string, Counted>()
  readonly #counts = new Map<Status, number>()
  readonly #changing = new Map<string, number>()
  #attention = 0

  constructor(key: string, scope: HubScope, site: string) {
    this.key = key
    this.scope = scope
    this.site = site
    this.#filter = toFilter(site === ALL ? { all: true } : { sites: [site] })
  }

  /** Counts all rows, for the first member. */
  begin(mirror: Mirror, nowMs: number): void {
    for (const { connection } of select(mirror, this.scope, this.#filter))
      this.dirty.add(connection.id)
    this.count(mirror, nowMs)
  }

  /** @returns whether the counts differ from those of the newest message */
  count(mirror: Mirror, nowMs: number): boolean {
    if (this.changesAt <= nowMs) {
      for (const [id, at] of this.#changing) if (at <= nowMs) this.dirty.add(id)
    }
    for (const id of this.dirty) this.#recount(mirror, id, nowMs)
    this.dirty.clear()
    this.changesAt = Number.POSITIVE_INFINITY
    for (const at of this.#changing.values()) this.changesAt = Math.min(this.changesAt, at)
    return this.#render()
  }

  #recount(mirror: Mirror, id: string, nowMs: number): void {
    const before = this.#counted.get(id)
    if (before !== undefined) this.#add(before, -1)
    this.#counted.delete(id)
    this.#changing.delete(id)
    const row = mirror.rows.get(id)
    if (row === undefined || !holds(this.scope, this.#filter, row.connection)) return
    const { attention, changesAt } = appearance(row.connection, nowMs)
    const counted = { status: row.connection.status, attention }
    this.#add(counted, 1)
    this.#counted.set(id, counted)
    if (changesAt !== null) this.#changing.set(id, changesAt)
  }

  #add({ status, attention }: Counted, by: 1 | -1): void {
    this.#counts.set(status, (this.#counts.get(status) ?? 0) + by)
    if (attention) this.#attention += by
  }

  #render(): boolean {
    const frame = Frame.of({
      type: 'summary',
      site: this.site,
      total: this.#counted.size,
      counts: Object.fromEntries([...this.#counts].filter(([, count]) => count > 0)),
      attention: this.#attention,
    })
    if (frame.json === this.frame?.json) return false
    this.frame = frame
    return true
  }
}

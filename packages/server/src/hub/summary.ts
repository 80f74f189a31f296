/** Counts of a site, or of all that a scope may see, pushed when they change; no rows are sent for them. */
import { appearance } from '@mqtt-status/protocol'
import { Frame } from './frames.ts'
import type { Mirror, Touched } from './mirror.ts'
import type { HubScope } from './scope.ts'
import { select, toFilter } from './watch.ts'

/** Stands for all that may be seen. */
const ALL = '*'
/** The longest that one `setTimeout` can wait. */
const LONGEST_MS = 2_147_483_647

export interface SummaryMember {
  /** The counts have changed, or are told for the first time. */
  summarise(group: SummaryGroup): void
}

/** The subscribers that are told the same counts. */
export class SummaryGroup {
  readonly key: string
  readonly scope: HubScope
  readonly site: string
  readonly members: Set<SummaryMember> = new Set()
  /** What was told last. */
  frame: Frame | null = null
  /** When a row looks different by the mere passing of time, in ms since the epoch. */
  changesAt: number = Number.POSITIVE_INFINITY

  constructor(key: string, scope: HubScope, site: string) {
    this.key = key
    this.scope = scope
    this.site = site
  }

  /** @returns whether the counts are others than those told last */
  count(mirror: Mirror, nowMs: number): boolean {
    const filter = toFilter(this.site === ALL ? { all: true } : { sites: [this.site] })
    const counts: Record<string, number> = {}
    let total = 0
    let attention = 0
    this.changesAt = Number.POSITIVE_INFINITY
    for (const { connection } of select(mirror, this.scope, filter)) {
      const look = appearance(connection, nowMs)
      total++
      if (look.attention) attention++
      counts[connection.status] = (counts[connection.status] ?? 0) + 1
      if (look.changesAt !== null) this.changesAt = Math.min(this.changesAt, look.changesAt)
    }
    const frame = Frame.of({ type: 'summary', site: this.site, total, counts, attention })
    if (frame.json === this.frame?.json) return false
    this.frame = frame
    return true
  }
}

export class Summaries {
  readonly #mirror: Mirror
  readonly #now: () => number
  readonly #groups = new Map<string, SummaryGroup>()
  readonly #dirty = new Set<SummaryGroup>()
  #timer: NodeJS.Timeout | null = null

  constructor(mirror: Mirror, now: () => number) {
    this.#mirror = mirror
    this.#now = now
  }

  get size(): number {
    return this.#groups.size
  }

  join(member: SummaryMember, scope: HubScope, site: string): SummaryGroup {
    const key = JSON.stringify([scope.key, site])
    let group = this.#groups.get(key)
    if (group === undefined) {
      group = new SummaryGroup(key, scope, site)
      this.#groups.set(key, group)
    }
    group.members.add(member)
    group.count(this.#mirror, this.#now())
    this.#schedule()
    return group
  }

  leave(member: SummaryMember, group: SummaryGroup): void {
    group.members.delete(member)
    if (group.members.size > 0) return
    this.#groups.delete(group.key)
    this.#dirty.delete(group)
    this.#schedule()
  }

  touch(touched: Touched): void {
    if (this.#groups.size === 0) return
    const sites = new Set<string>()
    for (const places of touched.values()) for (const site of places) sites.add(site)
    for (const group of this.#groups.values()) {
      if (sites.size > 0 && (group.site === ALL || sites.has(group.site))) this.#dirty.add(group)
    }
  }

  flush(): void {
    const nowMs = this.#now()
    for (const group of this.#groups.values()) if (group.changesAt <= nowMs) this.#dirty.add(group)
    for (const group of this.#dirty) {
      if (!group.count(this.#mirror, nowMs)) continue
      for (const member of [...group.members]) member.summarise(group)
    }
    this.#dirty.clear()
    this.#schedule()
  }

  stop(): void {
    clearTimeout(this.#timer ?? undefined)
    this.#groups.clear()
    this.#dirty.clear()
  }

  /** One timer for all groups, for the moment when the first of them changes by itself. */
  #schedule(): void {
    clearTimeout(this.#timer ?? undefined)
    this.#timer = null
    let next = Number.POSITIVE_INFINITY
    for (const { changesAt } of this.#groups.values()) next = Math.min(next, changesAt)
    if (next === Number.POSITIVE_INFINITY) return
    const waitMs = Math.min(LONGEST_MS, Math.max(1, next - this.#now()))
    this.#timer = setTimeout(() => {
      this.flush()
    }, waitMs)
  }
}

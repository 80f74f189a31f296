/** Sends summaries when their counts change. One timer serves all groups whose counts change with time alone. */
import type { Mirror, Touched } from './mirror.ts'
import type { HubScope } from './scope.ts'
import { ALL, SummaryGroup } from './summary-group.ts'
import type { SummaryMember } from './summary-group.ts'

/** The longest that one `setTimeout` can wait. */
const LONGEST_MS = 2_147_483_647

export class Summaries {
  readonly #mirror: Mirror
  readonly #now: () => number
  readonly #groups = new Map<string, SummaryGroup>()
  readonly #bySite = new Map<string, Set<SummaryGroup>>()
  readonly #dirty = new Set<SummaryGroup>()
  /** Groups whose counts change with time alone. */
  readonly #changing = new Set<SummaryGroup>()
  #timer: NodeJS.Timeout | null = null
  #timerAt = Number.POSITIVE_INFINITY

  constructor(mirror: Mirror, now: () => number) {
    this.#mirror = mirror
    this.#now = now
  }

  get size(): number {
    return this.#groups.size
  }

  /** Members with the same scope share a group. */
  join(member: SummaryMember, scope: HubScope, site: string): SummaryGroup {
    const key = JSON.stringify([scope.key, site])
    const known = this.#groups.get(key)
    if (known !== undefined) {
      known.members.add(member)
      return known
    }
    const group = new SummaryGroup(key, scope, site)
    group.members.add(member)
    this.#groups.set(key, group)
    const siblings = this.#bySite.get(site) ?? new Set()
    this.#bySite.set(site, siblings.add(group))
    group.begin(this.#mirror, this.#now())
    this.#schedule(group)
    return group
  }

  leave(member: SummaryMember, group: SummaryGroup): void {
    group.members.delete(member)
    if (group.members.size > 0) return
    this.#groups.delete(group.key)
    const siblings = this.#bySite.get(group.site)
    siblings?.delete(group)
    if (siblings?.size === 0) this.#bySite.delete(group.site)
    this.#dirty.delete(group)
    this.#changing.delete(group)
    if (this.#changing.size === 0) this.#cancel()
  }

  touch(touched: Touched): void {
    if (this.#groups.size === 0) return
    for (const [id, sites] of touched) {
      for (const site of [ALL, ...sites]) {
        for (const group of this.#bySite.get(site) ?? []) {
          group.dirty.add(id)
          this.#dirty.add(group)
        }
      }
    }
  }

  /** @returns the number of groups that have changed */
  flush(): number {
    const nowMs = this.#now()
    let changed = 0
    for (const group of this.#changing) if (group.changesAt <= nowMs) this.#dirty.add(group)
    const groups = [...this.#dirty]
    this.#dirty.clear()
    for (const group of groups) {
      const isNew = group.count(this.#mirror, nowMs)
      this.#schedule(group)
      if (!isNew) continue
      changed++
      for (const member of [...group.members]) member.summarise(group)
    }
    return changed
  }

  stop(): void {
    this.#cancel()
    this.#groups.clear()
    this.#bySite.clear()
    this.#dirty.clear()
    this.#changing.clear()
  }

  /** Sets the timer to the moment at which the first group changes with time. */
  #schedule(group: SummaryGroup): void {
    if (group.changesAt === Number.POSITIVE_INFINITY) this.#changing.delete(group)
    else this.#changing.add(group)
    if (group.changesAt >= this.#timerAt) return
    this.#cancel()
    this.#arm(group.changesAt)
  }

  #arm(at: number): void {
    this.#timerAt = at
    const waitMs = Math.min(LONGEST_MS, Math.max(1, at - this.#now()))
    this.#timer = setTimeout(() => {
      this.#cancel()
      this.flush()
      let next = Number.POSITIVE_INFINITY
      for (const { changesAt } of this.#changing) next = Math.min(next, changesAt)
      if (next < this.#timerAt) this.#arm(next)
    }, waitMs)
  }

  #cancel(): void {
    clearTimeout(this.#timer ?? undefined)
    this.#timer = null
    this.#timerAt = Number.POSITIVE_INFINITY
  }
}

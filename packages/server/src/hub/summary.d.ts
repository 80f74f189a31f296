import { Frame } from './frames.ts'
import type { Mirror, Touched } from './mirror.ts'
import type { HubScope } from './scope.ts'
export interface SummaryMember {
  /** The counts have changed, or are told for the first time. */
  summarise(group: SummaryGroup): void
}
/** The subscribers that are told the same counts. */
export declare class SummaryGroup {
  readonly key: string
  readonly scope: HubScope
  readonly site: string
  readonly members: Set<SummaryMember>
  /** What was told last. */
  frame: Frame | null
  /** When a row looks different by the mere passing of time, in ms since the epoch. */
  changesAt: number
  constructor(key: string, scope: HubScope, site: string)
  /** @returns whether the counts are others than those told last */
  count(mirror: Mirror, nowMs: number): boolean
}
export declare class Summaries {
  #private
  constructor(mirror: Mirror, now: () => number)
  get size(): number
  join(member: SummaryMember, scope: HubScope, site: string): SummaryGroup
  leave(member: SummaryMember, group: SummaryGroup): void
  touch(touched: Touched): void
  flush(): void
  stop(): void
}

import type { Mirror, Row, Tombstone } from './mirror.ts'
import type { HubScope } from './scope.ts'
/** The rows that are named; the three add up. */
export interface Filter {
  readonly connections: ReadonlySet<string>
  readonly sites: ReadonlySet<string>
  readonly all: boolean
}
export declare const NOTHING: Filter
export declare function toFilter(named: {
  readonly connections?: readonly string[]
  readonly sites?: readonly string[]
  readonly all?: boolean
}): Filter
export declare function union(a: Filter, b: Filter): Filter
export declare function without(a: Filter, b: Filter): Filter
/** Whether a row at a place is named and may be seen. */
export declare function holds(
  scope: HubScope,
  filter: Filter,
  place: {
    id: string
    siteId: string
  },
): boolean
/** The rows that are named and may be seen, from the smallest place to look. */
export declare function select(mirror: Mirror, scope: HubScope, filter: Filter): Iterable<Row>
/** What there is to say of an id: its row, the fact that it is gone, or nothing. */
export declare function present(
  mirror: Mirror,
  { scope, filter }: Pick<Watch, 'scope' | 'filter'>,
  id: string,
): Row | Tombstone | null
export declare class Watch<Member = unknown> {
  readonly key: string
  readonly scope: HubScope
  readonly filter: Filter
  readonly members: Set<Member>
  /** Changed, and not yet written to anyone. */
  readonly dirty: Set<string>
  constructor(key: string, scope: HubScope, filter: Filter)
}
export declare class Watches<Member> {
  #private
  get size(): number
  join(member: Member, scope: HubScope, filter: Filter): Watch<Member>
  leave(member: Member, watch: Watch<Member>): void
  /** Those that may have to hear of an id that is or was at these sites. */
  concerned(id: string, sites: Iterable<string>): Iterable<Watch<Member>>
}

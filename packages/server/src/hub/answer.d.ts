import type { Mirror } from './mirror.ts'
import { Pager } from './pages.ts'
import type { HubScope } from './scope.ts'
import type { Filter } from './watch.ts'
/** An answer that is being written, page by page. */
export interface Answer {
  readonly type: 'snapshot' | 'patch'
  /** Of the watch that is answered; absent for changes that nobody asked for. */
  readonly id: number | undefined
  readonly isAnswer: boolean
  readonly pager: Pager
}
/** The cursor of this moment. */
export declare function cursorOf(mirror: Mirror, scope: HubScope): string
/** The mark of a cursor that can be honoured from memory; `null` means that a snapshot is due. */
export declare function honour(
  mirror: Mirror,
  scope: HubScope,
  text: string | undefined,
): bigint | null
/** The ids of what is named and changed in transactions from `mark` on. */
export declare function changedSince(
  mirror: Mirror,
  {
    scope,
    filter,
  }: {
    scope: HubScope
    filter: Filter
  },
  mark: bigint,
): readonly string[]
/** The ids that are named, but do not exist or may not be seen; the two are not told apart. */
export declare function missingOf(
  mirror: Mirror,
  scope: HubScope,
  filter: Filter,
): readonly string[]
/** Pages of these ids as they are when each page is written. */
export declare function pagerOf(
  mirror: Mirror,
  view: {
    scope: HubScope
    filter: Filter
  },
  {
    ids,
    missing,
  }: {
    ids: readonly string[]
    missing?: readonly string[]
  },
): Pager
/** The answer to a watch that named `filter`, for a subscriber whose whole watch is `view`. */
export declare function answerTo(
  mirror: Mirror,
  view: {
    scope: HubScope
    filter: Filter
  },
  asked: {
    filter: Filter
    cursor: string | undefined
    id: number | undefined
  },
): Answer

/** The same answer as a watch gets, once, as one object: for polling and for rendering on a server. */
import type { WatchFilter } from '@mqtt-status/protocol'
import type { Mirror } from './mirror.ts'
import type { HubScope } from './scope.ts'
export interface Query {
  /** Only what changed since, if it can be honoured. */
  readonly cursor?: string
  /** Rows of a snapshot at most. @default 1000 */
  readonly limit?: number
  /** Rows of a snapshot after this id, in the order of ids. */
  readonly after?: string
}
export interface Page {
  /** A `snapshot` or `patch` object, as JSON. */
  readonly json: string
  /** The cursor in it. */
  readonly cursor: string | null
  /** Ask again with `after` set to it for the rest; `null` if there is none. */
  readonly next: string | null
}
/** Without any filter all that is permitted is meant. */
export declare function queryOnce(
  mirror: Mirror,
  scope: HubScope,
  query: WatchFilter &
    Query & {
      now: string
    },
): Page

/**
 * Fan-out: what the feed tells goes to whoever listens. A row is encoded once, a frame is built once for all who watch
 * the same, and a reader that can't keep up gets the latest rows later. Knows neither where rows come from nor what
 * kind of socket they go to.
 */
import type { Connection, WatchFilter } from '@mqtt-status/protocol'
import type { Log } from '../log.ts'
import type { HubRead } from './mirror.ts'
import type { Page, Query } from './query.ts'
import type { HubScope } from './scope.ts'
import { Subscriber } from './subscriber.ts'
import type { Sink } from './subscriber.ts'
export type { HubRead } from './mirror.ts'
export type { Page, Query } from './query.ts'
export type { HubScope } from './scope.ts'
export type { Sink, WatchRequest } from './subscriber.ts'
export { Subscriber } from './subscriber.ts'
export interface HubOptions {
  /** Resolves after a read of the database that began after the call. */
  readonly read: () => Promise<void>
  /** How long changes are gathered after the first, in ms. @default 50 */
  readonly tickMs?: number
  /** Ids and sites that one subscriber may name. @default 1000 */
  readonly watchLimit?: number
  /** The wall clock, in ms since the epoch. @default Date.now */
  readonly now?: () => number
  readonly log: Log
}
export declare class Hub {
  #private
  readonly watchLimit: number
  constructor({ read, tickMs, watchLimit, now, log }: HubOptions)
  get epoch(): string
  /** Subscribers that are open. */
  get size(): number
  /** Distinct watches and summaries, for leak checks. */
  get watchCount(): number
  subscribe(sink: Sink, scope: HubScope): Subscriber
  /** What the feed has read. */
  publish(read: HubRead): void
  /** Whether the database is read; everyone is told when it changes. */
  setFeedState(state: 'live' | 'stale', since: Date): void
  /**
   * Answers once, after a read of the database that began after the call.
   *
   * @throws StatusError `database_unavailable`
   */
  query(scope: HubScope, query: WatchFilter & Query): Promise<Page>
  /**
   * One row as this scope may see it, `null` if there is none.
   *
   * @throws StatusError `database_unavailable`
   */
  get(scope: HubScope, id: string): Promise<Connection | null>
  project(connection: Connection, scope: HubScope): Connection
  /** No timer is left; subscribers are their transports' affair. */
  stop(): void
}

import type { Capability, Connection, Timestamp } from './connection.ts'
import type { ProblemCode } from './problem.ts'

/** The WebSocket subprotocol, with the version of the messages. */
export const SUBPROTOCOL = 'mqtt-status.v1'

/** The rows that a client watches: the union of all filters. */
export interface WatchFilter {
  readonly connections?: readonly string[]
  readonly sites?: readonly string[]
  readonly all?: boolean
  readonly summary?: readonly string[]
}

// ── client to server ────────────────────────────────────────────────────────────────────────────────────────

export interface Hello {
  readonly type: 'hello'
  readonly token?: string
  /** The program at the other end. The server names it in the log when it can't handle a message. */
  readonly client?: { readonly name: string; readonly version: string }
}

export interface WatchMessage extends WatchFilter {
  readonly type: 'watch'
  readonly id?: number
  readonly cursor?: string
}

export interface Unwatch extends WatchFilter {
  readonly type: 'unwatch'
}

export interface Auth {
  readonly type: 'auth'
  readonly token: string
}

export type ClientMessage =
  Hello | WatchMessage | Unwatch | Auth | { readonly type: 'ping' } | { readonly type: 'pong' }

// ── server to client ────────────────────────────────────────────────────────────────────────────────────────

export interface Welcome {
  readonly type: 'welcome'
  /** Names this stream in the server's log. */
  readonly session: string
  readonly epoch: string
  readonly now: Timestamp
  readonly heartbeatMs: number
  readonly commandTimeoutMs: number
  readonly expiresAt: Timestamp | null
  readonly can: readonly Capability[]
  /** Words of the token's scope that this server does not know; absent if it knows all of them. */
  readonly unknownScope?: readonly string[]
  /** Why the token permits nothing, or less than its words say, in a sentence for its developer; absent where nothing is wrong. */
  readonly notice?: string
  readonly limits: { readonly watch: number }
}

/** A page of the reply to a watch, with all its rows. The client drops rows of this watch that no page contains. */
export interface Snapshot {
  readonly type: 'snapshot'
  readonly id?: number
  readonly connections: readonly Connection[]
  readonly missing: readonly string[]
  readonly cursor?: string
  readonly final: boolean
  readonly now: Timestamp
}

export interface Removed {
  readonly id: string
  readonly revision: number
}

/** Changes since a cursor: with `id`, the reply to a watch; without, later changes. */
export interface Patch {
  readonly type: 'patch'
  readonly id?: number
  readonly connections: readonly Connection[]
  readonly removed: readonly Removed[]
  readonly missing: readonly string[]
  readonly cursor?: string
  readonly final?: boolean
}

export interface Summary {
  readonly type: 'summary'
  /** A site id, or `*` for all rows that the token covers. */
  readonly site: string
  readonly total: number
  readonly counts: Readonly<Partial<Record<string, number>>>
  readonly attention: number
}

export interface FeedMessage {
  readonly type: 'feed'
  readonly state: 'stale' | 'live'
  readonly since: Timestamp
}

export interface Ping {
  readonly type: 'ping'
  readonly now: Timestamp
  readonly cursor?: string
}

export interface Pong {
  readonly type: 'pong'
  readonly now: Timestamp
}

export interface Expiring {
  readonly type: 'expiring'
  readonly expiresAt: Timestamp
}

export interface ErrorMessage {
  readonly type: 'error'
  readonly id?: number
  readonly code: ProblemCode
  readonly message: string
  /** Whether the same message may succeed later. `limit_watch`, the only code that a stream sends today, is final: `false`. */
  readonly retryable: boolean
}

export interface Bye {
  readonly type: 'bye'
  readonly code: number
  readonly reason: string
  /** The client waits a random time in this range. */
  readonly reconnectAfterMs: readonly [number, number]
}

export type ServerMessage =
  Welcome | Snapshot | Patch | Summary | FeedMessage | Ping | Pong | Expiring | ErrorMessage | Bye

/** The reply to an accepted command (202). */
export interface CommandAccepted {
  readonly connection: Connection
  readonly generation: number
  /** How long a client waits for the result before it shows that there is no confirmation yet, in ms. */
  readonly timeoutMs: number
}

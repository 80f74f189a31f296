import type { HttpBindings } from '@hono/node-server'
import type { CallerRules } from '../auth/origins.ts'
import type { Scope } from '../auth/scope.ts'
import type { Verify } from '../auth/tokens.ts'
import type { CommandRequest, CommandResult } from '../db/connections/commands.ts'
import type { Hub } from '../hub/hub.ts'
import type { Log } from '../log.ts'
import type { Limits } from './admission/limits.ts'
import type { CheckResult } from '../model/check-result.ts'
import type { ManagementPort } from './api/management-port.ts'

/** A page for `/` and the files it needs, by path relative to the base path. */
export interface Portal {
  readonly files: Readonly<Record<string, { readonly file: URL; readonly type: string }>>
}

/** How long the server waits for its peers, in ms. */
export interface Patience {
  /** For the next request on a connection; longer than proxies keep one (60 s in nginx, HAProxy and AWS, by default). */
  readonly idleMs: number
  /** For the head of a request, also of the first one of a connection; longer than `idleMs`. */
  readonly headMs: number
  /** For a whole request with its body. */
  readonly requestMs: number
  /** For the first message of a socket. */
  readonly helloMs: number
  /** For any sign of life after a ping. */
  readonly pongMs: number
  /** For a peer to close its side after the server has sent a close frame. */
  readonly closeMs: number
  /** For a peer to read something of an answer. */
  readonly unreadMs: number
  /** How long a stream of events lasts: at least, at most. Ends are ordinary, so that deploys are. */
  readonly streamMs: readonly [number, number]
}

export const PATIENCE: Patience = {
  idleMs: 75_000,
  headMs: 80_000,
  requestMs: 90_000,
  helloMs: 10_000,
  pongMs: 10_000,
  closeMs: 2_000,
  unreadMs: 30_000,
  streamMs: [600_000, 900_000],
}

/** What the routes and streams need of the other rooms. */
export interface HttpContext {
  readonly hub: Hub
  readonly verify: Verify
  readonly callers: CallerRules
  /** Starts and ends with a slash. */
  readonly basePath: string
  /** Time between pings, in ms. */
  readonly heartbeatMs: number
  /** How long a caller waits for the result of a command, in ms. */
  readonly commandTimeoutMs: number
  readonly command: (request: CommandRequest) => Promise<CommandResult>
  readonly management: ManagementPort
  /** Pings the broker of a connection. */
  readonly check: (id: string, site: string) => Promise<CheckResult>
  /** Why the server is not ready; empty if it is. */
  readonly ready: () => readonly string[]
  /** Faults that do not make the server unready. @default none */
  readonly warnings?: () => readonly string[]
  readonly widgets: { readonly file: URL }
  readonly portal?: Portal
  readonly patience: Patience
  readonly limits: Limits
  readonly log: Log
}

/** What the middleware hands to the handlers. */
export interface AppEnv {
  Bindings: HttpBindings
  Variables: { readonly scope: Scope }
}

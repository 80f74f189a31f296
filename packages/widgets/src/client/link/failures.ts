/**
 * Every failure that keeps the page from its server: who caused it, what ends it, when the client retries, and what the page
 * shows meanwhile. The behaviour of the link follows from this table; docs/retries.md explains each row.
 */
import { CLOSE_CODES, isRefusal } from '@mqtt-status/protocol'
import type { CloseName } from '@mqtt-status/protocol'

/** The feed's own health, an axis of its own next to the status of a connection. */
export type LinkState =
  | 'connecting'
  | 'live'
  | 'stale'
  | 'offline'
  | 'unauthorized'
  | 'forbidden'
  | 'incompatible'
  | 'unavailable'

/** States that the page shows with their own words while the link waits. */
export type Ended = Extract<
  LinkState,
  'unauthorized' | 'forbidden' | 'incompatible' | 'unavailable'
>

/** Why the link is not live, where the state alone does not tell. */
export type LinkCause =
  /** Nothing answers at the server's address. */
  | 'unreachable'
  /** The server answers at `/healthz`, but neither a WebSocket, nor a stream, nor polling gets through. */
  | 'blocked'
  /** The server requires a token, and the page names no source of one. */
  | 'tokenless'
  /** The token source has given no token for this visitor yet. */
  | 'signed_out'
  /** The server does not accept a token that it has never accepted. */
  | 'refused'
  /** `token-src` or `getToken` fails, times out, or answers without a token. */
  | 'token_source'
  /** This address, or this token, has as many sockets and streams open as it may. */
  | 'too_many'
  /** This page, or its address, has sent too many messages or requests in a short time. */
  | 'too_fast'
  /** The server or the client could not read a message of the other. */
  | 'misunderstood'
  /** The server has failed, or can't read its database. */
  | 'server_error'
  /** The server is being restarted. */
  | 'restarting'

interface Failing {
  /** `soon`: after up to 20 s, or in the window of a `bye`. `slowly`: after minutes. The client never gives up. */
  readonly retry: 'soon' | 'slowly'
  /** `null`: the page keeps its rows, and marks them as old. */
  readonly state: Ended | null
  /** `null`: the state is the whole explanation, or the page shows none. */
  readonly cause: LinkCause | null
}

interface Origin {
  readonly by: 'person' | 'page' | 'operator' | 'network' | 'server'
  /** What ends it: a token, a changed setting, another version, room, less traffic, or the party itself. */
  readonly ends: 'token' | 'setting' | 'version' | 'room' | 'calm' | 'network' | 'server' | 'page'
}

/** Failures without a close code. */
type OwnFailure = 'unknown' | 'broken' | 'garbled' | 'unanswered' | 'denied' | 'token_source'

export type Failure = CloseName | OwnFailure

// prettier-ignore
export const FAILURES: Readonly<Record<Failure, Failing>> = {
  // The server closes with this code.
  bad_request:          { retry: 'slowly', state: 'unavailable',  cause: 'misunderstood' },
  unauthorized:         { retry: 'slowly', state: 'unauthorized', cause: null },
  forbidden:            { retry: 'slowly', state: 'forbidden',    cause: null },
  version:              { retry: 'slowly', state: 'incompatible', cause: null },
  too_many_connections: { retry: 'slowly', state: 'unavailable',  cause: 'too_many' },
  abuse:                { retry: 'slowly', state: 'unavailable',  cause: 'too_fast' },
  token_expired:        { retry: 'soon',   state: null,           cause: null },
  too_slow:             { retry: 'soon',   state: null,           cause: null },
  no_pong:              { retry: 'soon',   state: null,           cause: null },
  rate_limited:         { retry: 'soon',   state: null,           cause: 'too_fast' },
  server_error:         { retry: 'soon',   state: null,           cause: 'server_error' },
  hello_timeout:        { retry: 'soon',   state: null,           cause: null },
  shutdown:             { retry: 'soon',   state: null,           cause: 'restarting' },
  rebalance:            { retry: 'soon',   state: null,           cause: null },
  resync:               { retry: 'soon',   state: null,           cause: null },
  // The server closes with a code of 4000 to 4099 that this version does not know.
  unknown:              { retry: 'slowly', state: 'unavailable',  cause: null },
  // No code of the server: the transport broke, stayed silent, or could not be opened. `blocked` if the server answers at /healthz.
  broken:               { retry: 'soon',   state: null,           cause: 'unreachable' },
  // The client could not read a message, or the server did not answer a watch.
  garbled:              { retry: 'soon',   state: null,           cause: 'misunderstood' },
  unanswered:           { retry: 'soon',   state: null,           cause: 'server_error' },
  // The page's own server or function has given no token.
  denied:               { retry: 'slowly', state: 'unauthorized', cause: null },
  token_source:         { retry: 'soon',   state: null,           cause: 'token_source' },
}

/** Who causes each failure, and what ends it. The client does not read this table, so bundlers drop it. */
// prettier-ignore
export const ORIGINS: Readonly<Record<Failure, Origin>> = {
  bad_request:          { by: 'page',     ends: 'page' },
  unauthorized:         { by: 'person',   ends: 'token' },
  forbidden:            { by: 'operator', ends: 'setting' },
  version:              { by: 'operator', ends: 'version' },
  too_many_connections: { by: 'page',     ends: 'room' },
  abuse:                { by: 'page',     ends: 'calm' },
  token_expired:        { by: 'person',   ends: 'token' },
  too_slow:             { by: 'network',  ends: 'network' },
  no_pong:              { by: 'network',  ends: 'network' },
  rate_limited:         { by: 'page',     ends: 'calm' },
  server_error:         { by: 'server',   ends: 'server' },
  hello_timeout:        { by: 'network',  ends: 'network' },
  shutdown:             { by: 'operator', ends: 'server' },
  rebalance:            { by: 'server',   ends: 'server' },
  resync:               { by: 'server',   ends: 'server' },
  unknown:              { by: 'server',   ends: 'version' },
  broken:               { by: 'network',  ends: 'network' },
  garbled:              { by: 'network',  ends: 'network' },
  unanswered:           { by: 'server',   ends: 'server' },
  denied:               { by: 'person',   ends: 'token' },
  token_source:         { by: 'page',     ends: 'page' },
}

const NAMES: ReadonlyMap<number, CloseName> = new Map(
  Object.entries(CLOSE_CODES).map(([name, code]) => [code, name as CloseName]),
)

/** The failure of a close code. Codes below 4000 mean a broken network, also if a proxy has sent them. */
export function failureOf(code: number): Failure {
  return NAMES.get(code) ?? (isRefusal(code) ? 'unknown' : 'broken')
}

/** The state of the page's token, which decides the cause of a refusal. */
export interface Credentials {
  /** The page names neither a token nor a source of one. */
  readonly none: boolean
  /** The page has had a token before. */
  readonly held: boolean
  /** The server has accepted one before. */
  readonly accepted: boolean
}

/** What the page shows while the link waits. */
export interface Trouble {
  readonly state: Ended | null
  readonly cause: LinkCause | null
}

export const CALM: Trouble = { state: null, cause: null }

export function troubleOf(failure: Failure, { none, held, accepted }: Credentials): Trouble {
  if (failure === 'denied') return { state: 'unauthorized', cause: held ? null : 'signed_out' }
  if (failure === 'unauthorized') {
    return { state: failure, cause: none ? 'tokenless' : accepted ? null : 'refused' }
  }
  return FAILURES[failure]
}

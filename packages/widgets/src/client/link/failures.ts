/**
 * Everything that keeps the page from its server: who caused it, what ends it, how soon the page tries again, and what it
 * says meanwhile. The behaviour of the link follows from this table; docs/retries.md explains each row.
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

/** States that are worth a word of their own while the page waits. */
export type Ended = Extract<
  LinkState,
  'unauthorized' | 'forbidden' | 'incompatible' | 'unavailable'
>

/** Why the page is not live, where the state does not say it. */
export type LinkCause =
  /** Nothing answers at the server's address. */
  | 'unreachable'
  /** The server answers at `/healthz`, but neither a WebSocket, nor a stream, nor polling gets through. */
  | 'blocked'
  /** The server asks for a token, and the page names nowhere to get one. */
  | 'tokenless'
  /** This visitor has had no token yet. */
  | 'signed_out'
  /** The server does not accept a token that it has never accepted. */
  | 'refused'
  /** `token-src` or `getToken` gives no token: it fails, takes too long, or answers something else. */
  | 'token_source'
  /** This address, or this token, has as many sockets and streams open as it may. */
  | 'too_many'
  /** This page, or its address, has sent too much at once. */
  | 'too_fast'
  /** Server and page do not understand each other. */
  | 'misunderstood'
  /** The server is at fault, or can't read its database. */
  | 'server_error'
  /** The server is being restarted. */
  | 'restarting'

interface Failing {
  readonly by: 'person' | 'page' | 'operator' | 'network' | 'server'
  /** What ends it: a token, a changed setting, another version, room, less traffic, or the party itself. */
  readonly ends: 'token' | 'setting' | 'version' | 'room' | 'calm' | 'network' | 'server' | 'page'
  /** `soon`: 0.5 to 20 s, or as the server says. `slowly`: minutes. Nothing is final. */
  readonly retry: 'soon' | 'slowly'
  /** `null`: the page keeps its rows, and marks them as old. */
  readonly state: Ended | null
  /** `null`: the state says it all, or nothing is wrong. */
  readonly cause: LinkCause | null
}

/** Failures without a close code. */
type OwnFailure = 'unknown' | 'broken' | 'garbled' | 'unanswered' | 'denied' | 'token_source'

export type Failure = CloseName | OwnFailure

// prettier-ignore
export const FAILURES: Readonly<Record<Failure, Failing>> = {
  // The server closes with this code.
  bad_request:          { by: 'page',     ends: 'page',    retry: 'slowly', state: 'unavailable',  cause: 'misunderstood' },
  unauthorized:         { by: 'person',   ends: 'token',   retry: 'slowly', state: 'unauthorized', cause: null },
  forbidden:            { by: 'operator', ends: 'setting', retry: 'slowly', state: 'forbidden',    cause: null },
  version:              { by: 'operator', ends: 'version', retry: 'slowly', state: 'incompatible', cause: null },
  too_many_connections: { by: 'page',     ends: 'room',    retry: 'slowly', state: 'unavailable',  cause: 'too_many' },
  abuse:                { by: 'page',     ends: 'calm',    retry: 'slowly', state: 'unavailable',  cause: 'too_fast' },
  token_expired:        { by: 'person',   ends: 'token',   retry: 'soon',   state: null,           cause: null },
  too_slow:             { by: 'network',  ends: 'network', retry: 'soon',   state: null,           cause: null },
  no_pong:              { by: 'network',  ends: 'network', retry: 'soon',   state: null,           cause: null },
  rate_limited:         { by: 'page',     ends: 'calm',    retry: 'soon',   state: null,           cause: 'too_fast' },
  server_error:         { by: 'server',   ends: 'server',  retry: 'soon',   state: null,           cause: 'server_error' },
  hello_timeout:        { by: 'network',  ends: 'network', retry: 'soon',   state: null,           cause: null },
  shutdown:             { by: 'operator', ends: 'server',  retry: 'soon',   state: null,           cause: 'restarting' },
  rebalance:            { by: 'server',   ends: 'server',  retry: 'soon',   state: null,           cause: null },
  resync:               { by: 'server',   ends: 'server',  retry: 'soon',   state: null,           cause: null },
  // The server closes with a code of 4000 to 4099 that this version does not know.
  unknown:              { by: 'server',   ends: 'version', retry: 'slowly', state: 'unavailable',  cause: null },
  // No code of the server: the transport broke, stayed silent, or could not be opened. `blocked` if the server answers at /healthz.
  broken:               { by: 'network',  ends: 'network', retry: 'soon',   state: null,           cause: 'unreachable' },
  // What came is no message, or a watch was not answered.
  garbled:              { by: 'network',  ends: 'network', retry: 'soon',   state: null,           cause: 'misunderstood' },
  unanswered:           { by: 'server',   ends: 'server',  retry: 'soon',   state: null,           cause: 'server_error' },
  // The page's own server or function gives no token.
  denied:               { by: 'person',   ends: 'token',   retry: 'slowly', state: 'unauthorized', cause: null },
  token_source:         { by: 'page',     ends: 'page',    retry: 'soon',   state: null,           cause: 'token_source' },
}

const NAMES: ReadonlyMap<number, CloseName> = new Map(
  Object.entries(CLOSE_CODES).map(([name, code]) => [code, name as CloseName]),
)

/** What a close code means. Codes below 4000 are those of the network, also if a proxy has sent them. */
export function failureOf(code: number): Failure {
  return NAMES.get(code) ?? (isRefusal(code) ? 'unknown' : 'broken')
}

/** What the page knows of its token. */
export interface Credentials {
  /** The page names no token, and nowhere to get one. */
  readonly none: boolean
  /** A token was there before. */
  readonly held: boolean
  /** The server has accepted one before. */
  readonly accepted: boolean
}

/** What the page says while it waits. */
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

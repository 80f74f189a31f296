/**
 * The states of one supervised connection as a pure function. Clock and randomness are arguments; the function returns effects,
 * and the keeper carries them out.
 *
 *              wish: connected                opened
 *      idle ────────────────────▶ dialling ────────────▶ up
 *       ▲                         │  ▲   ▲               │
 *       │ closed                  │  │   │ elapsed, wake │ broken
 *       │                  broken │  │   └── waiting ◀───┘
 *     closing ◀── wish ── (any)   └──┼──────────▲
 *       └──── closed, wish: connected ┘   (reconnecting; after three permanent failures: failed)
 *
 * After `inherited` the keeper dials a connection of another node without a write: the row keeps its status until the outcome
 * of the dial differs, or, if the status is `connected`, until `elapsed`.
 *
 * An outage takes two writes, whatever its length: the status `reconnecting` covers the waits and the dials.
 */
import { REASONS } from '@mqtt-status/protocol'
import type { Desired, Reason } from '@mqtt-status/protocol'
import { delay, probe, whenOver } from './retry-delay.ts'
import type { Moment } from './retry-delay.ts'
import { connectedAs, failing, write } from './status-change.ts'
import type { Failure } from '../reasons/failure.ts'
import type { StatusWritten } from './status-change.ts'

export { TIMING } from './retry-delay.ts'
export type { Moment, Timing } from './retry-delay.ts'
export type { StatusChange } from './status-change.ts'

export interface Retry {
  /** Failures in a row. */
  readonly attempt: number
  /** Permanent failures in a row. */
  readonly permanent: number
  /** The times, in ms, at which connections that were up for less than `stableMs` were lost. */
  readonly losses: readonly number[]
  /** The reason in the last write. */
  readonly reason: Reason | null
}

export type SessionState =
  | { readonly kind: 'idle' }
  | {
      readonly kind: 'dialling'
      readonly status: 'connecting' | 'reconnecting' | 'failed'
      /** A viewer waits for the outcome of a command. */
      readonly asked: boolean
      readonly retry: Retry
    }
  /** The last owner wrote `connected`, and this node has not connected yet. */
  | {
      readonly kind: 'dialling'
      readonly status: 'connected'
      readonly cause: Takeover
      readonly asked: false
      readonly retry: Retry
    }
  | {
      readonly kind: 'up'
      readonly sinceMs: number
      readonly denied: Failure | null
      readonly retry: Retry
    }
  | { readonly kind: 'waiting'; readonly status: 'reconnecting' | 'failed'; readonly retry: Retry }
  | {
      readonly kind: 'closing'
      readonly status: 'disconnecting' | 'connecting'
      readonly cause: Cause | null
    }

/** The cause of a wish; it becomes the reason of the status that follows. */
export type Cause = Extract<Reason, 'command' | 'startup' | 'config_changed'>

/** Why a connection changed its node. */
export type Takeover = Extract<Reason, 'owner_lost' | 'handover'>

export type SessionEvent =
  | {
      readonly kind: 'wish'
      readonly desired: Desired
      readonly cause: Cause
      /** Whether the keeper closes a connection that is up and dials again. */
      readonly redial: boolean
    }
  /** Another node kept the connection and has written `status` and `reason`. */
  | {
      readonly kind: 'inherited'
      readonly status: 'connecting' | 'reconnecting' | 'failed' | 'connected'
      readonly reason: Reason | null
      readonly cause: Takeover
    }
  /** The broker has sent CONNACK and all SUBACKs; `denied` if it refused a topic. */
  | { readonly kind: 'opened'; readonly denied: Failure | null }
  /** The dial has failed, or the connection is lost. */
  | { readonly kind: 'broken'; readonly failure: Failure }
  /** The session is closed. */
  | { readonly kind: 'closed' }
  /** The wait is over. */
  | { readonly kind: 'elapsed' }
  /** The broker was down and has now accepted another connection. */
  | { readonly kind: 'wake' }

export type Effect =
  /** `urgent`: a viewer waits for the outcome. */
  | { readonly kind: 'dial'; readonly urgent: boolean }
  /** The keeper ends the dial or the connection, with a DISCONNECT if it is up. */
  | { readonly kind: 'close' }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'cancel' }
  | StatusWritten

export const IDLE: SessionState = { kind: 'idle' }

const FRESH: Retry = { attempt: 0, permanent: 0, losses: [], reason: null }
/** Permanent failures in a row until the status is `failed`. One is not enough: brokers answer "not authorized" while their user database starts. */
const PERMANENT_TRIES = 3
/** Reasons that the server finds before it dials: two more tries would have the same result. */
const BEFORE_DIALLING: ReadonlySet<Reason> = new Set([
  'config_invalid',
  'address_blocked',
  'secret_unreadable',
])
const FLAPPING_LOSSES = 4
/** A connection that ends this soon after it was accepted, without an error, was probably taken over. */
const TAKEN_OVER_MS = 5_000

type Step = readonly [SessionState, readonly Effect[]]

export function step(state: SessionState, event: SessionEvent, moment: Moment): Step {
  const [next, effects] = advance(state, event, moment)
  // Once the outcome of an inherited connection is known, its timer is cancelled.
  const settled = believes(state) && !believes(next) && event.kind !== 'elapsed'
  return settled ? [next, [{ kind: 'cancel' }, ...effects]] : [next, effects]
}

function advance(state: SessionState, event: SessionEvent, moment: Moment): Step {
  switch (event.kind) {
    case 'inherited':
      return state.kind === 'idle' ? inherit(event, moment) : [state, []]
    case 'wish':
      return event.desired === 'connected' ? wishConnected(state, event) : wishDisconnected(state)
    case 'opened':
      return state.kind === 'dialling' ? opened(state, event.denied, moment) : [state, []]
    case 'broken':
      if (state.kind === 'dialling') return failed(state, event.failure, moment)
      return state.kind === 'up' ? lost(state, event.failure, moment) : [state, []]
    case 'closed':
      return state.kind === 'closing' ? closed(state) : [state, []]
    case 'elapsed':
      if (believes(state)) return doubted(state)
      return state.kind === 'waiting' ? redial(state) : [state, []]
    case 'wake':
      return state.kind === 'waiting' && isTransient(state) ? woken(state) : [state, []]
  }
}

type Dialling = Extract<SessionState, { kind: 'dialling' }>

function believes(state: SessionState): state is Extract<Dialling, { status: 'connected' }> {
  return state.kind === 'dialling' && state.status === 'connected'
}

function inherit(
  { status, reason, cause }: Extract<SessionEvent, { kind: 'inherited' }>,
  { timing }: Moment,
): Step {
  const dial: Effect = { kind: 'dial', urgent: false }
  if (status === 'connected') {
    return [
      { kind: 'dialling', status, cause, asked: false, retry: FRESH },
      [dial, { kind: 'wait', ms: timing.inheritedMs }],
    ]
  }
  // With three permanent failures on record, the next one keeps the status `failed`.
  const permanent = status === 'failed' ? PERMANENT_TRIES : 0
  return [
    { kind: 'dialling', status, asked: false, retry: { ...FRESH, permanent, reason } },
    [dial],
  ]
}

/** The inherited connection was not up within `inheritedMs`. */
function doubted({ cause, retry }: Extract<Dialling, { status: 'connected' }>): Step {
  return [
    { kind: 'dialling', status: 'reconnecting', asked: false, retry: { ...retry, reason: cause } },
    [write('reconnecting', cause)],
  ]
}

function wishConnected(
  state: SessionState,
  { cause, redial }: Extract<SessionEvent, { kind: 'wish' }>,
): Step {
  switch (state.kind) {
    case 'idle':
      return dial(cause)
    case 'waiting': {
      const [next, effects] = dial(cause)
      return [next, [{ kind: 'cancel' }, ...effects]]
    }
    case 'dialling':
      if (redial)
        return [closing('connecting', cause), [write('connecting', cause), { kind: 'close' }]]
      return [
        { kind: 'dialling', status: 'connecting', asked: isAsked(cause), retry: FRESH },
        [write('connecting', cause)],
      ]
    case 'up':
      if (redial)
        return [closing('connecting', cause), [write('connecting', cause), { kind: 'close' }]]
      return [state, [connectedAs(state.denied, true)]]
    case 'closing':
      return [closing(state.status, cause), []]
  }
}

function wishDisconnected(state: SessionState): Step {
  switch (state.kind) {
    case 'idle':
      return [state, [write('disconnected', 'command')]]
    case 'waiting':
      return [IDLE, [{ kind: 'cancel' }, write('disconnected', 'command')]]
    case 'dialling':
    case 'up':
      return [
        closing('disconnecting', null),
        [write('disconnecting', 'command'), { kind: 'close' }],
      ]
    case 'closing':
      return [closing('disconnecting', null), [write('disconnecting', 'command')]]
  }
}

function opened({ asked, retry }: Dialling, denied: Failure | null, { nowMs }: Moment): Step {
  return [
    { kind: 'up', sinceMs: nowMs, denied, retry: { ...retry, reason: null } },
    [connectedAs(denied, asked)],
  ]
}

/** The dial has failed. */
function failed({ status, asked, retry }: Dialling, failure: Failure, moment: Moment): Step {
  if (failure.isSearched === true) return searched({ status, asked, retry }, failure, moment)
  const kind = REASONS[failure.reason]
  const next: Retry = {
    ...retry,
    attempt: retry.attempt + 1,
    permanent: kind === 'permanent' ? retry.permanent + 1 : 0,
    reason: failure.reason,
  }
  const hopeless =
    kind === 'permanent' &&
    (status === 'failed' ||
      next.permanent >= PERMANENT_TRIES ||
      BEFORE_DIALLING.has(failure.reason))
  const shown = hopeless ? 'failed' : 'reconnecting'
  const isKnown = status === shown && isNoNews(retry.reason, failure.reason)
  const usual = hopeless ? probe(moment) : delay(kind, retry.attempt, moment)
  const ms = failure.overInMs === undefined ? usual : whenOver(failure.overInMs, moment)
  return [
    { kind: 'waiting', status: shown, retry: isKnown ? { ...next, reason: retry.reason } : next },
    [...(isKnown ? [] : [failing(shown, failure, asked)]), { kind: 'wait', ms }],
  ]
}

/** The failed dial has narrowed the search for a forbidden topic filter: the next one follows within 1 s. */
function searched(
  { status, asked, retry }: Pick<Dialling, 'status' | 'asked' | 'retry'>,
  failure: Failure,
  moment: Moment,
): Step {
  const isKnown = status === 'reconnecting' && isNoNews(retry.reason, failure.reason)
  return [
    {
      kind: 'waiting',
      status: 'reconnecting',
      retry: isKnown ? retry : { ...retry, reason: failure.reason },
    },
    [
      ...(isKnown ? [] : [failing('reconnecting', failure, asked)]),
      { kind: 'wait', ms: delay('transient', 0, moment) },
    ],
  ]
}

/**
 * Whether the row keeps the reason that was written. A broker that crashes first closes connections, then refuses them or does
 * not answer: all of these are one outage. A fault of the broker replaces a fault of this server.
 */
function isNoNews(written: Reason | null, reason: Reason): boolean {
  if (written === null || written === reason) return written === reason
  if (isOurs(written) && !isOurs(reason)) return false
  return REASONS[written] === 'transient' && REASONS[reason] === 'transient'
}

function isOurs(reason: Reason): boolean {
  return reason === 'local_resources' || reason === 'local_ports_exhausted'
}

/** The connection was up and is lost. */
function lost(
  { sinceMs, retry }: Extract<SessionState, { kind: 'up' }>,
  failure: Failure,
  moment: Moment,
): Step {
  const { nowMs, timing } = moment
  const upMs = nowMs - sinceMs
  const stable = upMs >= timing.stableMs
  const losses = stable
    ? []
    : [...retry.losses.filter((at) => nowMs - at < timing.flappingMs), nowMs]
  const flapping = losses.length >= FLAPPING_LOSSES
  const takenOver = failure.reason === 'closed_by_broker' && upMs < TAKEN_OVER_MS
  const named: Failure = flapping
    ? { ...failure, reason: takenOver ? 'client_id_conflict' : 'flapping' }
    : failure
  const kind = REASONS[named.reason]
  const attempt = stable ? 0 : retry.attempt
  return [
    {
      kind: 'waiting',
      status: 'reconnecting',
      retry: {
        attempt: attempt + 1,
        permanent: kind === 'permanent' ? 1 : 0,
        losses,
        reason: named.reason,
      },
    },
    [failing('reconnecting', named, false), { kind: 'wait', ms: delay(kind, attempt, moment) }],
  ]
}

function closed({ cause }: Extract<SessionState, { kind: 'closing' }>): Step {
  return cause === null ? [IDLE, [write('disconnected', 'command')]] : dial(cause)
}

function dial(cause: Cause): Step {
  const asked = isAsked(cause)
  return [
    { kind: 'dialling', status: 'connecting', asked, retry: FRESH },
    [write('connecting', cause), { kind: 'dial', urgent: asked }],
  ]
}

function redial({ status, retry }: Extract<SessionState, { kind: 'waiting' }>): Step {
  return [{ kind: 'dialling', status, asked: false, retry }, [{ kind: 'dial', urgent: false }]]
}

function woken(state: Extract<SessionState, { kind: 'waiting' }>): Step {
  const [next, effects] = redial(state)
  return [next, [{ kind: 'cancel' }, ...effects]]
}

/** Whether the return of the broker ends the wait: it does for a transient reason only. */
function isTransient({ status, retry }: Extract<SessionState, { kind: 'waiting' }>): boolean {
  return status === 'reconnecting' && retry.reason !== null && REASONS[retry.reason] === 'transient'
}

/** Whether a viewer waits for the outcome; at a start of the server no viewer does. */
function isAsked(cause: Cause): boolean {
  return cause !== 'startup'
}

function closing(status: 'disconnecting' | 'connecting', cause: Cause | null): SessionState {
  return { kind: 'closing', status, cause }
}

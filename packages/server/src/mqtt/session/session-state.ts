/**
 * The states of one supervised connection as a pure function. Clock and randomness are arguments; what the keeper has to
 * do is returned as effects.
 *
 *              wish: connected                opened
 *      idle ────────────────────▶ dialling ────────────▶ up
 *       ▲                         │  ▲   ▲               │
 *       │ closed                  │  │   │ elapsed, wake │ broken
 *       │                  broken │  │   └── waiting ◀───┘
 *     closing ◀── wish ── (any)   └──┼──────────▲
 *       └──── closed, wish: connected ┘   (reconnecting; after three permanent failures: failed)
 *
 * A connection that another node has kept is dialled without a write: `inherited` leaves its status as it is until the
 * outcome differs, or, if it is `connected`, until `elapsed`.
 *
 * An outage is two writes however long it lasts: `reconnecting` covers waiting and dialling alike.
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
  /** When connections were lost that had been up for a short time only, in ms. */
  readonly losses: readonly number[]
  /** What was written last. */
  readonly reason: Reason | null
}

export type SessionState =
  | { readonly kind: 'idle' }
  | {
      readonly kind: 'dialling'
      readonly status: 'connecting' | 'reconnecting' | 'failed'
      /** A person waits for the outcome. */
      readonly asked: boolean
      readonly retry: Retry
    }
  /** Connected, but so far only by the word of its last owner. */
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

/** What makes a wish: it becomes the reason of the status that it causes. */
export type Cause = Extract<Reason, 'command' | 'startup' | 'config_changed'>

/** How a connection came from one instance to another. */
export type Takeover = Extract<Reason, 'owner_lost' | 'handover'>

export type SessionEvent =
  | {
      readonly kind: 'wish'
      readonly desired: Desired
      readonly cause: Cause
      /** Even a connection that is up is closed and dialled anew. */
      readonly redial: boolean
    }
  /** Another instance has kept it, and has written `status` and `reason`. */
  | {
      readonly kind: 'inherited'
      readonly status: 'connecting' | 'reconnecting' | 'failed' | 'connected'
      readonly reason: Reason | null
      readonly cause: Takeover
    }
  /** CONNACK and SUBACK; `denied` if a topic was refused. */
  | { readonly kind: 'opened'; readonly denied: Failure | null }
  /** A dial failed, or the connection was lost. */
  | { readonly kind: 'broken'; readonly failure: Failure }
  /** The close is done. */
  | { readonly kind: 'closed' }
  /** The wait is over. */
  | { readonly kind: 'elapsed' }
  /** The broker was down, and has accepted another connection now. */
  | { readonly kind: 'wake' }

export type Effect =
  /** `urgent`: a person waits for it. */
  | { readonly kind: 'dial'; readonly urgent: boolean }
  /** Ends the dial or the connection, with an MQTT DISCONNECT if it is up. */
  | { readonly kind: 'close' }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'cancel' }
  | StatusWritten

export const IDLE: SessionState = { kind: 'idle' }

const FRESH: Retry = { attempt: 0, permanent: 0, losses: [], reason: null }
/** Brokers answer "not authorized" while their user database starts. */
const PERMANENT_TRIES = 3
/** Seen without asking the broker: to ask twice more would change nothing. */
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
  // An inherited connection that is settled has no time limit any more.
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
  // One more permanent failure is no news for what has failed.
  const permanent = status === 'failed' ? PERMANENT_TRIES : 0
  return [
    { kind: 'dialling', status, asked: false, retry: { ...FRESH, permanent, reason } },
    [dial],
  ]
}

/** It should be there again by now. */
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

/** A dial that did not succeed. */
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

/** A dial that has narrowed the search for a topic filter: the next one follows within 1 s. */
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
 * Whether a reason adds nothing to the one that was written. A broker that dies closes connections first, then refuses, and
 * may be silent in between: that is one outage. But a fault of the broker is written after a fault of this server.
 */
function isNoNews(written: Reason | null, reason: Reason): boolean {
  if (written === null || written === reason) return written === reason
  if (isOurs(written) && !isOurs(reason)) return false
  return REASONS[written] === 'transient' && REASONS[reason] === 'transient'
}

function isOurs(reason: Reason): boolean {
  return reason === 'local_resources' || reason === 'local_ports_exhausted'
}

/** A connection that was up, and is not any more. */
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

/** Only what was lost with the broker comes back with it; what waits for another reason goes on waiting. */
function isTransient({ status, retry }: Extract<SessionState, { kind: 'waiting' }>): boolean {
  return status === 'reconnecting' && retry.reason !== null && REASONS[retry.reason] === 'transient'
}

/** No person waits for what a start dials. */
function isAsked(cause: Cause): boolean {
  return cause !== 'startup'
}

function closing(status: 'disconnecting' | 'connecting', cause: Cause | null): SessionState {
  return { kind: 'closing', status, cause }
}

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { IDLE, step, TIMING } from './session-state.ts'
import type { Failure } from '../reasons/failure.ts'
import type { Effect, Moment, Retry, SessionEvent, SessionState } from './session-state.ts'

const MOMENT: Moment = { nowMs: 1_000_000, random: 0.5, timing: TIMING }
const RETRY: Retry = { attempt: 0, permanent: 0, losses: [], reason: null }
const DENIED: Failure = { reason: 'subscription_denied', detail: 'refused', code: 128 }
const RESET: Failure = { reason: 'connection_reset', detail: null, code: null }
const IMPOSSIBLE: Failure = { reason: 'config_invalid', detail: 'port', code: null }
const REFUSED: Failure = { reason: 'bad_credentials', detail: null, code: 4 }

/** One state of each kind that behaves differently, by name. */
const STATES = {
  idle: IDLE,
  connecting: { kind: 'dialling', status: 'connecting', asked: true, retry: RETRY },
  starting: { kind: 'dialling', status: 'connecting', asked: false, retry: RETRY },
  redialling: {
    kind: 'dialling',
    status: 'reconnecting',
    asked: false,
    retry: { ...RETRY, attempt: 2, reason: 'connection_reset' },
  },
  probing: {
    kind: 'dialling',
    status: 'failed',
    asked: false,
    retry: { ...RETRY, attempt: 3, permanent: 3, reason: 'bad_credentials' },
  },
  believing: {
    kind: 'dialling',
    status: 'connected',
    cause: 'owner_lost',
    asked: false,
    retry: RETRY,
  },
  up: { kind: 'up', sinceMs: MOMENT.nowMs - 60_000, denied: null, retry: RETRY },
  waiting: {
    kind: 'waiting',
    status: 'reconnecting',
    retry: { ...RETRY, attempt: 1, reason: 'connection_reset' },
  },
  slow: {
    kind: 'waiting',
    status: 'reconnecting',
    retry: { ...RETRY, attempt: 1, reason: 'flapping' },
  },
  failed: {
    kind: 'waiting',
    status: 'failed',
    retry: { ...RETRY, attempt: 3, permanent: 3, reason: 'bad_credentials' },
  },
  closing: { kind: 'closing', status: 'disconnecting', cause: null },
  reopening: { kind: 'closing', status: 'connecting', cause: 'command' },
} as const satisfies Record<string, SessionState>

const EVENTS = {
  connect: { kind: 'wish', desired: 'connected', cause: 'command', redial: false },
  redial: { kind: 'wish', desired: 'connected', cause: 'config_changed', redial: true },
  disconnect: { kind: 'wish', desired: 'disconnected', cause: 'command', redial: false },
  inherited: { kind: 'inherited', status: 'connected', reason: null, cause: 'owner_lost' },
  opened: { kind: 'opened', denied: null },
  denied: { kind: 'opened', denied: DENIED },
  reset: { kind: 'broken', failure: RESET },
  refused: { kind: 'broken', failure: REFUSED },
  impossible: { kind: 'broken', failure: IMPOSSIBLE },
  closed: { kind: 'closed' },
  elapsed: { kind: 'elapsed' },
  wake: { kind: 'wake' },
} as const satisfies Record<string, SessionEvent>

/** The next kind of state, and what is to be done: one line a case, and the compiler demands every one of them. */
const TABLE: Record<keyof typeof STATES, Record<keyof typeof EVENTS, string>> = {
  idle: {
    connect: 'dialling: connecting/command!, dial!',
    redial: 'dialling: connecting/config_changed!, dial!',
    disconnect: 'idle: disconnected/command!',
    inherited: 'dialling: dial, wait 5000',
    opened: 'idle',
    denied: 'idle',
    reset: 'idle',
    refused: 'idle',
    impossible: 'idle',
    closed: 'idle',
    elapsed: 'idle',
    wake: 'idle',
  },
  connecting: {
    connect: 'dialling: connecting/command!',
    redial: 'closing: connecting/config_changed!, close',
    disconnect: 'closing: disconnecting/command!, close',
    inherited: 'dialling',
    opened: 'up: connected/null!',
    denied: 'up: connected/subscription_denied!',
    reset: 'waiting: reconnecting/connection_reset!, wait 500',
    refused: 'waiting: reconnecting/bad_credentials!, wait 22500',
    impossible: 'waiting: failed/config_invalid!, wait 1800000',
    closed: 'dialling',
    elapsed: 'dialling',
    wake: 'dialling',
  },
  starting: {
    connect: 'dialling: connecting/command!',
    redial: 'closing: connecting/config_changed!, close',
    disconnect: 'closing: disconnecting/command!, close',
    inherited: 'dialling',
    opened: 'up: connected/null',
    denied: 'up: connected/subscription_denied',
    reset: 'waiting: reconnecting/connection_reset, wait 500',
    refused: 'waiting: reconnecting/bad_credentials, wait 22500',
    impossible: 'waiting: failed/config_invalid, wait 1800000',
    closed: 'dialling',
    elapsed: 'dialling',
    wake: 'dialling',
  },
  redialling: {
    connect: 'dialling: connecting/command!',
    redial: 'closing: connecting/config_changed!, close',
    disconnect: 'closing: disconnecting/command!, close',
    inherited: 'dialling',
    opened: 'up: connected/null',
    denied: 'up: connected/subscription_denied',
    reset: 'waiting: wait 2000',
    refused: 'waiting: reconnecting/bad_credentials, wait 90000',
    impossible: 'waiting: failed/config_invalid, wait 1800000',
    closed: 'dialling',
    elapsed: 'dialling',
    wake: 'dialling',
  },
  probing: {
    connect: 'dialling: connecting/command!',
    redial: 'closing: connecting/config_changed!, close',
    disconnect: 'closing: disconnecting/command!, close',
    inherited: 'dialling',
    opened: 'up: connected/null',
    denied: 'up: connected/subscription_denied',
    reset: 'waiting: reconnecting/connection_reset, wait 4000',
    refused: 'waiting: wait 1800000',
    impossible: 'waiting: failed/config_invalid, wait 1800000',
    closed: 'dialling',
    elapsed: 'dialling',
    wake: 'dialling',
  },
  believing: {
    connect: 'dialling: cancel, connecting/command!',
    redial: 'closing: cancel, connecting/config_changed!, close',
    disconnect: 'closing: cancel, disconnecting/command!, close',
    inherited: 'dialling',
    opened: 'up: cancel, connected/null',
    denied: 'up: cancel, connected/subscription_denied',
    reset: 'waiting: cancel, reconnecting/connection_reset, wait 500',
    refused: 'waiting: cancel, reconnecting/bad_credentials, wait 22500',
    impossible: 'waiting: cancel, failed/config_invalid, wait 1800000',
    closed: 'dialling',
    elapsed: 'dialling: reconnecting/owner_lost!',
    wake: 'dialling',
  },
  up: {
    connect: 'up: connected/null!',
    redial: 'closing: connecting/config_changed!, close',
    disconnect: 'closing: disconnecting/command!, close',
    inherited: 'up',
    opened: 'up',
    denied: 'up',
    reset: 'waiting: reconnecting/connection_reset, wait 500',
    refused: 'waiting: reconnecting/bad_credentials, wait 22500',
    impossible: 'waiting: reconnecting/config_invalid, wait 22500',
    closed: 'up',
    elapsed: 'up',
    wake: 'up',
  },
  waiting: {
    connect: 'dialling: cancel, connecting/command!, dial!',
    redial: 'dialling: cancel, connecting/config_changed!, dial!',
    disconnect: 'idle: cancel, disconnected/command!',
    inherited: 'waiting',
    opened: 'waiting',
    denied: 'waiting',
    reset: 'waiting',
    refused: 'waiting',
    impossible: 'waiting',
    closed: 'waiting',
    elapsed: 'dialling: dial',
    wake: 'dialling: cancel, dial',
  },
  slow: {
    connect: 'dialling: cancel, connecting/command!, dial!',
    redial: 'dialling: cancel, connecting/config_changed!, dial!',
    disconnect: 'idle: cancel, disconnected/command!',
    inherited: 'waiting',
    opened: 'waiting',
    denied: 'waiting',
    reset: 'waiting',
    refused: 'waiting',
    impossible: 'waiting',
    closed: 'waiting',
    elapsed: 'dialling: dial',
    wake: 'waiting',
  },
  failed: {
    connect: 'dialling: cancel, connecting/command!, dial!',
    redial: 'dialling: cancel, connecting/config_changed!, dial!',
    disconnect: 'idle: cancel, disconnected/command!',
    inherited: 'waiting',
    opened: 'waiting',
    denied: 'waiting',
    reset: 'waiting',
    refused: 'waiting',
    impossible: 'waiting',
    closed: 'waiting',
    elapsed: 'dialling: dial',
    wake: 'waiting',
  },
  closing: {
    connect: 'closing',
    redial: 'closing',
    disconnect: 'closing: disconnecting/command!',
    inherited: 'closing',
    opened: 'closing',
    denied: 'closing',
    reset: 'closing',
    refused: 'closing',
    impossible: 'closing',
    closed: 'idle: disconnected/command!',
    elapsed: 'closing',
    wake: 'closing',
  },
  reopening: {
    connect: 'closing',
    redial: 'closing',
    disconnect: 'closing: disconnecting/command!',
    inherited: 'closing',
    opened: 'closing',
    denied: 'closing',
    reset: 'closing',
    refused: 'closing',
    impossible: 'closing',
    closed: 'dialling: connecting/command!, dial!',
    elapsed: 'closing',
    wake: 'closing',
  },
}

function say(effect: Effect): string {
  if (effect.kind === 'write')
    return `${effect.status}/${effect.reason ?? 'null'}${effect.urgent ? '!' : ''}`
  if (effect.kind === 'dial') return effect.urgent ? 'dial!' : 'dial'
  return effect.kind === 'wait' ? `wait ${effect.ms}` : effect.kind
}

function line([state, effects]: ReturnType<typeof step>): string {
  return [state.kind, effects.map(say).join(', ')].filter((part) => part !== '').join(': ')
}

const cases = Object.entries(TABLE).flatMap(([from, row]) =>
  Object.entries(row).map(([event, expected]) => [from, event, expected] as const),
)

test.each(cases)('%s, %s → %s', (from, event, expected) => {
  const state = STATES[from as keyof typeof STATES]
  expect(line(step(state, EVENTS[event as keyof typeof EVENTS], MOMENT))).toBe(expected)
})

/** Feeds events one after the other, and answers what was written. */
function play(events: readonly (SessionEvent | number)[]): string[] {
  const written: string[] = []
  let state: SessionState = IDLE
  let nowMs = 0
  for (const event of events) {
    if (typeof event === 'number') {
      nowMs += event
      continue
    }
    const [next, effects] = step(state, event, { ...MOMENT, nowMs })
    state = next
    written.push(...effects.filter(({ kind }) => kind === 'write').map(say))
  }
  return written
}

test('an outage is two writes, however many attempts it takes', () => {
  const attempts = Array.from({ length: 50 }, () => [EVENTS.elapsed, EVENTS.reset]).flat()
  const written = play([
    EVENTS.connect,
    EVENTS.opened,
    60_000,
    EVENTS.reset,
    ...attempts,
    EVENTS.elapsed,
    EVENTS.opened,
  ])
  expect(written).toEqual([
    'connecting/command!',
    'connected/null!',
    'reconnecting/connection_reset',
    'connected/null',
  ])
})

test('a permanent failure is failed after three tries, and then probed in silence until its outcome differs', () => {
  const again = [EVENTS.elapsed, EVENTS.refused]
  const written = play([
    EVENTS.connect,
    EVENTS.refused,
    ...again,
    ...again,
    ...again,
    ...again,
    EVENTS.elapsed,
    EVENTS.reset,
  ])
  expect(written).toEqual([
    'connecting/command!',
    'reconnecting/bad_credentials!',
    'failed/bad_credentials',
    'reconnecting/connection_reset',
  ])
})

test('four short-lived connections within two minutes are flapping, or a conflict if they end in silence at once', () => {
  const cycle = (upMs: number, failure: Failure) => [
    EVENTS.elapsed,
    EVENTS.opened,
    upMs,
    { kind: 'broken', failure } as const,
  ]
  const silent: Failure = { reason: 'closed_by_broker', detail: null, code: null }
  const start = [EVENTS.connect, EVENTS.reset]
  const four = (upMs: number, failure: Failure) => [1, 2, 3, 4].flatMap(() => cycle(upMs, failure))
  expect(play([...start, ...four(10_000, RESET)]).at(-1)).toBe('reconnecting/flapping')
  expect(play([...start, ...four(100, silent)]).at(-1)).toBe('reconnecting/client_id_conflict')
  expect(play([...start, ...four(31_000, RESET)]).at(-1)).toBe('reconnecting/connection_reset')
})

test.each([
  ['a certificate that begins in an hour is tried again by a probe', 3_600_000, 900_000, 2_700_000],
  ['one that begins in 90 s is tried again when it does', 90_000, 90_000, 91_000],
  ['one that has just begun is tried again within a second', 0, 0, 1_000],
])('%s', (...[, overInMs, least, most]) => {
  const early: Failure = { reason: 'tls_not_yet_valid', detail: null, code: null, overInMs }
  for (const random of [0, 0.25, 0.5, 0.999]) {
    const moment = { ...MOMENT, random }
    const [, effects] = step(STATES.connecting, { kind: 'broken', failure: early }, moment)
    const ms = effects.find((effect) => effect.kind === 'wait')?.ms ?? Number.NaN
    expect(ms).toBeGreaterThanOrEqual(least)
    expect(ms).toBeLessThanOrEqual(most)
  }
})

test('a fault of this server is retried like an outage, and what the broker does afterwards is news, once', () => {
  const local = (reason: 'local_resources' | 'local_ports_exhausted') =>
    [EVENTS.elapsed, { kind: 'broken', failure: { reason, detail: null, code: null } }] as const
  const reset = [EVENTS.elapsed, EVENTS.reset] as const
  const written = play([
    EVENTS.connect,
    ...local('local_resources').slice(1),
    ...local('local_ports_exhausted'),
    ...reset,
    ...local('local_resources'),
    ...reset,
    EVENTS.elapsed,
    EVENTS.opened,
  ])
  expect(written).toEqual([
    'connecting/command!',
    'reconnecting/local_resources!',
    'reconnecting/connection_reset',
    'connected/null',
  ])
})

test('whatever happens, in any order: one dial at a time, one timer at most, and disconnect always ends disconnected', () => {
  const events = fc.array(fc.constantFrom(...Object.values(EVENTS)), { maxLength: 60 })
  fc.assert(
    fc.property(
      events,
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (list, random) => {
        let state: SessionState = IDLE
        let open = 0
        let timers = 0
        const run = (event: SessionEvent): void => {
          // A real driver can only report what is under way.
          if ((event.kind === 'opened' || event.kind === 'broken') && open === 0) return
          if ((event.kind === 'elapsed' || event.kind === 'wake') && timers === 0) return
          if (event.kind === 'closed' && state.kind !== 'closing') return
          if (event.kind === 'opened' && state.kind !== 'dialling') return
          if (event.kind === 'broken' && state.kind !== 'closing') open--
          if (event.kind === 'closed') open = 0
          if (event.kind === 'elapsed') timers--
          const [next, effects] = step(state, event, { ...MOMENT, random })
          state = next
          for (const effect of effects) {
            if (effect.kind === 'dial') open++
            if (effect.kind === 'wait') timers++
            if (effect.kind === 'cancel') timers--
            if (effect.kind === 'wait') expect(effect.ms).toBeGreaterThanOrEqual(0)
          }
          expect(open).toBeLessThanOrEqual(1)
          const believes = state.kind === 'dialling' && state.status === 'connected'
          expect(timers).toBe(state.kind === 'waiting' || believes ? 1 : 0)
        }
        for (const event of list) run(event)
        run(EVENTS.disconnect)
        run(EVENTS.closed)
        expect(state).toEqual(IDLE)
        expect(open).toBe(0)
      },
    ),
    { numRuns: 500 },
  )
})

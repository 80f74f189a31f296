import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isAlive, JOINING, mayClaim, mayInherit, step } from './term-state.ts'
import type { TermContext, TermEvent, TermState, TermStep } from './term-state.ts'

const TTL_MS = 15_000
const NOW_MS = 1_000_000
const NOW = at(NOW_MS)
const CONTEXT: TermContext = { now: NOW, ttlMs: TTL_MS }
const OTHERS = new Set(['a'])
const KEEPING = {
  kind: 'keeping',
  others: OTHERS,
  abstainsSince: null,
  verifiedAt: at(NOW_MS - 1_000),
  isVerifying: false,
} as const satisfies TermState
const DOUBTING = {
  kind: 'doubting',
  others: OTHERS,
  abstainsSince: at(NOW_MS - 1_000),
  verification: 'none',
} as const satisfies TermState

/** One state of each kind that behaves differently, by name. */
const STATES = {
  joining: JOINING,
  keeping: KEEPING,
  verifying: { ...KEEPING, isVerifying: true },
  due: { ...KEEPING, verifiedAt: at(NOW_MS - 30_000) },
  abstaining: { ...KEEPING, abstainsSince: at(NOW_MS - 1_000) },
  abstainedATtl: { ...KEEPING, abstainsSince: at(NOW_MS - TTL_MS) },
  doubting: DOUBTING,
  reading: { ...DOUBTING, verification: 'running' },
  outdated: { ...DOUBTING, verification: 'outdated' },
  draining: { kind: 'draining' },
} as const satisfies Record<string, TermState>

const RENEWED = { kind: 'renewed', lapsed: false, missed: false, others: ['a'] } as const
const EVENTS = {
  renewed: RENEWED,
  newcomer: { ...RENEWED, others: ['a', 'b'] },
  missed: { ...RENEWED, missed: true },
  lapsed: { ...RENEWED, lapsed: true, missed: true },
  callsMissed: { kind: 'callsMissed', isLive: true },
  callsMissedWithoutLease: { kind: 'callsMissed', isLive: false },
  verified: { kind: 'verified' },
  upToDate: { kind: 'upToDate' },
  unreadable: { kind: 'unreadable' },
  drained: { kind: 'drained' },
} as const satisfies Record<string, TermEvent>

/**
 * The next state and what is to be done: one line a case, and the compiler demands every one of them. `+` = it may claim,
 * `++` = it may also inherit; in brackets: its verification; `due` = all rows are read next.
 */
const TABLE: Record<keyof typeof STATES, Record<keyof typeof EVENTS, string>> = {
  joining: {
    renewed: 'keeping++ (running, due): introduce, grant, verify',
    newcomer: 'keeping++ (running, due): introduce, grant, verify',
    missed: 'keeping+ (running, due): introduce, grant, verify',
    lapsed: 'doubting (running): introduce, revoke, verify',
    callsMissed: 'joining',
    callsMissedWithoutLease: 'joining',
    verified: 'joining',
    upToDate: 'joining',
    unreadable: 'joining',
    drained: 'draining: revoke',
  },
  keeping: {
    renewed: 'keeping++ (running): grant, glance',
    newcomer: 'keeping++ (running, due): grant, verify',
    missed: 'keeping+ (running): grant, glance',
    lapsed: 'doubting (running): revoke, verify',
    callsMissed: 'keeping++ (running, due): grant, verify',
    callsMissedWithoutLease: 'keeping++ (none, due)',
    verified: 'keeping++ (none): grant, balance',
    upToDate: 'keeping++ (none)',
    unreadable: 'keeping++ (none)',
    drained: 'draining: revoke',
  },
  verifying: {
    renewed: 'keeping++ (running): grant',
    newcomer: 'keeping++ (running, due): grant',
    missed: 'keeping+ (running): grant',
    lapsed: 'doubting (outdated): revoke',
    callsMissed: 'keeping++ (running, due): grant',
    callsMissedWithoutLease: 'keeping++ (running, due)',
    verified: 'keeping++ (none): grant, balance',
    upToDate: 'keeping++ (none)',
    unreadable: 'keeping++ (none)',
    drained: 'draining: revoke',
  },
  due: {
    renewed: 'keeping++ (running): grant, verify',
    newcomer: 'keeping++ (running, due): grant, verify',
    missed: 'keeping+ (running): grant, verify',
    lapsed: 'doubting (running): revoke, verify',
    callsMissed: 'keeping++ (running, due): grant, verify',
    callsMissedWithoutLease: 'keeping++ (none, due)',
    verified: 'keeping++ (none): grant, balance',
    upToDate: 'keeping++ (none)',
    unreadable: 'keeping++ (none)',
    drained: 'draining: revoke',
  },
  abstaining: {
    renewed: 'keeping+ (running): grant, glance',
    newcomer: 'keeping+ (running, due): grant, verify',
    missed: 'keeping+ (running): grant, glance',
    lapsed: 'doubting (running): revoke, verify',
    callsMissed: 'keeping+ (running, due): grant, verify',
    callsMissedWithoutLease: 'keeping+ (none, due)',
    verified: 'keeping+ (none): grant, balance',
    upToDate: 'keeping+ (none)',
    unreadable: 'keeping+ (none)',
    drained: 'draining: revoke',
  },
  abstainedATtl: {
    renewed: 'keeping++ (running, due): grant, verify',
    newcomer: 'keeping++ (running, due): grant, verify',
    missed: 'keeping+ (running): grant, glance',
    lapsed: 'doubting (running): revoke, verify',
    callsMissed: 'keeping+ (running, due): grant, verify',
    callsMissedWithoutLease: 'keeping+ (none, due)',
    verified: 'keeping+ (none): grant, balance',
    upToDate: 'keeping+ (none)',
    unreadable: 'keeping+ (none)',
    drained: 'draining: revoke',
  },
  doubting: {
    renewed: 'doubting (running): verify',
    newcomer: 'doubting (running): verify',
    missed: 'doubting (running): verify',
    lapsed: 'doubting (running): verify',
    callsMissed: 'doubting (running): verify',
    callsMissedWithoutLease: 'doubting (none)',
    verified: 'doubting (none)',
    upToDate: 'doubting (none)',
    unreadable: 'doubting (none)',
    drained: 'draining: revoke',
  },
  reading: {
    renewed: 'doubting (running)',
    newcomer: 'doubting (running)',
    missed: 'doubting (running)',
    lapsed: 'doubting (outdated)',
    callsMissed: 'doubting (running)',
    callsMissedWithoutLease: 'doubting (running)',
    verified: 'keeping+ (none): grant, balance',
    upToDate: 'doubting (none)',
    unreadable: 'doubting (none)',
    drained: 'draining: revoke',
  },
  outdated: {
    renewed: 'doubting (outdated)',
    newcomer: 'doubting (outdated)',
    missed: 'doubting (outdated)',
    lapsed: 'doubting (outdated)',
    callsMissed: 'doubting (outdated)',
    callsMissedWithoutLease: 'doubting (outdated)',
    verified: 'doubting (none)',
    upToDate: 'doubting (none)',
    unreadable: 'doubting (none)',
    drained: 'draining: revoke',
  },
  draining: {
    renewed: 'draining',
    newcomer: 'draining',
    missed: 'draining',
    lapsed: 'draining',
    callsMissed: 'draining',
    callsMissedWithoutLease: 'draining',
    verified: 'draining',
    upToDate: 'draining',
    unreadable: 'draining',
    drained: 'draining',
  },
}

const CASES = Object.entries(TABLE).flatMap(([state, row]) =>
  Object.entries(row).map(([event, expected]) => [state, event, expected] as const),
)

test.each(CASES)('in the state %s the event %s leads to %s', (state, event, expected) => {
  const next = step(
    STATES[state as keyof typeof STATES],
    EVENTS[event as keyof typeof EVENTS],
    CONTEXT,
  )
  expect(say(next)).toBe(expected)
})

test('other nodes count as alive as the last renewal has listed them', () => {
  const [joined] = step(JOINING, RENEWED, CONTEXT)
  expect([isAlive(JOINING, 'a'), isAlive(joined, 'a'), isAlive(joined, 'b')]).toEqual([
    false,
    true,
    false,
  ])
  const [later] = step(joined, { ...RENEWED, others: ['b'] }, CONTEXT)
  expect([isAlive(later, 'a'), isAlive(later, 'b')]).toEqual([false, true])
})

test('in any order of events one read runs at a time, and after a lapse nothing is dialled before a read that began later', () => {
  const anyEvent = fc.constantFrom<TermEvent>(...Object.values(EVENTS))
  const waits = fc.integer({ min: 0, max: 20_000 })
  fc.assert(
    fc.property(fc.array(fc.tuple(anyEvent, waits), { maxLength: 60 }), (events) => {
      let state: TermState = JOINING
      let nowMs = NOW_MS
      let isReading = false
      let isProof = true
      let mayDial = false
      for (const [event, waitMs] of events) {
        nowMs += waitMs
        const isAnswer = ['verified', 'upToDate', 'unreadable'].includes(event.kind)
        // An answer without a read, and an end of the lease before there was one, do not happen.
        if (isAnswer && !isReading) continue
        const [next, effects]: TermStep = step(state, event, { now: at(nowMs), ttlMs: TTL_MS })
        if (isAnswer) isReading = false
        if (event.kind === 'renewed' && event.lapsed) isProof = false
        for (const effect of effects) {
          if (effect === 'verify' || effect === 'glance') {
            expect(isReading).toBe(false)
            isReading = true
            isProof = true
          }
          if (effect === 'grant') mayDial = true
          if (effect === 'revoke') mayDial = false
          if (effect === 'grant' || effect === 'balance') expect(mayClaim(next)).toBe(true)
        }
        expect(mayDial).toBe(next.kind === 'keeping')
        if (!isProof) expect(mayDial).toBe(false)
        if (state.kind === 'draining') expect(next).toBe(state)
        state = next
      }
    }),
  )
})

function at(ms: number): { monotonicMs: number; wallMs: number } {
  return { monotonicMs: ms, wallMs: ms }
}

function say([state, effects]: TermStep): string {
  const rights = mayInherit(state) ? '++' : mayClaim(state) ? '+' : ''
  const todo = effects.length === 0 ? '' : `: ${effects.join(', ')}`
  return `${state.kind}${rights}${verification(state)}${todo}`
}

function verification(state: TermState): string {
  switch (state.kind) {
    case 'keeping':
      return ` (${state.isVerifying ? 'running' : 'none'}${state.verifiedAt === null ? ', due' : ''})`
    case 'doubting':
      return ` (${state.verification})`
    default:
      return ''
  }
}

import { expect, test } from 'vitest'
import { CALM, FAILURES } from './failures.ts'
import type { Credentials, Failure } from './failures.ts'
import { nextLink } from './link-state.ts'
import type { LinkEvent, LinkPhase } from './link-state.ts'

const NOW = 1_000_000
const MOMENT = { nowMs: NOW, random: 0.5 }
const FULL = { state: 'unavailable', cause: 'too_many' } as const
const TRYING = { attempt: 2, refused: false, trouble: CALM } as const
const HELD: Credentials = { none: false, held: true, accepted: true }

/** The columns of the table: every phase, with variants where the transitions differ inside a phase. */
const PHASES = [
  ['idle', { kind: 'idle' }],
  ['opening', { kind: 'opening', ...TRYING }],
  ['asking', { kind: 'opening', ...TRYING, refused: true }],
  ['slow', { kind: 'opening', ...TRYING, trouble: FULL }],
  ['open', { kind: 'open', attempt: 2, trouble: CALM, feedStale: true }],
  ['live', { kind: 'live', attempt: 2, trouble: FULL, sinceMs: NOW - 1_000, feedStale: false }],
  ['stable', { kind: 'live', attempt: 2, trouble: FULL, sinceMs: NOW - 60_000, feedStale: false }],
  ['waiting', { kind: 'waiting', ...TRYING, trouble: FULL, untilMs: NOW + 1 }],
  ['offline', { kind: 'offline' }],
  ['paused', { kind: 'paused', trouble: FULL }],
] as const satisfies readonly (readonly [string, LinkPhase])[]

type Lost = Extract<LinkEvent, { kind: 'lost' }>

function lost(failure: Failure, change: Partial<Lost> = {}): Lost {
  return {
    kind: 'lost',
    failure,
    probing: false,
    window: null,
    renewable: false,
    credentials: HELD,
    ...change,
  }
}

/** The rows: every event, with variants where the transitions differ inside an event. */
const EVENTS = {
  start: { kind: 'start' },
  stop: { kind: 'stop' },
  welcomed: { kind: 'welcomed' },
  answered: { kind: 'answered' },
  stale: { kind: 'feed', stale: true },
  fresh: { kind: 'feed', stale: false },
  broken: lost('broken'),
  doubtful: lost('broken', { probing: true }),
  bye: lost('shutdown', { window: [800, 9_000] }),
  expired: lost('token_expired', { renewable: true }),
  refused: lost('unauthorized'),
  renewable: lost('unauthorized', { renewable: true }),
  forbidden: lost('forbidden', { renewable: true }),
  full: lost('too_many_connections'),
  denied: lost('denied'),
  sourceless: lost('token_source'),
  probed: { kind: 'probed', cause: 'blocked' },
  elapsed: { kind: 'elapsed' },
  retry: { kind: 'retry' },
  online: { kind: 'online' },
  offline: { kind: 'offline' },
  pause: { kind: 'pause' },
  resume: { kind: 'resume' },
} as const satisfies Record<string, LinkEvent>

/** One cell for every column: a phase without a cell does not compile, nor does an event without a row. */
type Row = Cells<typeof PHASES>
type Cells<Columns extends readonly unknown[]> = { readonly [Column in keyof Columns]: string }
/** `=`: nothing changes. Otherwise the next phase, and after a colon the effect. */
// prettier-ignore
const TABLE: Record<keyof typeof EVENTS, Row> = {
  //           idle             opening                               asking                                       slow                                     open                                  live                                   stable                                waiting                               offline           paused
  start:     ['opening: dial', '=',                                  '=',                                         '=',                                     '=',                                  '=',                                   '=',                                  '=',                                  '=',              '='],
  stop:      ['idle: close',   'idle: close',                        'idle: close',                               'idle: close',                           'idle: close',                        'idle: close',                         'idle: close',                        'idle: close',                        'idle: close',    'idle: close'],
  welcomed:  ['=',             'open',                               'open',                                      'open',                                  '=',                                  '=',                                   '=',                                  '=',                                  '=',              '='],
  answered:  ['=',             '=',                                  '=',                                         '=',                                     'live stale',                         '=',                                   '=',                                  '=',                                  '=',              '='],
  stale:     ['=',             '=',                                  '=',                                         '=',                                     'open stale',                         'live stale',                          'live stale',                         '=',                                  '=',              '='],
  fresh:     ['=',             '=',                                  '=',                                         '=',                                     'open',                               'live',                                'live',                               '=',                                  '=',              '='],
  // The page shows no cause after an open transport; after 30 s live, the next waits are short.
  broken:    ['=',             'waiting 1000 unreachable',           'waiting 1000 unreachable asking',           'waiting 250 unreachable',               'waiting 1000',                       'waiting 250',                         'waiting 250',                        '=',                                  '=',              '='],
  doubtful:  ['=',             'waiting 1000',                       'waiting 1000 asking',                       'waiting 250',                           'waiting 1000',                       'waiting 250',                         'waiting 250',                        '=',                                  '=',              '='],
  bye:       ['=',             'waiting 4900 restarting',            'waiting 4900 restarting asking',            'waiting 4900 restarting',               'waiting 4900 restarting',            'waiting 4900 restarting',             'waiting 4900 restarting',            '=',                                  '=',              '='],
  expired:   ['=',             'waiting 1000',                       'waiting 1000 asking',                       'waiting 250',                           'waiting 1000',                       'waiting 250',                         'waiting 250',                        '=',                                  '=',              '='],
  // The first slow wait is 1 to 2 min, the third 4 to 8.
  refused:   ['=',             'waiting 90000 unauthorized',         'waiting 90000 unauthorized asking',         'waiting 360000 unauthorized',           'waiting 90000 unauthorized',         'waiting 360000 unauthorized',         'waiting 90000 unauthorized',         '=',                                  '=',              '='],
  // The client requests another token once: after a second refusal it waits for minutes.
  renewable: ['=',             'waiting 0 asking',                   'waiting 90000 unauthorized asking',         'waiting 0 unavailable too_many asking', 'waiting 0 asking',                   'waiting 0 asking',                    'waiting 0 asking',                   '=',                                  '=',              '='],
  forbidden: ['=',             'waiting 90000 forbidden',            'waiting 90000 forbidden asking',            'waiting 360000 forbidden',              'waiting 90000 forbidden',            'waiting 360000 forbidden',            'waiting 90000 forbidden',            '=',                                  '=',              '='],
  full:      ['=',             'waiting 90000 unavailable too_many', 'waiting 90000 unavailable too_many asking', 'waiting 360000 unavailable too_many',   'waiting 90000 unavailable too_many', 'waiting 360000 unavailable too_many', 'waiting 90000 unavailable too_many', '=',                                  '=',              '='],
  denied:    ['=',             'waiting 90000 unauthorized',         'waiting 90000 unauthorized asking',         'waiting 360000 unauthorized',           'waiting 90000 unauthorized',         'waiting 360000 unauthorized',         'waiting 90000 unauthorized',         '=',                                  '=',              '='],
  sourceless:['=',             'waiting 1000 token_source',          'waiting 1000 token_source asking',          'waiting 250 token_source',              'waiting 1000 token_source',          'waiting 250 token_source',            'waiting 250 token_source',           '=',                                  '=',              '='],
  probed:    ['=',             'opening blocked',                    'opening blocked',                           '=',                                     '=',                                  '=',                                   '=',                                  '=',                                  '=',              '='],
  elapsed:   ['=',             '=',                                  '=',                                         '=',                                     '=',                                  '=',                                   '=',                                  'opening unavailable too_many: dial', '=',              '='],
  retry:     ['=',             'opening: dial',                      'opening: dial',                             'opening: dial',                         '=: probe',                           '=: probe',                            '=: probe',                           'opening: dial',                      'opening: dial',  'opening: dial'],
  online:    ['=',             '=',                                  '=',                                         '=',                                     '=: probe',                           '=: probe',                            '=: probe',                           'opening unavailable too_many: dial', 'opening: dial',  '='],
  offline:   ['=',             'offline: close',                     'offline: close',                            'offline: close',                        'offline: close',                     'offline: close',                      'offline: close',                     'offline: close',                     'offline: close', '='],
  pause:     ['=',             'paused: close',                      'paused: close',                             'paused unavailable too_many: close',    'paused: close',                      'paused: close',                       'paused: close',                      'paused unavailable too_many: close', 'paused: close',  'paused unavailable too_many: close'],
  resume:    ['=',             '=',                                  '=',                                         '=',                                     '=: probe',                           '=: probe',                            '=: probe',                           'opening unavailable too_many: dial', '=',              'opening unavailable too_many: dial'],
}

function textOf(phase: LinkPhase): string {
  switch (phase.kind) {
    case 'open':
    case 'live':
      return phase.feedStale ? `${phase.kind} stale` : phase.kind
    case 'opening':
    case 'paused':
    case 'waiting': {
      const { state, cause } = phase.trouble
      const isWaiting = phase.kind === 'waiting'
      const waitMs = isWaiting ? phase.untilMs - NOW : null
      return [phase.kind, waitMs, state, cause, isWaiting && phase.refused ? 'asking' : null]
        .filter((word) => word !== null)
        .join(' ')
    }
    default:
      return phase.kind
  }
}

const cases = Object.entries(TABLE).flatMap(([event, cells]) =>
  PHASES.map(([name, from], column) => ({ name, event, from, expected: cells[column] ?? '' })),
)

test('the table has a column for every kind of phase, and a row for every kind of event', () => {
  // Where one is missing, the test does not compile.
  const columns: Record<LinkPhase['kind'], true> = Object.fromEntries(
    PHASES.map(([, { kind }]) => [kind, true]),
  ) as Record<(typeof PHASES)[number][1]['kind'], true>
  const rows: Record<LinkEvent['kind'], true> = Object.fromEntries(
    Object.values(EVENTS).map(({ kind }) => [kind, true]),
  ) as Record<(typeof EVENTS)[keyof typeof EVENTS]['kind'], true>
  expect([Object.keys(columns).length, Object.keys(rows).length]).toEqual([7, 13])
})

test.each(cases)('$name, $event → $expected', ({ event, from, expected }) => {
  const [phase, effect] = nextLink(from, EVENTS[event as keyof typeof EVENTS], MOMENT)
  const became = phase === from ? '=' : textOf(phase)
  expect([became, effect].filter(Boolean).join(': ')).toBe(expected)
})

test('a retry resets the number of attempts, and the end of a wait does not', () => {
  const waiting: LinkPhase = {
    kind: 'waiting',
    attempt: 5,
    untilMs: NOW,
    refused: true,
    trouble: CALM,
  }
  expect(nextLink(waiting, EVENTS.elapsed, MOMENT)[0]).toMatchObject({ attempt: 5, refused: true })
  expect(nextLink(waiting, EVENTS.retry, MOMENT)[0]).toMatchObject({ attempt: 0, refused: false })
})

test('waits are spread over the whole range below their bound, and never exceed 20 s', () => {
  const opening: LinkPhase = { kind: 'opening', attempt: 30, refused: false, trouble: CALM }
  const wait = (random: number): LinkPhase =>
    nextLink(opening, EVENTS.broken, { nowMs: NOW, random })[0]
  expect(wait(0)).toMatchObject({ untilMs: NOW })
  expect(wait(0.999)).toMatchObject({ untilMs: NOW + 19_980 })
})

const STRANGERS: readonly Credentials[] = [
  { none: false, held: false, accepted: false },
  { none: true, held: false, accepted: false },
]
const DIALLED = PHASES.filter(([, { kind }]) => ['opening', 'open', 'live'].includes(kind))

/** Every loss: in each phase, with and without a token, at both ends of the jitter. */
const WAYS = DIALLED.flatMap(([, phase]) =>
  [HELD, ...STRANGERS].flatMap((credentials) =>
    [0, 0.999_999].map((random) => ({ phase, credentials, random })),
  ),
)

/** Twenty consecutive waits of the link, in ms. */
function waitsAfter(failure: Failure, way: (typeof WAYS)[number]): number[] {
  let phase: LinkPhase = way.phase
  return Array.from({ length: 20 }, () => {
    const event = lost(failure, { credentials: way.credentials })
    phase = nextLink(phase, event, { nowMs: NOW, random: way.random })[0]
    if (phase.kind !== 'waiting') throw new Error(`${failure} ends in ${phase.kind}`)
    const waitMs = phase.untilMs - NOW
    phase = nextLink(phase, EVENTS.elapsed, MOMENT)[0]
    return waitMs
  })
}

test.each(Object.keys(FAILURES) as Failure[])(
  'after %s the link retries within the bounds of the table',
  (failure) => {
    const isSlow = FAILURES[failure].retry === 'slowly'
    const waits = WAYS.flatMap((way) => waitsAfter(failure, way))
    expect(waits.length).toBe(6 * 3 * 2 * 20)
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(isSlow ? 60_000 : 0)
    expect(Math.max(...waits)).toBeLessThanOrEqual(isSlow ? 600_000 : 20_000)
  },
)

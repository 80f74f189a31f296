import { expect, test } from 'vitest'
import { nextLink } from './link-state.ts'
import type { LinkEvent, LinkPhase } from './link-state.ts'

const NOW = 1_000_000
const MOMENT = { nowMs: NOW, random: 0.5 }

/** The columns of the table: every phase, and what makes a difference inside of one. */
const PHASES = [
  ['idle', { kind: 'idle' }],
  ['opening', { kind: 'opening', attempt: 2, refused: false }],
  ['asking', { kind: 'opening', attempt: 2, refused: true }],
  ['open', { kind: 'open', attempt: 2, feedStale: true }],
  ['live', { kind: 'live', attempt: 2, sinceMs: NOW - 1_000, feedStale: false }],
  ['stable', { kind: 'live', attempt: 2, sinceMs: NOW - 60_000, feedStale: false }],
  ['waiting', { kind: 'waiting', attempt: 2, untilMs: NOW + 1, refused: false }],
  ['offline', { kind: 'offline' }],
  ['paused', { kind: 'paused' }],
  ['ended', { kind: 'ended', state: 'forbidden' }],
] as const satisfies readonly (readonly [string, LinkPhase])[]

function lost(code: number, renewable = false, window: [number, number] | null = null): LinkEvent {
  return { kind: 'lost', code, window, renewable }
}

/** The rows: every event, and what makes a difference inside of one. */
const EVENTS = {
  start: { kind: 'start' },
  stop: { kind: 'stop' },
  welcomed: { kind: 'welcomed' },
  answered: { kind: 'answered' },
  stale: { kind: 'feed', stale: true },
  fresh: { kind: 'feed', stale: false },
  broken: lost(1006),
  bye: lost(4200, false, [800, 9_000]),
  expired: lost(4101, true),
  refused: lost(4001),
  renewable: lost(4001, true),
  forbidden: lost(4003, true),
  version: lost(4006),
  abuse: lost(4029),
  denied: { kind: 'denied' },
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
/** `=`: nothing changes. Otherwise the next phase, and after a colon what has to be done. */
// prettier-ignore
const TABLE: Record<keyof typeof EVENTS, Row> = {
  //           idle             opening                       asking                        open                          live                          stable                        waiting                   offline                   paused                    ended
  start:     ['opening: dial',  '=',                          '=',                          '=',                          '=',                          '=',                          '=',                      '=',                      '=',                      '='],
  stop:      ['idle: close',    'idle: close',                'idle: close',                'idle: close',                'idle: close',                'idle: close',                'idle: close',            'idle: close',            'idle: close',            'idle: close'],
  welcomed:  ['=',              'open',                       'open',                       '=',                          '=',                          '=',                          '=',                      '=',                      '=',                      '='],
  answered:  ['=',              '=',                          '=',                          'live stale',                 '=',                          '=',                          '=',                      '=',                      '=',                      '='],
  stale:     ['=',              '=',                          '=',                          'open stale',                 'live stale',                 'live stale',                 '=',                      '=',                      '=',                      '='],
  fresh:     ['=',              '=',                          '=',                          'open',                       'live',                       'live',                       '=',                      '=',                      '=',                      '='],
  // It held for a while: starts again with short waits.
  broken:     ['=',             'waiting 1000',               'waiting 1000 asking',        'waiting 1000',               'waiting 1000',               'waiting 250',                '=',                      '=',                      '=',                      '='],
  bye:        ['=',             'waiting 4900',               'waiting 4900 asking',        'waiting 4900',               'waiting 4900',               'waiting 4900',               '=',                      '=',                      '=',                      '='],
  expired:    ['=',             'waiting 1000',               'waiting 1000 asking',        'waiting 1000',               'waiting 1000',               'waiting 250',                '=',                      '=',                      '=',                      '='],
  refused:   ['=',              'ended unauthorized: close',  'ended unauthorized: close',  'ended unauthorized: close',  'ended unauthorized: close',  'ended unauthorized: close',  '=',                      '=',                      '=',                      '='],
  // A new token is asked for once: where that is refused too, so will be the next.
  renewable:  ['=',             'waiting 0 asking',           'ended unauthorized: close',  'waiting 0 asking',           'waiting 0 asking',           'waiting 0 asking',           '=',                      '=',                      '=',                      '='],
  forbidden: ['=',              'ended forbidden: close',     'ended forbidden: close',     'ended forbidden: close',     'ended forbidden: close',     'ended forbidden: close',     '=',                      '=',                      '=',                      '='],
  version:   ['=',              'ended incompatible: close',  'ended incompatible: close',  'ended incompatible: close',  'ended incompatible: close',  'ended incompatible: close',  '=',                      '=',                      '=',                      '='],
  abuse:     ['=',              'ended unavailable: close',   'ended unavailable: close',   'ended unavailable: close',   'ended unavailable: close',   'ended unavailable: close',   '=',                      '=',                      '=',                      '='],
  denied:    ['=',              'ended unauthorized: close',  'ended unauthorized: close',  '=',                          '=',                          '=',                          '=',                      '=',                      '=',                      '='],
  elapsed:   ['=',              '=',                          '=',                          '=',                          '=',                          '=',                          'opening: dial',          '=',                      '=',                      '='],
  retry:     ['=',              'opening: dial',              'opening: dial',              '=: probe',                   '=: probe',                   '=: probe',                   'opening: dial',          'opening: dial',          'opening: dial',          'opening: dial'],
  online:    ['=',              '=',                          '=',                          '=: probe',                   '=: probe',                   '=: probe',                   'opening: dial',          'opening: dial',          '=',                      '='],
  offline:   ['=',              'offline: close',             'offline: close',             'offline: close',             'offline: close',             'offline: close',             'offline: close',         'offline: close',         '=',                      '='],
  pause:     ['=',              'paused: close',              'paused: close',              'paused: close',              'paused: close',              'paused: close',              'paused: close',          'paused: close',          'paused: close',          '='],
  resume:    ['=',              '=',                          '=',                          '=: probe',                   '=: probe',                   '=: probe',                   'opening: dial',          '=',                      'opening: dial',          '='],
}

function told(phase: LinkPhase): string {
  switch (phase.kind) {
    case 'waiting':
      return `waiting ${phase.untilMs - NOW}${phase.refused ? ' asking' : ''}`
    case 'ended':
      return `ended ${phase.state}`
    case 'open':
    case 'live':
      return phase.feedStale ? `${phase.kind} stale` : phase.kind
    default:
      return phase.kind
  }
}

const cases = Object.entries(TABLE).flatMap(([event, cells]) =>
  PHASES.map(([name, from], column) => ({ name, event, from, expected: cells[column] ?? '' })),
)

test('every kind of phase has a column, and every kind of event a row', () => {
  // Where one is missing, this does not compile.
  const columns: Record<LinkPhase['kind'], true> = Object.fromEntries(
    PHASES.map(([, { kind }]) => [kind, true]),
  ) as Record<(typeof PHASES)[number][1]['kind'], true>
  const rows: Record<LinkEvent['kind'], true> = Object.fromEntries(
    Object.values(EVENTS).map(({ kind }) => [kind, true]),
  ) as Record<(typeof EVENTS)[keyof typeof EVENTS]['kind'], true>
  expect([Object.keys(columns).length, Object.keys(rows).length]).toEqual([8, 13])
})

test.each(cases)('$name, $event → $expected', ({ event, from, expected }) => {
  const [phase, effect] = nextLink(from, EVENTS[event as keyof typeof EVENTS], MOMENT)
  const became = phase === from ? '=' : told(phase)
  expect([became, effect].filter(Boolean).join(': ')).toBe(expected)
})

test('a retry starts counting anew, a wait that is over goes on counting', () => {
  const waiting: LinkPhase = { kind: 'waiting', attempt: 5, untilMs: NOW, refused: true }
  expect(nextLink(waiting, EVENTS.elapsed, MOMENT)[0]).toMatchObject({ attempt: 5, refused: true })
  expect(nextLink(waiting, EVENTS.retry, MOMENT)[0]).toMatchObject({ attempt: 0, refused: false })
})

test('waits are spread over the whole of their bound, and never exceed 20 s', () => {
  const opening: LinkPhase = { kind: 'opening', attempt: 30, refused: false }
  const wait = (random: number): LinkPhase =>
    nextLink(opening, EVENTS.broken, { nowMs: NOW, random })[0]
  expect(wait(0)).toMatchObject({ untilMs: NOW })
  expect(wait(0.999)).toMatchObject({ untilMs: NOW + 19_980 })
})

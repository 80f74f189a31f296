import { expect, test } from 'vitest'
import { arrivedIn, INITIAL_SYNC, isSettled, namedBy, nextSync } from './sync.ts'
import type { Sync, SyncEffect, SyncEvent } from './sync.ts'

/** The state and the effects after a series of events. */
function after(...events: SyncEvent[]): Sync {
  return events.reduce((sync, event) => nextSync(sync, event)[0], INITIAL_SYNC)
}

const A = 'connections:a'
const B = 'connections:b'
const OPENED = { kind: 'opened', names: [A, B] } as const
const ANSWERED = { kind: 'answered', id: 1, cursor: 'c1' } as const
const WELCOMED = { kind: 'welcomed', epoch: 'e1' } as const

const STATES = {
  /** Before the first transport. */
  initial: after(),
  /** The client has sent a watch of a and b, and received the first page of the snapshot. */
  asking: after(WELCOMED, OPENED, { kind: 'part', id: 1, rows: ['a'] }),
  /** The server has refused a and b together: the client watches a alone, and b waits. */
  halved: after(WELCOMED, OPENED, { kind: 'refused', id: 1 }),
  /** a and b are answered. */
  settled: after(WELCOMED, OPENED, ANSWERED),
  /** The same, and the transport is closed. */
  away: after(WELCOMED, OPENED, ANSWERED, { kind: 'closed' }),
} as const satisfies Record<string, Sync>

const EVENTS = {
  opened: OPENED,
  'opened with nothing': { kind: 'opened', names: [] },
  closed: { kind: 'closed' },
  added: { kind: 'added', names: ['sites:s'] },
  removed: { kind: 'removed', names: [A] },
  emptied: { kind: 'emptied' },
  'welcomed again': WELCOMED,
  'welcomed without epoch': { kind: 'welcomed', epoch: '' },
  'another epoch': { kind: 'welcomed', epoch: 'e2' },
  part: { kind: 'part', id: 1, rows: ['x'] },
  answered: { kind: 'answered', id: 1, cursor: 'c2' },
  'all answered': { kind: 'answered', id: undefined, cursor: 'c2' },
  'answered by another id': { kind: 'answered', id: 99, cursor: 'c2' },
  reached: { kind: 'reached', cursor: 'c3' },
  'reached nothing': { kind: 'reached', cursor: undefined },
  refused: { kind: 'refused', id: 2 },
  'refused by another id': { kind: 'refused', id: 99 },
  garbled: { kind: 'garbled' },
} as const satisfies Record<string, SyncEvent>

/** State and effects in one line: `kind epoch @cursor =answered ?id:names >next ~arriving | effects`. */
function line(sync: Sync, effects: readonly SyncEffect[] = []): string {
  const short = (names: Iterable<string>): string =>
    [...names].map((name) => name.slice(name.indexOf(':') + 1)).join()
  const open =
    sync.kind === 'away'
      ? []
      : [
          ...[...sync.asked].map(([id, { names }]) => `?${id}:${short(names)}`),
          ...(sync.next.length > 0 ? [`>${short(sync.next)}`] : []),
          ...[...sync.arriving].map(([id, pages]) => `~${id ?? '*'}:${pages.flat().join()}`),
        ]
  const done = effects.map((effect) =>
    effect.kind === 'ask'
      ? `ask ${effect.id}:${short(effect.names)}@${effect.cursor ?? ''}`
      : effect.kind === 'refuse'
        ? `refuse ${short(effect.names)}`
        : effect.kind,
  )
  const state = [
    sync.kind,
    sync.epoch,
    sync.cursor && `@${sync.cursor}`,
    sync.answered.size > 0 && `=${short(sync.answered)}`,
    ...open,
  ]
  return [state.filter(Boolean).join(' '), ...done].join(' | ')
}

// prettier-ignore
const TABLE: Record<keyof typeof STATES, Record<keyof typeof EVENTS, string>> = {
  initial: {
    'opened': 'open ?1:a,b | ask 1:a,b@',
    'opened with nothing': 'open ?1: | ask 1:@',
    'closed': 'away',
    'added': 'away',
    'removed': 'away',
    'emptied': 'away',
    'welcomed again': 'away e1',
    'welcomed without epoch': 'away',
    'another epoch': 'away e2',
    'part': 'away',
    'answered': 'away',
    'all answered': 'away',
    'answered by another id': 'away',
    'reached': 'away',
    'reached nothing': 'away',
    'refused': 'away',
    'refused by another id': 'away',
    'garbled': 'away',
  },
  asking: {
    'opened': 'open e1 ?2:a,b | ask 2:a,b@',
    'opened with nothing': 'open e1 ?2: | ask 2:@',
    'closed': 'away e1',
    'added': 'open e1 ?1:a,b ?2:s ~1:a | ask 2:s@',
    'removed': 'open e1 ?1:b ~1:a',
    'emptied': 'away e1',
    'welcomed again': 'open e1 ?1:a,b ~1:a',
    'welcomed without epoch': 'open e1 ?1:a,b ~1:a',
    'another epoch': 'open e2 ?1:a,b ~1:a | forget',
    'part': 'open e1 ?1:a,b ~1:a,x',
    'answered': 'open e1 @c2 =a,b | settled',
    'all answered': 'open e1 @c2 =a,b ~1:a | settled',
    'answered by another id': 'open e1 ?1:a,b ~1:a',
    'reached': 'open e1 ?1:a,b ~1:a',
    'reached nothing': 'open e1 ?1:a,b ~1:a',
    'refused': 'open e1 ?1:a,b ~1:a',
    'refused by another id': 'open e1 ?1:a,b ~1:a',
    'garbled': 'open e1 ?1:a,b ~1:a',
  },
  halved: {
    'opened': 'open e1 ?3:a,b | ask 3:a,b@',
    'opened with nothing': 'open e1 ?3: | ask 3:@',
    'closed': 'away e1',
    'added': 'open e1 ?2:a >b,s',
    'removed': 'open e1 ?2: >b',
    'emptied': 'away e1',
    'welcomed again': 'open e1 ?2:a >b',
    'welcomed without epoch': 'open e1 ?2:a >b',
    'another epoch': 'open e2 ?2:a >b | forget',
    'part': 'open e1 ?2:a >b ~1:x',
    'answered': 'open e1 ?2:a >b',
    'all answered': 'open e1 =a ?3:b | ask 3:b@',
    'answered by another id': 'open e1 ?2:a >b',
    'reached': 'open e1 ?2:a >b',
    'reached nothing': 'open e1 ?2:a >b',
    'refused': 'open e1 | refuse a,b | settled',
    'refused by another id': 'open e1 ?2:a >b',
    'garbled': 'open e1 ?2:a >b',
  },
  settled: {
    'opened': 'open e1 @c1 =a,b ?2:a,b | ask 2:a,b@c1',
    'opened with nothing': 'open e1 @c1 =a,b ?2: | ask 2:@c1',
    'closed': 'away e1 @c1 =a,b',
    'added': 'open e1 =a,b ?2:s | ask 2:s@',
    'removed': 'open e1 @c1 =b',
    'emptied': 'away e1',
    'welcomed again': 'open e1 @c1 =a,b',
    'welcomed without epoch': 'open e1 @c1 =a,b',
    'another epoch': 'open e2 | forget',
    'part': 'open e1 @c1 =a,b ~1:x',
    'answered': 'open e1 @c2 =a,b | settled',
    'all answered': 'open e1 @c2 =a,b | settled',
    'answered by another id': 'open e1 @c2 =a,b | settled',
    'reached': 'open e1 @c3 =a,b',
    'reached nothing': 'open e1 @c1 =a,b',
    'refused': 'open e1 @c1 =a,b',
    'refused by another id': 'open e1 @c1 =a,b',
    'garbled': 'open e1 =a,b',
  },
  away: {
    'opened': 'open e1 @c1 =a,b ?2:a,b | ask 2:a,b@c1',
    'opened with nothing': 'open e1 @c1 =a,b ?2: | ask 2:@c1',
    'closed': 'away e1 @c1 =a,b',
    'added': 'away e1 =a,b',
    'removed': 'away e1 @c1 =b',
    'emptied': 'away e1',
    'welcomed again': 'away e1 @c1 =a,b',
    'welcomed without epoch': 'away e1 @c1 =a,b',
    'another epoch': 'away e2 | forget',
    'part': 'away e1 @c1 =a,b',
    'answered': 'away e1 @c1 =a,b',
    'all answered': 'away e1 @c1 =a,b',
    'answered by another id': 'away e1 @c1 =a,b',
    'reached': 'away e1 @c1 =a,b',
    'reached nothing': 'away e1 @c1 =a,b',
    'refused': 'away e1 @c1 =a,b',
    'refused by another id': 'away e1 @c1 =a,b',
    'garbled': 'away e1 =a,b',
  },
}

test.each(
  Object.entries(TABLE).flatMap(([state, row]) =>
    Object.entries(row).map(([event, expected]) => [state, event, expected] as const),
  ),
)('%s, %s: %s', (state, event, expected) => {
  const before = STATES[state as keyof typeof STATES]
  const copy = structuredClone(before)
  expect(line(...nextSync(before, EVENTS[event as keyof typeof EVENTS]))).toBe(expected)
  // A transition does not mutate the former state.
  expect(before).toEqual(copy)
})

test('an answer has the rows of all its parts, and the names that are still watched', () => {
  const { asking } = STATES
  expect([...arrivedIn(asking, 1, ['b'])]).toEqual(['a', 'b'])
  expect([...arrivedIn(asking, undefined, ['b'])]).toEqual(['b'])
  expect(namedBy(nextSync(asking, EVENTS.removed)[0], 1)).toEqual({ connections: ['b'] })
  expect([namedBy(asking, undefined), namedBy(STATES.away, 1)]).toEqual([undefined, undefined])
})

test('a welcome cuts off an answer about all watches, and no answer to one watch', () => {
  const sync = after(OPENED, { kind: 'part', id: undefined, rows: ['x'] })
  const both = nextSync(sync, { kind: 'part', id: 1, rows: ['a'] })[0]
  expect(line(nextSync(both, WELCOMED)[0])).toBe('open e1 ?1:a,b ~1:a')
})

test.each([1, 2, 3, 7, 100, 999])(
  'a server with room for %i names accepts exactly so many, one watch after the other',
  (room) => {
    const names = Array.from({ length: 1_000 }, (_, i) => `connections:c${i}`)
    let [sync, effects] = nextSync(INITIAL_SYNC, { kind: 'opened', names })
    const held = new Set<string>()
    let watches = 0
    for (;;) {
      const ask = effects.find((effect) => effect.kind === 'ask')
      if (!ask) break
      watches++
      const fits = held.size + ask.names.length <= room
      if (fits) for (const name of ask.names) held.add(name)
      const { id } = ask
      ;[sync, effects] = nextSync(
        sync,
        fits ? { kind: 'answered', id, cursor: 'c' } : { kind: 'refused', id },
      )
      expect(effects.filter(({ kind }) => kind === 'ask').length).toBeLessThanOrEqual(1)
    }
    const refused = effects.flatMap((effect) => (effect.kind === 'refuse' ? effect.names : []))
    expect([held.size, refused.length, isSettled(sync)]).toEqual([room, 1_000 - room, true])
    expect(watches).toBeLessThan(60)
  },
)

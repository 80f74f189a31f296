import { STATUSES } from '@mqtt-status/protocol'
import { beforeEach, expect, test } from 'vitest'
import { CauseTally, conditionOf } from './cause-tally.ts'
import type { CauseLine, ConditionChange } from './cause-tally.ts'

const LOST = { condition: 'interrupted', broker: 'a:1883', reason: 'connection_reset' } as const
const BACK = { condition: 'connected', broker: 'a:1883', reason: null } as const

let tally: CauseTally

beforeEach(() => {
  tally = new CauseTally()
})

function add(count: number, change: Omit<ConditionChange, 'id'>, nowMs: number): void {
  for (let number = 1; number <= count; number++) tally.add({ id: `c${number}`, ...change }, nowMs)
}

/** Takes at each moment that the tally names, until nothing is counted or the time is over. */
function lines(untilMs: number): CauseLine[] {
  const taken: CauseLine[] = []
  for (let nextMs = tally.nextMs; nextMs !== null && nextMs <= untilMs; nextMs = tally.nextMs)
    taken.push(...tally.take(nextMs))
  return taken
}

test('one change causes one line, 1 s later', () => {
  add(1, LOST, 5_000)
  expect(tally.take(5_999)).toEqual([])
  expect(tally.take(6_000)).toEqual([{ ...LOST, count: 1, ids: ['c1'] }])
  expect(lines(1e9)).toEqual([])
  expect(tally.nextMs).toBe(null)
})

test('the outage of a broker with a thousand connections is one line, and so is its recovery', () => {
  add(1_000, LOST, 0)
  expect(lines(10_000)).toEqual([{ ...LOST, count: 1_000, ids: ['c1', 'c2', 'c3'] }])
  add(1_000, BACK, 20_000)
  expect(lines(1e9)).toEqual([{ ...BACK, count: 1_000, ids: ['c1', 'c2', 'c3'] }])
})

test('a long outage causes at most one line in 30 s, with the count of all changes', () => {
  const taken: CauseLine[] = []
  for (let second = 0; second < 300; second++) {
    add(10, LOST, second * 1_000)
    taken.push(...tally.take(second * 1_000))
  }
  taken.push(...lines(1e9))
  expect(taken.length).toBeLessThanOrEqual(12)
  expect(taken.reduce((sum, { count }) => sum + count, 0)).toBe(3_000)
})

test('each combination of condition, broker and reason has a count of its own', () => {
  add(2, LOST, 0)
  add(3, { ...LOST, broker: 'b:1883' }, 0)
  add(4, { ...LOST, reason: 'bad_credentials' }, 0)
  add(5, { ...LOST, condition: 'failed' }, 0)
  expect(lines(1_000).map(({ count }) => count)).toEqual([2, 3, 4, 5])
})

test('a flood of brokers takes bounded memory, and every change is counted', () => {
  for (let number = 0; number < 100_000; number++)
    tally.add({ ...LOST, id: `c${number}`, broker: `b${number}:1883` }, 0)
  const taken = lines(1e9)
  expect(taken.length).toBeLessThanOrEqual(1_001)
  expect(taken.reduce((sum, { count }) => sum + count, 0)).toBe(100_000)
  expect(tally.nextMs).toBe(null)
})

test('every status has a condition, or is not a result', () => {
  expect(STATUSES.map((status) => [status, conditionOf(status)])).toEqual(
    expect.arrayContaining([
      ['connected', 'connected'],
      ['reconnecting', 'interrupted'],
      ['failed', 'failed'],
      ['disconnected', 'disconnected'],
      ['connecting', null],
      ['disconnecting', null],
      ['unknown', null],
    ]),
  )
})

import { describe, expect, test } from 'vitest'
import { compared, distrusted, doubt, failed, hurry, isOverdue, readsNotes } from './pace.ts'
import type { Moment, State } from './pace.ts'

const EVERY_MS = 300_000

function moment(change: Partial<Moment> = {}): Moment {
  return { now: 1_000, xmin: 10n, xmax: 20n, random: 0.5, ...change }
}

const doubtful = (since: bigint): State => doubt({ now: 0, xmax: since })
const failing = (times: number, distrustMs = 60_000): State => {
  let state = doubtful(0n)
  for (let i = 0; i < times; i++) state = failed(state, { now: i, random: 0.5, distrustMs })
  return state
}

test('a doubt compares at once', () => {
  expect(doubt({ now: 7, xmax: 5n })).toEqual({
    ...{ kind: 'doubtful', since: 5n, attempt: 0, compareAt: 7 },
  })
})

test.each<[what: string, random: number, waitMs: number]>([
  ['at least', 0, 0.9 * EVERY_MS],
  ['on average', 0.5, EVERY_MS],
  ['at most', 1, 1.1 * EVERY_MS],
])('a settled mirror compares every five minutes, %s', (_what, random, waitMs) => {
  const settled = compared(doubtful(10n), moment({ random }))
  expect(settled).toEqual({ kind: 'settled', compareAt: 1_000 + waitMs })
  expect(compared(settled, moment({ random, now: 2_000 }))).toEqual({
    ...{ kind: 'settled', compareAt: 2_000 + waitMs },
  })
})

describe('a comparison while transactions are open that may have lost a note', () => {
  test('is followed by others, each after twice the time, up to five minutes', () => {
    let state = doubtful(11n)
    const waits: number[] = []
    for (let i = 0; i < 12; i++) {
      state = compared(state, moment({ xmin: 10n }))
      waits.push(state.compareAt - 1_000)
    }
    expect(waits.slice(0, 4)).toEqual([2_000, 4_000, 8_000, 16_000])
    expect(waits.at(-1)).toBe(EVERY_MS)
    expect(state.kind).toBe('doubtful')
  })

  test('settles with the first one after they have ended', () => {
    const state = compared(doubtful(11n), moment({ xmin: 10n }))
    expect(compared(state, moment({ xmin: 11n })).kind).toBe('settled')
  })
})

describe('a mirror that fails', () => {
  test.each([0, 0.5, 0.999])('tries again within 61 s, with the random number %d', (random) => {
    for (let times = 0; times < 40; times++) {
      const state = failed(failing(times), { now: 1_000, random, distrustMs: 60_000 })
      expect(state.compareAt - 1_000).toBeGreaterThanOrEqual(500)
      expect(state.compareAt - 1_000).toBeLessThanOrEqual(60_500)
    }
  })

  test('reads no notes, and others do', () => {
    expect(readsNotes(failing(1))).toBe(false)
    expect(readsNotes(doubtful(1n))).toBe(true)
    expect(readsNotes(compared(doubtful(1n), moment()))).toBe(true)
  })

  test('is doubtful after it has compared, because notes may be lost since', () => {
    const state = compared(failing(3), moment())
    expect(state).toEqual({ kind: 'doubtful', since: 20n, attempt: 1, compareAt: 2_000 })
  })

  test('is overdue 60 s after its first failure, however often it has failed since', () => {
    const state = failing(5)
    expect(isOverdue(state, { now: 59_999 })).toBe(false)
    expect(isOverdue(state, { now: 60_000 })).toBe(true)
    const later = distrusted(state, { now: 60_000 })
    expect(isOverdue(later, { now: 69_999 })).toBe(false)
    expect(isOverdue(later, { now: 70_000 })).toBe(true)
    expect(
      isOverdue(failed(later, { now: 61_000, random: 0, distrustMs: 60_000 }), { now: 69_999 }),
    ).toBe(false)
  })

  test('is not overdue once it has compared, and counts anew when it fails again', () => {
    const state = compared(failing(5), moment({ now: 59_000 }))
    expect(isOverdue(state, { now: 100_000 })).toBe(false)
    expect(distrusted(state, { now: 100_000 })).toBe(state)
    const again = failed(state, { now: 100_000, random: 0, distrustMs: 60_000 })
    expect(isOverdue(again, { now: 159_999 })).toBe(false)
    expect(isOverdue(again, { now: 160_000 })).toBe(true)
  })
})

test.each<[State]>([[doubtful(5n)], [failing(2)], [compared(doubtful(5n), moment())]])(
  'in a hurry, the comparison is due at once, and nothing else changes: %o',
  (state) => {
    expect(hurry(state, { now: 77 })).toEqual({ ...state, compareAt: 77 })
  },
)

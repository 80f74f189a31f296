import { expect, test } from 'vitest'
import { shareOut } from './lanes.ts'

test.each([1, 2, 5, 6, 7, 10, 11, 20, 100, 1_000])(
  'DATABASE_POOL=%i is shared out whole, and every lane gets a session',
  (sessions) => {
    const shares: number[] = Object.values({ ...shareOut(sessions) })
    expect(Math.min(...shares)).toBeGreaterThanOrEqual(1)
    expect(shares.reduce((sum, share) => sum + share, 0)).toBe(Math.max(6, sessions))
  },
)

test('the default', () => {
  expect(shareOut(10)).toEqual({
    feed: 1,
    upkeep: 1,
    dials: 1,
    keeping: 2,
    queries: 2,
    commands: 3,
  })
})

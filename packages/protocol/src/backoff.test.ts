import { expect, test } from 'vitest'
import { fullJitter } from './backoff.ts'

const POLICY = { baseMs: 500, capMs: 20_000 }

test('the bound doubles with each attempt, up to the cap, however many attempts', () => {
  const bounds = [0, 1, 2, 5, 6, 1_000].map((attempt) => fullJitter(attempt, POLICY, 1))
  expect(bounds).toEqual([500, 1_000, 2_000, 16_000, 20_000, 20_000])
})

test('waits are spread over the whole range below the bound', () => {
  expect(fullJitter(3, POLICY, 0)).toBe(0)
  expect(fullJitter(3, POLICY, 0.5)).toBe(2_000)
})

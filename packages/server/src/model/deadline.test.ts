import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { within } from './deadline.ts'

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  expect(vi.getTimerCount(), 'timers that are left').toBe(0)
  vi.useRealTimers()
})

test('work that ends in time gives its result, and its failure is thrown', async () => {
  expect(await within(100, Promise.resolve(1))).toBe(1)
  await expect(within(100, Promise.reject(new Error('no')))).rejects.toThrow('no')
})

test('work that is late fails with the time, or gives what the caller says', async () => {
  const never = new Promise<number>(() => undefined)
  const answers = Promise.allSettled([
    within(100, never),
    within(100, never, () => null),
    within(100, never, () => {
      throw new Error('silent')
    }),
  ])
  await vi.advanceTimersByTimeAsync(100)
  expect(await answers).toMatchObject([
    { reason: { message: 'no answer within 100 ms' } },
    { value: null },
    { reason: { message: 'silent' } },
  ])
})

test('a failure of work that is late is not unhandled', async () => {
  const { promise, reject } = Promise.withResolvers<never>()
  const answer = within(100, promise, () => 'late')
  await vi.advanceTimersByTimeAsync(100)
  expect(await answer).toBe('late')
  reject(new Error('too late'))
})

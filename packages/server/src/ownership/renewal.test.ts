import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createLog } from '../log.ts'
import { Renewal } from './renewal.ts'
import type { Renewed } from './renewal.ts'
import type { Database } from '../db/postgres/lane.ts'

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

const TTL_MS = 3_000

test('a lease that a lost answer has renewed after its end counts as ended', async () => {
  const renewals: Renewed[] = []
  let away = false
  const lane = {
    write: () =>
      away ? Promise.reject(new Error('away')) : Promise.resolve({ held: true, others: [] }),
  } as unknown as Database
  const renewal = new Renewal({
    ...{ lane, ownerId: 'me', ttlMs: TTL_MS, version: null },
    log: createLog({ level: 'silent', format: 'json' }),
    onRenewed: (renewed) => renewals.push(renewed),
  })
  renewal.start()
  await vi.advanceTimersByTimeAsync(TTL_MS)
  expect(renewals.map(({ lapsed }) => lapsed)).not.toContain(true)
  away = true
  await vi.advanceTimersByTimeAsync(2 * TTL_MS)
  away = false
  await vi.advanceTimersByTimeAsync(TTL_MS)
  expect(renewals.filter(({ lapsed }) => lapsed)).toEqual([
    { lapsed: true, missed: true, others: [] },
  ])
  await renewal.stop()
})

import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createLog } from '../../log.ts'
import { Heartbeat } from './heartbeat.ts'
import type { Beat } from './heartbeat.ts'
import type { Database } from '../postgres/lane.ts'

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

const TTL_MS = 3_000

test('a lease that a lost answer has renewed after its end counts as ended', async () => {
  const beats: Beat[] = []
  let away = false
  const lane = {
    write: () =>
      away ? Promise.reject(new Error('away')) : Promise.resolve({ held: true, others: [] }),
  } as unknown as Database
  const heartbeat = new Heartbeat({
    ...{ lane, ownerId: 'me', ttlMs: TTL_MS, version: null },
    log: createLog({ level: 'silent', format: 'json' }),
    onBeat: (beat) => beats.push(beat),
  })
  heartbeat.start()
  await vi.advanceTimersByTimeAsync(TTL_MS)
  expect(beats.map(({ lapsed }) => lapsed)).not.toContain(true)
  away = true
  await vi.advanceTimersByTimeAsync(2 * TTL_MS)
  away = false
  await vi.advanceTimersByTimeAsync(TTL_MS)
  expect(beats.filter(({ lapsed }) => lapsed)).toEqual([{ lapsed: true, missed: true, others: [] }])
  await heartbeat.stop()
})

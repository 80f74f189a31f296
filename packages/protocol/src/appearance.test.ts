import { expect, test } from 'vitest'
import { appearance } from './appearance.ts'
import type { Seen } from './appearance.ts'
import { STATUSES } from './connection.ts'
import { REASONS } from './reasons.ts'
import { COMMAND_TIMEOUT_MS, RECONNECT_GRACE_MS } from './timing.ts'

const SINCE = '2026-11-23T19:00:00.000Z'
const SINCE_MS = Date.parse(SINCE)
const CONNECTED: Seen = {
  status: 'connected',
  reason: null,
  desired: 'connected',
  desiredAt: SINCE,
  device: 'unknown',
  since: SINCE,
  generation: 3,
  observedGeneration: 3,
  managed: true,
}

function look(change: Partial<Seen>, afterMs = 60_000): string {
  const { look, tone, attention } = appearance({ ...CONNECTED, ...change }, SINCE_MS + afterMs)
  return `${look} ${tone}${attention ? ' !' : ''}`
}

test('connected is positive, and a warning for the reason subscription_denied or an offline device', () => {
  expect(look({})).toBe('connected positive')
  expect(look({ device: 'online' })).toBe('connected positive')
  expect(look({ device: 'stale' })).toBe('connected positive')
  expect(look({ device: 'offline' })).toBe('connected warning !')
  expect(look({ reason: 'subscription_denied' })).toBe('connected warning !')
})

test('a connection that is connecting or disconnecting has the tone progress', () => {
  expect(look({ status: 'connecting' })).toBe('connecting progress')
  expect(look({ status: 'disconnecting', desired: 'disconnected' })).toBe('disconnecting progress')
})

test('reconnecting becomes lost after the grace, and the appearance has that time', () => {
  const row: Seen = { ...CONNECTED, status: 'reconnecting', reason: 'connection_reset' }
  expect(look(row, RECONNECT_GRACE_MS - 1)).toBe('reconnecting progress')
  expect(look(row, RECONNECT_GRACE_MS)).toBe('lost warning !')
  expect(appearance(row, SINCE_MS).changesAt).toBe(SINCE_MS + RECONNECT_GRACE_MS)
  expect(appearance(row, SINCE_MS + RECONNECT_GRACE_MS).changesAt).toBeNull()
})

test.each(Object.entries(REASONS))(
  'reconnecting for the reason %s (%s) is negative at once if the reason is permanent',
  (reason, kind) => {
    const row: Seen = { ...CONNECTED, status: 'reconnecting', reason }
    const permanent = kind === 'permanent'
    expect(look(row, 0)).toBe(permanent ? 'failed negative !' : 'reconnecting progress')
    expect(look(row, RECONNECT_GRACE_MS)).toBe(permanent ? 'failed negative !' : 'lost warning !')
    expect(appearance(row, SINCE_MS).changesAt === null).toBe(permanent)
  },
)

test('a reason that this version does not know keeps the grace', () => {
  const row: Seen = { ...CONNECTED, status: 'reconnecting', reason: 'toString' }
  expect(look(row, 0)).toBe('reconnecting progress')
})

test('a disconnected row is neutral if it is desired so, and a warning if not', () => {
  expect(look({ status: 'disconnected', desired: 'disconnected' })).toBe('disconnected neutral')
  expect(look({ status: 'disconnected', desired: null })).toBe('disconnected neutral')
  expect(look({ status: 'disconnected' })).toBe('lost warning !')
  expect(look({ status: 'unknown' })).toBe('unknown warning !')
  expect(look({ status: 'unknown', desired: null })).toBe('unknown neutral')
})

test('a failed row is negative and counts as attention', () => {
  expect(look({ status: 'failed', reason: 'bad_credentials' })).toBe('failed negative !')
})

test('a pending command is progress until it is overdue', () => {
  const row: Seen = { ...CONNECTED, status: 'failed', generation: 4 }
  expect(look(row, COMMAND_TIMEOUT_MS - 1)).toBe('failed progress')
  expect(appearance(row, SINCE_MS).changesAt).toBe(SINCE_MS + COMMAND_TIMEOUT_MS)
  expect(look(row, COMMAND_TIMEOUT_MS)).toBe('failed negative !')
})

test('an observed row is never pending, because its writer may not know generations', () => {
  expect(look({ managed: false, generation: 4 }, 0)).toBe('connected positive')
})

test('a status of a newer server is shown as unknown', () => {
  const status = 'hibernating' as Seen['status']
  expect(look({ status })).toBe('unknown warning !')
  expect(look({ status, generation: 4 }, 0)).toBe('unknown progress')
})

test('attention means warning or negative, for every status, wish and moment', () => {
  for (const status of STATUSES) {
    for (const desired of ['connected', 'disconnected', null] as const) {
      for (const afterMs of [0, 29_999, 30_000, 1e9]) {
        const { tone, attention } = appearance(
          { ...CONNECTED, status, desired },
          SINCE_MS + afterMs,
        )
        expect(attention).toBe(tone === 'warning' || tone === 'negative')
      }
    }
  }
})

test.each(['', 'yesterday', '+275760-09-13T00:00:00.001Z'])(
  'a loss with an invalid time ("%s") is lost at once',
  (since) => {
    const { look, changesAt } = appearance(
      { ...CONNECTED, status: 'reconnecting', since },
      SINCE_MS,
    )
    expect([look, changesAt]).toEqual(['lost', null])
  },
)

import { CLOSE_CODES } from '@mqtt-status/protocol'
import { expect, test } from 'vitest'
import { FAILURES, failureOf, troubleOf } from './failures.ts'
import type { Credentials } from './failures.ts'

const ACCEPTED: Credentials = { none: false, held: true, accepted: true }

test('the link retries slowly after refusals that the client has to end, and soon after all other losses', () => {
  for (const [name, code] of Object.entries(CLOSE_CODES))
    expect([name, FAILURES[failureOf(code)].retry]).toEqual([name, code < 4100 ? 'slowly' : 'soon'])
})

test('every close code has the failure of the same name, and every other number has one, too', () => {
  for (const [name, code] of Object.entries(CLOSE_CODES)) expect(failureOf(code)).toBe(name)
  const others = { 1000: 'broken', 1006: 'broken', 1009: 'broken', 3000: 'broken', 4050: 'unknown' }
  for (const [code, name] of Object.entries(others)) expect(failureOf(Number(code))).toBe(name)
  for (const code of [4100, 4199, 4299, 4999, Number.NaN]) expect(failureOf(code)).toBe('broken')
})

test.each([
  ['denied', { none: false, held: false, accepted: false }, 'unauthorized', 'signed_out'],
  ['denied', { none: false, held: true, accepted: true }, 'unauthorized', null],
  ['unauthorized', { none: true, held: false, accepted: false }, 'unauthorized', 'tokenless'],
  ['unauthorized', { none: false, held: true, accepted: false }, 'unauthorized', 'refused'],
  ['unauthorized', { none: false, held: true, accepted: true }, 'unauthorized', null],
  ['token_source', { none: false, held: false, accepted: false }, null, 'token_source'],
  ['broken', ACCEPTED, null, 'unreachable'],
  ['too_many_connections', ACCEPTED, 'unavailable', 'too_many'],
  ['bad_request', ACCEPTED, 'unavailable', 'misunderstood'],
  ['abuse', ACCEPTED, 'unavailable', 'too_fast'],
  ['rate_limited', ACCEPTED, null, 'too_fast'],
  ['server_error', ACCEPTED, null, 'server_error'],
  ['shutdown', ACCEPTED, null, 'restarting'],
] as const)('%s, %j: %s, %s', (failure, credentials, ...[state, cause]) => {
  expect(troubleOf(failure, credentials)).toMatchObject({ state, cause })
})

import type { IncomingMessage } from 'node:http'
import { expect, test } from 'vitest'
import { createAddressOf } from './address.ts'

function request(remoteAddress: string | undefined, forwarded?: string): IncomingMessage {
  return {
    socket: { remoteAddress },
    headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded },
  } as unknown as IncomingMessage
}

test('without trusted proxies a client can not choose its own address', () => {
  const addressOf = createAddressOf([])
  expect(addressOf(request('203.0.113.7', '198.51.100.1'))).toBe('203.0.113.7')
})

test('behind a trusted proxy the forwarded address counts', () => {
  const addressOf = createAddressOf(['10.0.0.0/8'])
  expect(addressOf(request('10.0.0.1', '198.51.100.1'))).toBe('198.51.100.1')
  expect(addressOf(request('10.0.0.1', '198.51.100.1, 10.9.9.9'))).toBe('198.51.100.1')
  // What the caller wrote itself stands before what the proxy has added.
  expect(addressOf(request('10.0.0.1', '1.2.3.4, 198.51.100.1'))).toBe('198.51.100.1')
  expect(addressOf(request('203.0.113.7', '198.51.100.1'))).toBe('203.0.113.7')
})

test('an IPv4-mapped address counts as IPv4, and all addresses of an IPv6 /64 count as one', () => {
  const addressOf = createAddressOf([])
  expect(addressOf(request('::ffff:203.0.113.7'))).toBe('203.0.113.7')
  expect(addressOf(request('2001:db8:1:2::1'))).toBe(addressOf(request('2001:db8:1:2:ffff::9')))
  expect(addressOf(request('2001:db8:1:2::1'))).not.toBe(addressOf(request('2001:db8:1:3::1')))
})

test('all requests without a valid address share one key', () => {
  const addressOf = createAddressOf(['127.0.0.1'])
  expect(addressOf(request(undefined))).toBe('unknown')
  expect(addressOf(request('127.0.0.1', 'nonsense'))).toBe('unknown')
})

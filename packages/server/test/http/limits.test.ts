import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { until } from '@mqtt-status/testing/until'
import { afterEach, expect, test } from 'vitest'
import { mintToken } from '../../src/auth/tokens.ts'
import { Client, House, row } from './house.ts'

let house: House

afterEach(async () => {
  await house.close()
})

const SECRET = { kind: 'secret', secret: 's'.repeat(32) } as const

function token(subject: string): Promise<string> {
  return mintToken(SECRET, {
    subject,
    sites: '*',
    connections: [],
    can: ['view'],
    lifetimeS: 600,
  })
}

function openStream(headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${house.url}/sse/status?all=1`, { headers })
}

async function codeOf(response: Response): Promise<unknown> {
  return ((await response.json()) as { code: unknown }).code
}

/** A socket without any protocol; what it hears is kept. */
async function plain(): Promise<{ socket: Socket; heard: () => string }> {
  const socket = connect(house.port, '127.0.0.1')
  let text = ''
  socket.setEncoding('latin1').on('data', (data: string) => (text += data))
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  return { socket, heard: () => text }
}

test('one socket too many from an address closes with 4009, and a place that is left can be taken', async () => {
  house = await House.open(undefined, { limits: { socketsPerAddress: 2 } })
  const first = await Client.welcomed(house)
  await Client.welcomed(house)
  const third = new Client(house)
  expect(await third.closed).toEqual({ code: 4009, reason: 'too_many_connections' })
  const refused = await openStream()
  expect(refused.status).toBe(429)
  expect(await codeOf(refused)).toBe('too_many_connections')

  first.socket.close()
  await first.closed
  await until(() => house.listening.streams === 1)
  await Client.welcomed(house)
})

test('streams and sockets of an address are counted together', async () => {
  house = await House.open(undefined, { limits: { socketsPerAddress: 1 } })
  const stream = await openStream()
  expect((await new Client(house).closed).code).toBe(4009)
  await stream.body?.cancel()
  await until(() => house.listening.seats === 0)
  await Client.welcomed(house)
})

test('one socket too many with a token closes with 4009, whatever the address; another token has places of its own', async () => {
  house = await House.open(SECRET, { limits: { socketsPerToken: 1 } })
  const [mine, yours] = [await token('me'), await token('you')]
  const client = await Client.welcomed(house, mine)
  const second = new Client(house)
  await second.opened()
  second.say({ type: 'hello', token: mine })
  expect((await second.closed).code).toBe(4009)
  const refused = await openStream({ authorization: `Bearer ${mine}` })
  expect(refused.status).toBe(429)
  await Client.welcomed(house, yours)

  // A new token takes its place with it.
  const renewed = await token('me again')
  client.say({ type: 'auth', token: renewed })
  await client.heard('welcome')
  await Client.welcomed(house, mine)
})

test('an address that knocks too fast is asked to come back later', async () => {
  house = await House.open(undefined, { limits: { handshakesPerAddress: 3 } })
  const clients = Array.from({ length: 4 }, () => new Client(house))
  const closed = await Promise.race(clients.map((client) => client.closed))
  expect(closed).toEqual({ code: 4113, reason: 'rate_limited' })
  const refused = await openStream()
  expect(refused.status).toBe(429)
  expect(refused.headers.get('retry-after')).toBe('1')
  expect(await codeOf(refused)).toBe('rate_limited')
  await until(async () => (await openStream()).ok, { what: 'the second to be over' })
})

test('behind a trusted proxy each forwarded address has places of its own', async () => {
  house = await House.open(undefined, {
    limits: { socketsPerAddress: 1, trustedProxies: ['127.0.0.1'] },
  })
  expect((await openStream({ 'x-forwarded-for': '198.51.100.1' })).status).toBe(200)
  expect((await openStream({ 'x-forwarded-for': '198.51.100.1' })).status).toBe(429)
  expect((await openStream({ 'x-forwarded-for': '198.51.100.2' })).status).toBe(200)
})

test('a flood of messages closes with 4029', async () => {
  house = await House.open()
  const client = await Client.welcomed(house)
  for (let i = 0; i < 1_000; i++) client.say({ type: 'ping' })
  expect(await client.closed).toEqual({ code: 4029, reason: 'abuse' })
})

test('a flood of control frames is cut off before its answers fill the memory', async () => {
  house = await House.open()
  const client = await Client.welcomed(house)
  for (let i = 0; i < 1_000; i++) client.socket.ping()
  expect((await client.closed).code).toBe(1006)
})

test('a handshake that trickles in is cut off, and one that is reset in the middle harms nobody', async () => {
  house = await House.open(undefined, { patience: { headMs: 300 } })
  const slow = await plain()
  slow.socket.write('GET /ws/status HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n')
  const reset = await plain()
  reset.socket.write(
    'GET /ws/status HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  )
  reset.socket.resetAndDestroy()
  await until(() => slow.socket.destroyed, { what: 'the slow one to be cut off' })
  expect(slow.heard()).toMatch(/^HTTP\/1\.1 408 /)
  await Client.welcomed(house)
})

test('an upgrade that is no WebSocket is refused and gives its place back', async () => {
  house = await House.open(undefined, { limits: { socketsPerAddress: 1 } })
  const { socket, heard } = await plain()
  socket.write(
    'GET /ws/status HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: nonsense\r\nConnection: Upgrade\r\n\r\n',
  )
  await until(() => socket.destroyed)
  expect(heard()).toMatch(/^HTTP\/1\.1 4\d\d /)
  await until(() => house.listening.seats === 0)
  await Client.welcomed(house)
})

test('what does not end by itself does not hold up the end', async () => {
  house = await House.open(undefined, { patience: { closeMs: 100 } })
  const half = connect({ port: house.port, host: '127.0.0.1', allowHalfOpen: true })
  half.on('error', () => undefined)
  half.write(
    'GET /else HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
  )
  await once(half, 'data')
  const { socket } = await plain()
  socket.write(
    'POST /api/v1/connections/a/connect HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\n',
  )
  await until(() => socket.bytesWritten > 0)
  const began = performance.now()
  await house.listening.drain(6_000)
  expect(performance.now() - began, 'time is left for others').toBeLessThan(5_900)
  half.destroy()
  socket.destroy()
  house = await House.open()
})

test('HEAD of a stream ends', async () => {
  house = await House.open()
  const response = await fetch(`${house.url}/sse/status`, { method: 'HEAD' })
  expect(response.status).toBe(200)
  expect(house.listening.streams).toBe(0)
})

test('the socket of a stream that has ended serves the next request', async () => {
  house = await House.open(undefined, { patience: { streamMs: [100, 100], closeMs: 100 } })
  house.publish([row('a', 1)])
  const { socket, heard } = await plain()
  socket.write('GET /sse/status?all=1 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')
  await until(() => heard().endsWith('0\r\n\r\n'), { what: 'the end of the stream' })
  expect(heard()).toContain('event: bye')
  socket.write('GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')
  await until(() => heard().includes('{"status":"ok"}'))
  socket.destroy()
})

test('a reader that speaks HTTP/1.0 gets the stream without chunks', async () => {
  house = await House.open()
  house.publish([row('a', 1)])
  const { socket, heard } = await plain()
  socket.write('GET /sse/status?all=1 HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n')
  await until(() => heard().includes('event: snapshot'))
  expect(heard()).not.toMatch(/^[0-9a-f]+\r$/m)
  socket.destroy()
})

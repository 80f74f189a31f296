import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { FaultProxy } from '@mqtt-status/testing/fault-proxy'
import { until } from '@mqtt-status/testing/until'
import { afterEach, expect, test } from 'vitest'
import { mintToken } from '../../src/auth/tokens.ts'
import { Client, House, row } from './house.ts'

let house: House

afterEach(async () => {
  await house.close()
})

const SECRET = { kind: 'secret', maxTtlS: 604_800, secret: 's'.repeat(32) } as const

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

/** A plain TCP socket that keeps all bytes of the server. */
async function plain(): Promise<{ socket: Socket; heard: () => string }> {
  const socket = connect(house.port, '127.0.0.1')
  let text = ''
  socket.setEncoding('latin1').on('data', (data: string) => (text += data))
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  return { socket, heard: () => text }
}

test('one socket too many from an address closes with 4009, and a client can take a place that another one has left', async () => {
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

test('an address that opens streams too fast gets Retry-After', async () => {
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

test('the server closes a handshake that arrives too slowly, and one that is reset in the middle harms no other client', async () => {
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

test('a request or handshake that does not end does not delay a shutdown', async () => {
  house = await House.open(undefined, { patience: { closeMs: 100 } })
  const half = connect({ port: house.port, host: '127.0.0.1', allowHalfOpen: true })
  half.on('error', () => undefined)
  half.write(
    'GET /else HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
  )
  await once(half, 'data')
  const { socket } = await plain()
  socket.write(
    'POST /api/v1/connections/query HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\n',
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

const CROWD = 64

/** Living clients behind a proxy of their own, which can cut them off silently. */
async function crowd(
  count: number,
  jwt?: string,
): Promise<{ proxy: FaultProxy; clients: Client[] }> {
  const proxy = await FaultProxy.start(house.port)
  const through = { port: proxy.port } as House
  const clients = await Promise.all(
    Array.from({ length: count }, () => Client.welcomed(through, jwt)),
  )
  return { proxy, clients }
}

test.each(['token', 'address'] as const)(
  '64 sockets whose network is gone lose their places when their %s opens new ones',
  async (counted) => {
    const limits = counted === 'token' ? { socketsPerToken: CROWD } : { socketsPerAddress: CROWD }
    house = await House.open(SECRET, {
      heartbeatMs: 25_000,
      limits: { handshakesPerAddress: 0, ...limits },
      patience: { pongMs: 600, closeMs: 100 },
    })
    const jwt = await token('me')
    const { proxy } = await crowd(CROWD, jwt)
    // The proxy swallows everything and closes nothing.
    proxy.mode = 'drop'
    const comers = await Promise.all(Array.from({ length: 5 }, () => Client.welcomed(house, jwt)))
    await until(() => house.listening.streams === comers.length, { what: 'the dead to be gone' })
    expect(comers.every(({ socket }) => socket.readyState === socket.OPEN)).toBe(true)
    await proxy.stop()
  },
)

test('sockets whose peers answer keep their places, and one socket more is refused', async () => {
  house = await House.open(SECRET, {
    limits: { handshakesPerAddress: 0, socketsPerToken: 8 },
    patience: { pongMs: 600 },
  })
  const jwt = await token('me')
  const { proxy, clients } = await crowd(8, jwt)
  const ninth = new Client(house)
  await ninth.opened()
  ninth.say({ type: 'hello', token: jwt })
  expect((await ninth.closed).code).toBe(4009)
  expect(clients.every(({ socket }) => socket.readyState === socket.OPEN)).toBe(true)
  await proxy.stop()
})

test('of dead and living sockets only the dead lose their places', async () => {
  house = await House.open(SECRET, {
    limits: { handshakesPerAddress: 0, socketsPerToken: 8 },
    patience: { pongMs: 600, closeMs: 100 },
  })
  const jwt = await token('me')
  const dead = await crowd(3, jwt)
  const living = await crowd(5, jwt)
  dead.proxy.mode = 'drop'
  await Client.welcomed(house, jwt)
  await until(() => house.listening.streams === 6)
  expect(living.clients.every(({ socket }) => socket.readyState === socket.OPEN)).toBe(true)
  await Promise.all([dead.proxy.stop(), living.proxy.stop()])
})

test('a client that closes its connection while it waits for a place keeps none', async () => {
  house = await House.open(SECRET, {
    limits: { handshakesPerAddress: 0, socketsPerAddress: 1 },
    patience: { pongMs: 1_000, closeMs: 100 },
  })
  const { proxy } = await crowd(1, await token('me'))
  proxy.mode = 'drop'
  const { taken } = proxy
  const leaving = await plain()
  leaving.socket.write(
    'GET /ws/status HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  )
  await until(() => proxy.taken > taken, { what: 'the server to ask for a sign of life' })
  leaving.socket.resetAndDestroy()
  await until(() => house.listening.seats === 0, { what: 'all places to be free' })
  expect(leaving.heard(), 'it has gone before there was a place').toBe('')
  await proxy.stop()
})

test('the oldest stream makes room after a heartbeat, with a bye that lets its reader return', async () => {
  house = await House.open(SECRET, {
    heartbeatMs: 300,
    limits: { handshakesPerAddress: 0, socketsPerToken: 2 },
    patience: { closeMs: 100 },
  })
  const headers = { authorization: `Bearer ${await token('me')}` }
  const proxy = await FaultProxy.start(house.port)
  const stream = (port: number): Promise<Response> =>
    fetch(`http://127.0.0.1:${port}/sse/status?all=1`, { headers })
  const oldest = await stream(house.port)
  await stream(proxy.port)
  proxy.mode = 'drop'
  // No stream that is younger than a heartbeat is ended.
  const refused = await stream(house.port)
  expect(refused.status).toBe(429)
  expect(refused.headers.get('retry-after')).toBe('60')
  expect(await codeOf(refused)).toBe('too_many_connections')
  await until(async () => (await stream(house.port)).ok, { what: 'a place' })
  expect(await oldest.text()).toContain('"code":4201')
  await proxy.stop()
})

test('a stream whose reader takes nothing loses its place, and one that reads keeps it', async () => {
  house = await House.open(undefined, {
    limits: { handshakesPerAddress: 0, socketsPerAddress: 2 },
    patience: { pongMs: 4_000, closeMs: 100 },
  })
  // Many times what two kernels buffer, so that bytes stay with the server.
  house.publish(
    Array.from({ length: 4_000 }, (_, i) => row(`r${i}`, 1, { detail: 'x'.repeat(4_000) })),
  )
  const idle = await plain()
  idle.socket.write('GET /sse/status?all=1 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')
  await until(() => idle.heard().includes('event: snapshot'))
  idle.socket.pause()
  const first = (await openStream()).text()
  const second = await openStream()
  expect(second.status).toBe(200)
  const texts = [first, second.text()]
  await until(() => house.listening.streams === 2, { what: 'the idle stream to be cut off' })
  expect((await openStream()).status, 'both living streams are younger than a heartbeat').toBe(429)
  await house.listening.drain(3_000)
  for (const text of await Promise.all(texts)) expect(text).toContain('"code":4200')
  idle.socket.destroy()
  house = await House.open()
})

test('polls take no place, and are answered while all are taken', async () => {
  house = await House.open(undefined, { limits: { socketsPerAddress: 1 } })
  await Client.welcomed(house)
  const polls = await Promise.all(
    Array.from({ length: 20 }, () =>
      fetch(`${house.url}/api/v1/connections/query`, { method: 'POST', body: '{"all":true}' }),
    ),
  )
  expect(polls.map(({ status }) => status)).toEqual(polls.map(() => 200))
  expect(house.listening.seats).toBe(1)
})

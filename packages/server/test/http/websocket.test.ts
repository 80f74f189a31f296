import { once } from 'node:events'
import { connect } from 'node:net'
import { until } from '@mqtt-status/testing/until'
import { SignJWT } from 'jose'
import { afterEach, expect, test, vi } from 'vitest'
import { OPEN } from '../../src/auth/scope.ts'
import { mintToken } from '../../src/auth/tokens.ts'
import { createLog } from '../../src/log.ts'
import { Client, House, row } from './house.ts'

const SECRET = {
  kind: 'secret',
  maxTtlS: 604_800,
  secret: 'a secret of at least thirty-two bytes',
} as const

let house: House

afterEach(async () => {
  vi.useRealTimers()
  await house.close()
})

function token(
  can: ('view' | 'control')[] = ['view'],
  sites: string[] = ['s1'],
  lifetimeS = 600,
): Promise<string> {
  return mintToken(SECRET, { subject: 'me', sites, connections: [], can, lifetimeS })
}

test('the server answers hello with welcome, answers a watch, and pushes a change', async () => {
  house = await House.open()
  house.publish([row('a', 1)])
  const client = new Client(house)
  await client.opened()
  client.say({ type: 'hello', client: { name: 'test', version: '1' }, extra: 'ignored' })
  expect(await client.heard('welcome')).toMatchObject({
    epoch: 'e1',
    heartbeatMs: 25_000,
    commandTimeoutMs: 15_000,
    expiresAt: null,
    can: ['view', 'control', 'manage'],
    limits: { watch: 1_000 },
  })
  client.say({ type: 'watch', id: 1, connections: ['a', 'nope'] })
  expect(await client.heard('snapshot')).toMatchObject({ id: 1, missing: ['nope'], final: true })
  house.publish([row('a', 2, { status: 'failed' })])
  expect(await client.heard('patch')).toMatchObject({
    connections: [{ id: 'a', revision: 2, status: 'failed' }],
  })
  client.socket.close()
})

test('the welcome and the answer to a query name the words of a scope that are not known', async () => {
  house = await House.open(SECRET)
  const sign = (scope: string): Promise<string> =>
    new SignJWT({ sites: '*', scope, exp: Math.floor(Date.now() / 1_000) + 60 })
      .setProtectedHeader({ alg: 'HS256' })
      .sign(new TextEncoder().encode(SECRET.secret))
  const welcome = async (scope: string): Promise<object> => {
    const client = new Client(house)
    await client.opened()
    client.say({ type: 'hello', token: await sign(scope) })
    return client.heard('welcome')
  }
  const queried = async (scope: string): Promise<unknown> => {
    const headers = { authorization: `Bearer ${await sign(scope)}` }
    return (await fetch(`${house.url}/api/v1/connections`, { headers })).json()
  }
  const unknown = {
    can: [],
    unknownScope: ['read', 'write'],
    notice: expect.stringContaining('lacks the word "view"') as string,
  }
  expect(await welcome('read write')).toMatchObject(unknown)
  expect(await queried('read write')).toMatchObject(unknown)
  expect(await welcome('view')).not.toHaveProperty('unknownScope')
  expect(await queried('view')).not.toHaveProperty('unknownScope')
  expect(await welcome('view')).not.toHaveProperty('notice')
  expect(await queried('view')).not.toHaveProperty('notice')
})

test('a token in milliseconds is refused with the reason', async () => {
  house = await House.open(SECRET)
  const jwt = await new SignJWT({ sites: '*', exp: Date.now() + 60_000 })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(new TextEncoder().encode(SECRET.secret))
  const headers = { authorization: `Bearer ${jwt}` }
  const response = await fetch(`${house.url}/api/v1/connections`, { headers })
  expect([response.status, await response.json()]).toMatchObject([
    401,
    { code: 'unauthorized', detail: expect.stringContaining('milliseconds') as string },
  ])
  const client = new Client(house)
  await client.opened()
  client.say({ type: 'hello', token: jwt })
  expect(await client.closed).toEqual({ code: 4001, reason: 'unauthorized' })
})

test('messages that arrive before the welcome are handled in order after it', async () => {
  house = await House.open(SECRET)
  house.publish([row('a', 1)])
  const client = new Client(house)
  await client.opened()
  client.say({ type: 'hello', token: await token() })
  client.say({ type: 'watch', id: 1, connections: ['a'] })
  client.say({ type: 'unwatch', connections: ['a'] })
  client.say({ type: 'watch', id: 2, sites: ['s1'] })
  await client.heard('snapshot')
  await client.heard('snapshot')
  expect(client.messages.map(({ type }) => type)).toEqual(['welcome'])
  client.socket.close()
})

test('a cursor is resumed on another socket by what changed meanwhile', async () => {
  house = await House.open()
  house.publish([row('a', 1), row('b', 2)])
  const first = await Client.welcomed(house)
  first.say({ type: 'watch', id: 1, all: true })
  const { cursor } = await first.heard('snapshot')
  first.socket.close()
  house.publish([row('b', 3)])
  const second = await Client.welcomed(house)
  second.say({ type: 'watch', id: 1, all: true, cursor })
  expect(await second.heard('patch')).toMatchObject({
    id: 1,
    connections: [{ id: 'b' }],
    final: true,
  })
  second.socket.close()
})

test('a trailing slash and no subprotocol are fine', async () => {
  house = await House.open()
  const client = await Client.welcomed(house, undefined, { path: '/ws/status/', protocol: '' })
  client.socket.close()
})

test('an unknown type is ignored, ping is answered', async () => {
  house = await House.open()
  const client = await Client.welcomed(house)
  client.say({ type: 'dance' })
  client.say({ type: 'constructor' })
  client.say({ type: 'ping' })
  await client.heard('pong')
  client.socket.close()
})

test.each([
  ['malformed JSON', '{"type":'],
  ['a message that is no object', '7'],
  ['a known type with bad fields', { type: 'watch', connections: 'a' }],
  ['a second hello', { type: 'hello' }],
  ['a binary frame', Buffer.from('{"type":"ping"}')],
])('%s closes with 4000', async (_, message) => {
  house = await House.open()
  const client = await Client.welcomed(house)
  client.socket.send(
    Buffer.isBuffer(message) || typeof message === 'string' ? message : JSON.stringify(message),
  )
  expect(await client.closed).toEqual({ code: 4000, reason: 'bad_request' })
})

test('anything but hello first closes with 4000', async () => {
  house = await House.open()
  const client = new Client(house)
  await client.opened()
  client.say({ type: 'watch', all: true })
  expect((await client.closed).code).toBe(4000)
})

test('an oversized message closes with 1009', async () => {
  house = await House.open()
  const client = await Client.welcomed(house)
  client.say({
    type: 'watch',
    connections: Array.from({ length: 9_000 }, (_, i) => `connection-${i}`),
  })
  expect((await client.closed).code).toBe(1009)
})

test('a message in fragments is one message', async () => {
  house = await House.open()
  const client = await Client.welcomed(house)
  client.socket.send('{"type":', { fin: false })
  client.socket.send('"ping"}', { fin: true })
  await client.heard('pong')
  client.socket.close()
})

test('the log names the session and the client of a message that the server can not handle', async () => {
  const lines: string[] = []
  house = await House.open(undefined, {
    verify: (token) =>
      token === null ? Promise.resolve(OPEN) : Promise.reject(new Error('no answer')),
    log: createLog({ level: 'error', format: 'json' }, { write: (line) => lines.push(line) }),
  })
  const client = new Client(house)
  await client.opened()
  client.say({ type: 'hello', client: { name: 'widgets', version: '1.2.3' } })
  const { session } = await client.heard('welcome')
  client.say({ type: 'auth', token: 'secret-token' })
  expect(await client.closed).toEqual({ code: 4150, reason: 'server_error' })
  expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
    { session, client: 'widgets', clientVersion: '1.2.3' },
  ])
  expect(lines.join()).not.toContain('secret-token')
})

test('no hello in time closes with 4151', async () => {
  house = await House.open({ kind: 'open' }, { patience: { helloMs: 50 } })
  expect(await new Client(house).closed).toEqual({ code: 4151, reason: 'hello_timeout' })
})

test('only unknown subprotocols close with 4006', async () => {
  house = await House.open()
  expect(await new Client(house, { protocol: 'mqtt-status.v9' }).closed).toEqual({
    code: 4006,
    reason: 'version',
  })
})

test('a missing or bad token closes with 4001', async () => {
  house = await House.open(SECRET)
  for (const hello of [{ type: 'hello' }, { type: 'hello', token: 'garbage' }]) {
    const client = new Client(house)
    await client.opened()
    client.say(hello)
    expect(await client.closed).toEqual({ code: 4001, reason: 'unauthorized' })
  }
})

test('an origin or a host that is not allowed closes with 4003 and says which', async () => {
  house = await House.open(SECRET)
  expect(await new Client(house, { origin: 'https://evil.example' }).closed).toEqual({
    code: 4003,
    reason: 'origin_not_allowed',
  })
  await house.close()
  house = await House.open()
  expect(await new Client(house, { host: 'rebound.example' }).closed).toEqual({
    code: 4003,
    reason: 'host_not_allowed',
  })
})

test('in open mode a foreign page may view rows, without the text of the broker, and send no command', async () => {
  house = await House.open()
  house.publish([row('a', 1)])
  const client = new Client(house, { origin: 'null' })
  await client.opened()
  client.say({ type: 'hello' })
  expect((await client.heard('welcome')).can).toEqual(['view'])
  client.say({ type: 'watch', id: 1, all: true })
  expect(await client.heard('snapshot')).toMatchObject({
    connections: [{ detail: null, desiredBy: null }],
  })
  client.socket.close()
})

test('auth replaces the token on the open socket: rows that it does not cover are removed, new ones arrive', async () => {
  house = await House.open(SECRET)
  house.publish([row('a', 1), row('b', 2, { siteId: 's2' })])
  const client = await Client.welcomed(house, await token(['view'], ['s1']))
  client.say({ type: 'watch', id: 1, all: true })
  expect(await client.heard('snapshot')).toMatchObject({ connections: [{ id: 'a' }] })
  client.say({ type: 'auth', token: await token(['view', 'control'], ['s2']) })
  expect((await client.heard('welcome')).can).toEqual(['view', 'control'])
  expect(await client.heard('patch')).toMatchObject({ removed: [{ id: 'a', revision: 1 }] })
  expect(await client.heard('patch')).toMatchObject({
    connections: [{ id: 'b', detail: 'talk of the broker' }],
  })
  client.say({ type: 'auth', token: 'garbage' })
  expect((await client.closed).code).toBe(4001)
})

test('the server sends expiring before a token ends', async () => {
  house = await House.open(SECRET)
  const client = await Client.welcomed(house, await token(['view'], ['s1'], 30))
  expect(Date.parse((await client.heard('expiring')).expiresAt)).toBeLessThan(Date.now() + 31_000)
  client.socket.close()
})

test('a token that has ended closes with 4101, whatever else is due at that moment', async () => {
  house = await House.open(SECRET)
  const client = await Client.welcomed(house, await token(['view'], ['s1'], 60))
  vi.useFakeTimers({ toFake: ['Date'] })
  vi.setSystemTime(Date.now() + 60_000 + 30_000 + 1_000)
  expect(await client.closed).toEqual({ code: 4101, reason: 'token_expired' })
  vi.useRealTimers()
  const other = await Client.welcomed(house, await token())
  other.socket.close()
})

test('pings have the cursor, and the server closes a client that does not answer', async () => {
  house = await House.open(
    { kind: 'open' },
    { heartbeatMs: 100, patience: { pongMs: 100, closeMs: 100 } },
  )
  const lively = await Client.welcomed(house)
  lively.socket.on('message', () => {
    lively.say({ type: 'pong' })
  })
  const dead = await Client.welcomed(house)
  expect((await lively.heard('ping')).cursor).toMatch(/^e1\.\d+\./)
  expect((await dead.closed).code).toBe(4109)
  await lively.heard('ping')
  lively.socket.close()
})

test('the server finds a silent client although it pings more often than the time for an answer', async () => {
  house = await House.open(
    { kind: 'open' },
    { heartbeatMs: 100, patience: { pongMs: 300, closeMs: 100 } },
  )
  const pinging = await Client.welcomed(house)
  const pings = setInterval(() => {
    pinging.socket.ping()
  }, 50)
  const dead = await Client.welcomed(house)
  expect((await dead.closed).code).toBe(4109)
  expect(pinging.socket.readyState).toBe(pinging.socket.OPEN)
  clearInterval(pings)
  pinging.socket.close()
})

test('a token that claims to last for ever is refused', async () => {
  house = await House.open(SECRET)
  const client = new Client(house)
  await client.opened()
  client.say({ type: 'hello', token: await token(['view'], ['s1'], 1e15) })
  expect(await client.closed).toEqual({ code: 4001, reason: 'unauthorized' })
})

test('a cursor may be any text', async () => {
  house = await House.open()
  const client = await Client.welcomed(house)
  client.say({ type: 'watch', id: 1, all: true, cursor: 'x'.repeat(1_000) })
  await client.heard('snapshot')
  client.socket.close()
})

test('a shutdown says bye with a window and closes with 4200', async () => {
  house = await House.open()
  const client = await Client.welcomed(house)
  await house.listening.drain(3_000)
  expect(await client.closed).toEqual({ code: 4200, reason: 'shutdown' })
  expect(client.messages.at(-1)).toEqual({
    type: 'bye',
    code: 4200,
    reason: 'shutdown',
    reconnectAfterMs: [800, 2_000],
  })
  house = await House.open()
})

test('a client that never reads harms no other client and can be shut down', async () => {
  house = await House.open({ kind: 'open' }, { patience: { closeMs: 200 } })
  const stuck = await Client.welcomed(house)
  stuck.say({ type: 'watch', all: true })
  await stuck.heard('snapshot')
  stuck.socket.pause()
  const lively = await Client.welcomed(house)
  lively.say({ type: 'watch', all: true })
  await lively.heard('snapshot')
  for (let revision = 1; revision <= 200; revision++) {
    house.publish(
      Array.from({ length: 20 }, (_, i) => row(`c${i}`, revision, { name: 'x'.repeat(2_000) })),
    )
    await new Promise((resolve) => setImmediate(resolve))
  }
  await until(() =>
    lively.messages.some(
      (message) =>
        message.type === 'patch' &&
        message.connections.some(({ id, revision }) => id === 'c0' && revision === 200),
    ),
  )
  lively.socket.close()
})

test.each([
  [
    'a reset in the middle of the upgrade',
    'GET /ws/status HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n',
  ],
  [
    'a handshake without a key',
    'GET /ws/status HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
  ],
  [
    'an upgrade of another path',
    'GET /else HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
  ],
  ['no HTTP at all', '\x10\x20garbage\r\n\r\n'],
])('the server continues after %s', async (_, bytes) => {
  house = await House.open()
  const socket = connect(house.port, '127.0.0.1')
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  socket.write(bytes)
  socket.resetAndDestroy()
  const client = await Client.welcomed(house)
  client.socket.close()
})

test('garbage after the handshake closes that socket only', async () => {
  house = await House.open()
  const client = await Client.welcomed(house)
  ;(client.socket as unknown as { _socket: NodeJS.WritableStream })._socket.write(
    'not a frame at all',
  )
  await client.closed
  const other = await Client.welcomed(house)
  other.socket.close()
})

/** An upgrade that the server does not speak is ignored (RFC 9110, 7.8), and a handshake with a mistake is refused in words. */
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { promisify } from 'node:util'
import { until } from '@mqtt-status/testing/until'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { mintToken } from '../../src/auth/tokens.ts'
import { Client, House, row } from './house.ts'
import { RawConnection } from './raw.ts'
import type { RawAnswer } from './raw.ts'

const SECRET = {
  kind: 'secret',
  maxTtlS: 604_800,
  secret: 'a secret of at least thirty-two bytes',
} as const

let house: House
let bearer: string
const open: RawConnection[] = []

beforeEach(async () => {
  house = await House.open(SECRET)
  house.publish([row('a', 1)])
  const token = await mintToken(SECRET, {
    ...{ subject: 'me', sites: '*' as const, connections: [] },
    ...{ can: ['view' as const, 'control' as const], lifetimeS: 600 },
  })
  bearer = `Authorization: Bearer ${token}`
})

afterEach(async () => {
  for (const connection of open.splice(0)) connection.close()
  await house.close()
})

function connection(): RawConnection {
  const made = new RawConnection(house.port)
  open.push(made)
  return made
}

const UPGRADES: readonly (readonly string[])[] = [
  // curl --http2 and the client of Java 11 and later.
  ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAEAAEAAAAIAAAAB'],
  ['Connection: Upgrade', 'Upgrade: TLS/1.0'],
  ['Connection: upgrade', 'Upgrade: foo'],
  ['Connection: keep-alive, Upgrade', 'Upgrade: foo/2, bar'],
  ['connection:Upgrade', 'upgrade:h2c', 'Connection: keep-alive'],
  ['Connection: Upgrade', 'Upgrade: websockets'],
  ['Connection: Upgrade', 'Upgrade:'],
]

const QUERY = '{"connections":["a"]}'

interface Route {
  readonly line: string
  readonly status: number
  readonly body?: string
}

const ROUTES: readonly Route[] = [
  { line: 'GET /healthz', status: 200 },
  { line: 'HEAD /healthz', status: 200 },
  { line: 'GET http://status.example.com/readyz', status: 200 },
  { line: 'GET /widgets/mqtt-status.js', status: 200 },
  { line: 'GET /', status: 200 },
  { line: 'GET /api/v1/connections', status: 200 },
  { line: 'GET /api/v1/connections/a', status: 200 },
  { line: 'POST /api/v1/connections/query', status: 200, body: QUERY },
  { line: 'POST /api/v1/connections/a/else', status: 404, body: QUERY },
  { line: 'OPTIONS /api/v1/connections', status: 204 },
  { line: 'GET /else', status: 404 },
  { line: 'GET /sse/status?all=1', status: 200 },
  { line: 'POST /sse/status', status: 200, body: QUERY },
  { line: 'GET /ws/status', status: 426 },
]

/** Asks, and reads no further than the head where the answer never ends. */
async function ask(
  asking: RawConnection,
  { line, body = '' }: Pick<Route, 'line' | 'body'>,
  headers: readonly string[],
): Promise<RawAnswer> {
  const length = body === '' ? [] : [`Content-Length: ${body.length}`]
  asking.send([`${line} HTTP/1.1`, 'Host: a', bearer, ...headers, ...length], body)
  return asking.answer({ head: line.startsWith('HEAD') || line.includes('/sse/') })
}

describe.each(UPGRADES.map((headers) => ({ headers })))('$headers', ({ headers }) => {
  test.each(ROUTES)('$line is answered as if it had not asked', async (route) => {
    const plain = await ask(connection(), route, [])
    const asking = connection()
    const answer = await ask(asking, route, headers)
    expect(answer.status).toBe(route.status)
    expect(timeless(answer)).toEqual(timeless(plain))
    if (route.line.includes('/sse/') || route.status === 426) return
    // The connection goes on: its next request may ask for another upgrade, or for none.
    expect((await ask(asking, { line: 'GET /healthz' }, headers)).body).toBe('{"status":"ok"}')
    expect((await ask(asking, { line: 'GET /healthz' }, [])).body).toBe('{"status":"ok"}')
  })
})

function timeless({ status, headers: { date: _date, ...headers }, body }: RawAnswer): RawAnswer {
  return { status, headers, body: body.replace(/"now":"[^"]*"/, '') }
}

test('a body that comes later, or in chunks, is read although the head asked for an upgrade', async () => {
  for (const chunked of [false, true]) {
    const asking = connection()
    const length = chunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${QUERY.length}`
    const head = ['POST /api/v1/connections/query HTTP/1.1', 'Host: a', bearer, length]
    asking.send([...head, 'Connection: Upgrade', 'Upgrade: h2c'])
    await once(asking.socket, 'connect')
    for (const letter of QUERY) asking.socket.write(chunked ? `1\r\n${letter}\r\n` : letter)
    if (chunked) asking.socket.write('0\r\n\r\n')
    expect((await asking.answer()).body).toContain('"id":"a"')
  }
})

test('requests behind one that asked for an upgrade are answered in order', async () => {
  const asking = connection()
  const lines = ['Host: a', 'Connection: Upgrade', 'Upgrade: h2c', '', '']
  const paths = ['/healthz', '/else', '/readyz']
  asking.socket.write(paths.map((path) => [`GET ${path} HTTP/1.1`, ...lines].join('\r\n')).join(''))
  const statuses = []
  for (let count = 0; count < 3; count++) statuses.push((await asking.answer()).status)
  expect(statuses).toEqual([200, 404, 200])
})

test('HTTP/1.0 has no upgrades', async () => {
  const asking = connection()
  asking.send(['GET /healthz HTTP/1.0', 'Connection: Upgrade', 'Upgrade: websocket'])
  expect((await asking.answer()).body).toBe('{"status":"ok"}')
  const socket = connection()
  socket.send(['GET /ws/status HTTP/1.0', 'Host: a', ...HANDSHAKE])
  expect((await socket.answer()).status).toBe(426)
})

const KEY = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='
const VERSION = 'Sec-WebSocket-Version: 13'
const HANDSHAKE = ['Connection: Upgrade', 'Upgrade: websocket', KEY, VERSION]
const PATH = 'GET /ws/status HTTP/1.1'

test.each([
  { name: 'nothing', lines: [PATH], status: 426 },
  {
    name: 'an Upgrade that Connection does not name',
    lines: [PATH, 'Upgrade: websocket', KEY, VERSION],
    status: 426,
  },
  {
    name: 'no key',
    lines: [PATH, 'Connection: Upgrade', 'Upgrade: websocket', VERSION],
    status: 400,
  },
  {
    name: 'a short key',
    lines: [PATH, 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Key: eA==', VERSION],
    status: 400,
  },
  {
    name: 'no version',
    lines: [PATH, 'Connection: Upgrade', 'Upgrade: websocket', KEY],
    status: 426,
  },
  {
    name: 'a future version',
    lines: [PATH, 'Connection: Upgrade', 'Upgrade: websocket', KEY, 'Sec-WebSocket-Version: 99'],
    status: 426,
  },
  {
    name: 'a malformed subprotocol',
    lines: [PATH, ...HANDSHAKE, 'Sec-WebSocket-Protocol: a,,b'],
    status: 400,
  },
  { name: 'POST', lines: ['POST /ws/status HTTP/1.1', ...HANDSHAKE], status: 404 },
  { name: 'another path', lines: ['GET /ws/else HTTP/1.1', ...HANDSHAKE], status: 404 },
  { name: 'the path of health', lines: ['GET /healthz HTTP/1.1', ...HANDSHAKE], status: 200 },
])('a handshake with $name is answered with $status', async ({ lines, status }) => {
  const asking = connection()
  asking.send([...lines, 'Host: a'])
  const answer = await asking.answer()
  expect(answer.status).toBe(status)
  if (status === 200) return
  expect(answer.headers['content-type']).toBe('application/problem+json')
  expect(JSON.parse(answer.body)).toMatchObject({ status })
  if (status !== 426) return
  expect(answer.headers).toMatchObject({
    upgrade: 'websocket',
    connection: 'Upgrade, close',
    'sec-websocket-version': '13',
  })
})

test.each([
  'GET /ws/status HTTP/1.1',
  'GET /ws/status/ HTTP/1.1',
  'GET /ws/status?v=1 HTTP/1.1',
  'GET http://status.example.com/ws/status HTTP/1.1',
])('%s opens a socket, also where WebSocket is one offer of several', async (line) => {
  for (const offer of ['websocket', 'WebSocket', 'h2c, websocket', 'websocket, foo/1']) {
    const asking = connection()
    asking.send([
      line,
      'Host: a',
      'Connection: keep-alive, Upgrade',
      `Upgrade: ${offer}`,
      KEY,
      VERSION,
    ])
    expect((await asking.answer()).status).toBe(101)
    asking.close()
  }
  await until(() => house.listening.streams === 0)
})

test('a refused handshake gives its place back', async () => {
  await house.close()
  house = await House.open(undefined, { limits: { socketsPerAddress: 1 } })
  for (let attempt = 0; attempt < 3; attempt++) {
    const asking = connection()
    asking.send([PATH, 'Host: 127.0.0.1', 'Connection: Upgrade', 'Upgrade: websocket', VERSION])
    expect((await asking.answer()).status).toBe(400)
    await until(() => house.listening.seats === 0)
  }
  await Client.welcomed(house)
})

test('upgrades do not hold up the end', async () => {
  const asking = connection()
  await ask(asking, { line: 'GET /healthz' }, ['Connection: Upgrade', 'Upgrade: h2c'])
  await house.listening.drain(60_000)
  await until(() => asking.socket.closed)
  house = await House.open(SECRET)
})

test('curl --http2 gets its answers, with and without a body', async () => {
  const url = `http://127.0.0.1:${house.port}`
  const curl = async (...args: string[]): Promise<string> =>
    (await promisify(execFile)('curl', ['-s', '--http2', '-H', bearer, ...args])).stdout
  expect(await curl(`${url}/healthz`)).toBe('{"status":"ok"}')
  expect(await curl('-d', QUERY, `${url}/api/v1/connections/query`)).toContain('"id":"a"')
})

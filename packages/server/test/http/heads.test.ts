/** Heads of requests in every form that RFC 9110 and 9112 allow, and in those that they forbid. */
import { once } from 'node:events'
import { until } from '@mqtt-status/testing/until'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { mintToken } from '../../src/auth/tokens.ts'
import { PATIENCE } from '../../src/http/context.ts'
import { serverOptions } from '../../src/http/listen.ts'
import { House, row } from './house.ts'
import { RawConnection } from './raw.ts'
import type { RawAnswer } from './raw.ts'

const SECRET = {
  kind: 'secret',
  maxTtlS: 604_800,
  secret: 'a secret of at least thirty-two bytes',
} as const

let house: House
let token: string
const open: RawConnection[] = []

beforeEach(async () => {
  house = await House.open(SECRET)
  house.publish([row('a', 1)])
  token = await mintToken(SECRET, {
    ...{ subject: 'me', sites: '*', connections: [] },
    ...{ can: ['view', 'control'], lifetimeS: 600 },
  })
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

async function ask(lines: readonly string[], body = ''): Promise<RawAnswer> {
  const asking = connection()
  asking.send(lines, body)
  return asking.answer({ head: lines[0]?.startsWith('HEAD ') ?? false })
}

const HEALTH = ['/healthz', '/readyz', '/healthz/', '/readyz/', '/healthz?probe=1'] as const
const HOSTS = [
  { name: 'no Host', lines: [] },
  { name: 'an empty Host', lines: ['Host:'] },
  { name: 'a loopback Host', lines: ['Host: 127.0.0.1:8001'] },
  { name: 'a name', lines: ['Host: status.example.com'] },
  { name: 'an address of IPv6', lines: ['Host: [0:0:0:0:0:0:0:1]:8001'] },
  { name: 'a name that is none', lines: ['Host: a b/c'] },
  { name: 'two Hosts', lines: ['Host: a', 'Host: b'] },
] as const

describe.each(['1.0', '1.1'])('HTTP/%s', (version) => {
  test.each(HOSTS.flatMap((host) => HEALTH.map((path) => ({ path, ...host }))))(
    'GET and HEAD $path with $name are answered: a probe knows no better',
    async ({ path, lines }) => {
      const get = await ask([`GET ${path} HTTP/${version}`, ...lines])
      expect([get.status, Object.keys(JSON.parse(get.body) as object)[0]]).toEqual([200, 'status'])
      expect((await ask([`HEAD ${path} HTTP/${version}`, ...lines])).status).toBe(200)
    },
  )

  test('without authentication health is answered without Host, and nothing else is', async () => {
    await house.close()
    house = await House.open()
    expect((await ask([`GET /healthz HTTP/${version}`])).status).toBe(200)
    expect((await ask([`GET /readyz HTTP/${version}`])).status).toBe(200)
    expect((await ask([`OPTIONS / HTTP/${version}`])).status).toBe(204)
    const preflight = [`OPTIONS / HTTP/${version}`, 'Origin: https://evil.example', 'Host: evil']
    expect((await ask(preflight)).status).toBe(403)
    for (const path of ['/', '/api/v1/connections', '/sse/status?all=1'])
      expect((await ask([`GET ${path} HTTP/${version}`])).status).toBe(
        version === '1.0' ? 403 : 400,
      )
  })
})

// A load balancer may probe another path than /healthz.
test.each([
  { host: [], version: '1.0', status: 200 },
  { host: ['Host:'], version: '1.0', status: 200 },
  { host: ['Host:'], version: '1.1', status: 200 },
  { host: ['Host: status.example.com'], version: '1.0', status: 200 },
  { host: ['Host: status.example.com:443'], version: '1.1', status: 200 },
  { host: ['Host: my_container:8001'], version: '1.1', status: 200 },
  { host: ['Host: 127.1'], version: '1.1', status: 200 },
  { host: ['Host: [::1]:8001'], version: '1.1', status: 200 },
  { host: ['Host: [0:0:0:0:0:0:0:1]'], version: '1.1', status: 200 },
  { host: [], version: '1.1', status: 400 },
  { host: ['Host: a', 'Host: b'], version: '1.1', status: 400 },
  { host: ['Host: a', 'host: a'], version: '1.0', status: 400 },
  { host: ['Host: a b'], version: '1.1', status: 400 },
  { host: ['Host: a/b'], version: '1.1', status: 400 },
  { host: ['Host: me@a'], version: '1.1', status: 400 },
  { host: ['Host: a:b'], version: '1.1', status: 400 },
  { host: ['Host: [::1'], version: '1.1', status: 400 },
  { host: ['Host: caf\u00e9'], version: '1.1', status: 400 },
])('HTTP/$version with $host is answered with $status', async ({ host, version, status }) => {
  const authorization = `Authorization: Bearer ${token}`
  for (const path of ['/api/v1/connections', '/api/v1/connections/a', '/sse/status?all=1']) {
    const asking = connection()
    asking.send([`GET ${path} HTTP/${version}`, ...host, authorization])
    const { status: found, headers } = await asking.answer({ head: true })
    expect([path, found]).toEqual([path, status])
    if (status === 400) expect(headers['content-type']).toBe('application/problem+json')
  }
})

test.each([
  ['GET http://127.0.0.1/healthz HTTP/1.1', 200],
  ['GET http://status.example.com:8001/healthz/ HTTP/1.0', 200],
  ['GET https://status.example.com/readyz?x HTTP/1.1', 200],
  ['HEAD HTTP://status.example.com/healthz HTTP/1.1', 200],
  ['GET http://status.example.com HTTP/1.1', 200],
  ['GET http://status.example.com?x HTTP/1.1', 200],
  ['GET http://status.example.com/else HTTP/1.1', 404],
  ['GET http://me@status.example.com/ HTTP/1.1', 400],
  ['GET http://status.example.com/api/v1/connections HTTP/1.1', 401],
  ['GET http://status.example.com/sse/status?all=1 HTTP/1.1', 401],
  ['GET http://status.example.com/ws/status HTTP/1.1', 426],
  ['OPTIONS * HTTP/1.1', 204],
  ['OPTIONS * HTTP/1.0', 204],
  ['GET * HTTP/1.1', 200],
  ['GET /a\\b HTTP/1.1', 400],
  ['GET /a/../healthz HTTP/1.1', 200],
  ['GET /%zz HTTP/1.1', 404],
])('the server answers the target of %s with %i', async (line, status) => {
  expect((await ask([line, 'Host: other.example.com'])).status).toBe(status)
})

test('the host of an absolute target counts, and not the header', async () => {
  await house.close()
  house = await House.open()
  const api = '/api/v1/connections HTTP/1.1'
  const foreign = await ask([`GET http://evil.example${api}`, 'Host: 127.0.0.1'])
  const own = await ask([`GET http://127.0.0.1:8001${api}`, 'Host: evil.example'])
  expect([foreign.status, own.status]).toEqual([403, 200])
})

const GETS = [
  ...['/', '/healthz', '/readyz', '/widgets/mqtt-status.js', '/api/v1/connections'],
  ...['/api/v1/connections/a', '/sse/status?all=1', '/ws/status', '/else', '/api/v1/connections/b'],
]

test.each(GETS)('HEAD %s has the status and the headers of GET, and no body', async (path) => {
  const lines = [`HTTP/1.1`, 'Host: a', `Authorization: Bearer ${token}`]
  const answers: RawAnswer[] = []
  for (const method of ['GET', 'HEAD']) {
    const asking = connection()
    asking.send([`${method} ${path} ${lines[0] ?? ''}`, ...lines.slice(1)])
    answers.push(await asking.answer({ head: true }))
    if (method === 'HEAD') {
      // The next answer on the same connection begins where the head has ended.
      asking.send(['GET /healthz HTTP/1.1', 'Host: a'])
      if (answers[1]?.headers['connection'] !== 'Upgrade, close')
        expect((await asking.answer()).body).toBe('{"status":"ok"}')
    }
  }
  const [get, head] = answers
  expect(head?.status).toBe(get?.status)
  expect(head?.headers['content-type']).toBe(get?.headers['content-type'])
  expect(head?.headers['cache-control']).toBe(get?.headers['cache-control'])
})

const COMMAND = 'POST /api/v1/connections/query'
const WANTED = '{"connections":["a"]}'

test.each([
  { name: 'a length', lines: [`Content-Length: ${WANTED.length}`], body: WANTED },
  {
    name: 'chunks',
    lines: ['Transfer-Encoding: chunked'],
    body: `5\r\n${WANTED.slice(0, 5)}\r\n${(WANTED.length - 5).toString(16)}\r\n${WANTED.slice(5)}\r\n0\r\n\r\n`,
  },
  {
    name: 'a length, to be closed afterwards',
    lines: [`Content-Length: ${WANTED.length}`, 'Connection: close'],
    body: WANTED,
  },
])('a body with $name is read', async ({ lines, body }) => {
  for (const version of ['1.0', '1.1']) {
    // HTTP/1.0 has no chunked encoding.
    if (version === '1.0' && lines[0] === 'Transfer-Encoding: chunked') continue
    const head = [`${COMMAND} HTTP/${version}`, 'Host: a', `Authorization: Bearer ${token}`]
    const answer = await ask([...head, ...lines], body)
    expect([answer.status, answer.body.includes('"id":"a"')]).toEqual([200, true])
  }
})

test('a chunked body that is too long is refused before it is complete', async () => {
  const asking = connection()
  const piece = `1000\r\n${'x'.repeat(4_096)}\r\n`
  asking.send(
    [
      `${COMMAND} HTTP/1.1`,
      'Host: a',
      `Authorization: Bearer ${token}`,
      'Transfer-Encoding: chunked',
    ],
    piece.repeat(17),
  )
  expect((await asking.answer()).status).toBe(413)
})

test('Expect: 100-continue is answered at once, and the body is read then', async () => {
  const asking = connection()
  const head = [`${COMMAND} HTTP/1.1`, 'Host: a', `Authorization: Bearer ${token}`]
  asking.send([...head, `Content-Length: ${WANTED.length}`, 'Expect: 100-continue'])
  expect((await asking.answer()).status).toBe(100)
  asking.socket.write(WANTED)
  expect((await asking.answer()).status).toBe(200)
  asking.send(['GET /healthz HTTP/1.1', 'Host: a', 'Expect: something else'])
  expect((await asking.answer()).status).toBe(417)
})

test('Connection: close closes, and otherwise a connection is used again', async () => {
  for (const version of ['1.0', '1.1']) {
    const asking = connection()
    asking.send([`GET /healthz HTTP/${version}`, 'Host: a', 'Connection: close'])
    expect((await asking.answer()).headers['connection']).toBe('close')
    await until(() => asking.socket.closed)
    const keeping = connection()
    for (const attempt of [1, 2, 3]) {
      keeping.send([`GET /healthz HTTP/${version}`, 'Host: a', 'Connection: keep-alive'])
      const { headers } = await keeping.answer()
      expect([attempt, headers['connection'], headers['keep-alive']]).toEqual([
        ...[attempt, 'keep-alive', 'timeout=75'],
      ])
    }
  }
})

test('requests that are sent one after the other without waiting are answered in order', async () => {
  const asking = connection()
  const lines = ['Host: a', `Authorization: Bearer ${token}`]
  asking.send(['GET /healthz HTTP/1.1', ...lines])
  asking.send(['GET /else HTTP/1.1', ...lines])
  asking.send(['GET /api/v1/connections/a HTTP/1.1', ...lines])
  const statuses = []
  for (let count = 0; count < 3; count++) statuses.push((await asking.answer()).status)
  expect(statuses).toEqual([200, 404, 200])
})

test('the server keeps idle connections longer than proxies do, and waits for heads longer still', () => {
  const { keepAliveTimeout, headersTimeout, requestTimeout } = serverOptions(PATIENCE)
  expect(keepAliveTimeout).toBe(75_000)
  expect(headersTimeout).toBeGreaterThan(keepAliveTimeout ?? 0)
  expect(requestTimeout).toBeGreaterThan(headersTimeout ?? 0)
})

test('the server closes an idle connection after its time, and no event stream', async () => {
  await house.close()
  house = await House.open(SECRET, { patience: { idleMs: 200 }, heartbeatMs: 150 })
  const stream = connection()
  const lines = ['Host: a', `Authorization: Bearer ${token}`]
  stream.send(['GET /sse/status?all=1 HTTP/1.1', ...lines])
  const idle = connection()
  idle.send(['GET /healthz HTTP/1.1', ...lines])
  await idle.answer()
  await until(() => idle.socket.closed, { what: 'the idle connection to be closed' })
  const heard = stream.received.length
  await until(() => stream.received.length > heard, { what: 'the stream to go on' })
  expect(stream.socket.closed).toBe(false)
})

test('a shutdown closes idle connections at once, also those that become idle meanwhile', async () => {
  const checks = new Set<() => void>()
  await house.close()
  house = await House.open(SECRET, {
    check: () =>
      new Promise((resolve) => {
        checks.add(() => {
          resolve({ ok: true, reason: null, tookMs: 1 })
        })
      }),
  })
  const idle = connection()
  idle.send(['GET /healthz HTTP/1.1', 'Host: a'])
  await idle.answer()
  house.publish([row('a', 1)])
  const busy = connection()
  const head = ['POST /api/v1/connections/a/check HTTP/1.1', 'Host: a']
  busy.send([...head, `Authorization: Bearer ${token}`, 'Content-Length: 0'])
  await until(() => checks.size > 0)
  const drained = house.listening.drain(60_000)
  await once(idle.socket, 'close')
  for (const answer of checks) answer()
  await drained
  house = await House.open(SECRET)
})

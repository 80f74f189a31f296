import { request } from 'node:http'
import { afterEach, expect, test } from 'vitest'
import { mintToken } from '../../src/auth/tokens.ts'
import { listen } from '../../src/http/listen.ts'
import { House, row } from './house.ts'

const SECRET = {
  kind: 'secret',
  maxTtlS: 604_800,
  secret: 'a secret of at least thirty-two bytes',
} as const

let house: House

afterEach(async () => {
  await house.close()
})

function get(path: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${house.url}${path}`, { headers })
}

function post(
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(`${house.url}${path}`, {
    method: 'POST',
    headers,
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
}

async function problem(response: Response): Promise<unknown> {
  expect(response.headers.get('content-type')).toBe('application/problem+json')
  const body = (await response.json()) as { status: number; code: string }
  expect(body.status).toBe(response.status)
  return `${body.status} ${body.code}`
}

test('the broker of a connection that is only observed can not be asked for a sign of life', async () => {
  house = await House.open()
  house.publish([row('a', 1, { managed: false, status: 'connected' })])
  expect(await problem(await post('/api/v1/connections/a/check'))).toBe('409 not_controllable')
})

test('a query returns the rows once, with the capabilities of the caller', async () => {
  house = await House.open()
  house.publish([row('a', 1), row('b', 2, { siteId: 's2' })])
  const all = await get('/api/v1/connections/')
  expect(all.headers.get('cache-control')).toBe('no-store')
  expect(await all.json()).toMatchObject({
    type: 'snapshot',
    connections: [{ id: 'a' }, { id: 'b' }],
    missing: [],
    final: true,
    can: ['view', 'control', 'manage'],
  })
  expect(await (await get('/api/v1/connections?sites=s2&connections=nope')).json()).toMatchObject({
    connections: [{ id: 'b' }],
    missing: ['nope'],
  })
  expect(
    await (await post('/api/v1/connections/query', { connections: ['a'] })).json(),
  ).toMatchObject({
    connections: [{ id: 'a' }],
  })
  expect(await (await get('/api/v1/connections/a')).json()).toMatchObject({ id: 'a', revision: 1 })
})

test('a query with a cursor returns the changes since', async () => {
  house = await House.open()
  house.publish([row('a', 1)])
  const { cursor } = (await (await get('/api/v1/connections')).json()) as { cursor: string }
  house.publish([row('b', 2)])
  expect(await (await get(`/api/v1/connections?cursor=${cursor}`)).json()).toMatchObject({
    type: 'patch',
    connections: [{ id: 'b' }],
    removed: [],
  })
})

test('a query returns one page after the other', async () => {
  house = await House.open()
  house.publish(['a', 'b', 'c'].map((id, i) => row(id, i + 1)))
  const first = (await (await get('/api/v1/connections?limit=2')).json()) as Record<string, unknown>
  expect(first).toMatchObject({ connections: [{ id: 'a' }, { id: 'b' }], final: false, next: 'b' })
  expect(first['cursor']).toBeDefined()
  const second = (await (await get('/api/v1/connections?limit=2&after=b')).json()) as Record<
    string,
    unknown
  >
  expect(second).toMatchObject({ connections: [{ id: 'c' }], final: true })
  expect(second['cursor']).toBeUndefined()
  const posted = await post('/api/v1/connections/query', { sites: ['s1'], limit: 2, after: 'b' })
  expect(await posted.json()).toMatchObject({ connections: [{ id: 'c' }], final: true })
})

test('the problem for bad input names the field', async () => {
  house = await House.open()
  expect(await problem(await get('/api/v1/connections?limit=0'))).toBe('400 bad_request')
  expect(await problem(await get('/api/v1/connections?all=perhaps'))).toBe('400 bad_request')
  expect(await problem(await post('/api/v1/connections/query', '{'))).toBe('400 bad_request')
  expect(await problem(await post('/api/v1/connections/query', []))).toBe('400 bad_request')
  expect(await problem(await post('/api/v1/connections/query', { sites: 's1' }))).toBe(
    '422 validation',
  )
  expect(await problem(await post('/api/v1/connections/query', 'x'.repeat(70_000)))).toBe(
    '413 payload_too_large',
  )
  const many = Array.from({ length: 1_001 }, (_, i) => `c${i}`)
  expect(await problem(await post('/api/v1/connections/query', { connections: many }))).toBe(
    '400 limit_watch',
  )
  expect(await problem(await get('/nowhere'))).toBe('404 not_found')
  expect(await problem(await get('/api/v1/connections/nope'))).toBe('404 not_found')
})

test('the server passes a command on with its key and answers 202', async () => {
  house = await House.open()
  house.publish([row('a', 1)])
  house.commandResult = {
    kind: 'accepted',
    connection: row('a', 2, { generation: 2 }),
    generation: 2,
  }
  const response = await post('/api/v1/connections/a/disconnect', undefined, {
    'idempotency-key': 'k1',
  })
  expect(response.status).toBe(202)
  expect(await response.json()).toMatchObject({
    generation: 2,
    timeoutMs: 15_000,
    connection: { id: 'a', revision: 2 },
  })
  expect(house.commands).toEqual([
    { id: 'a', siteId: 's1', action: 'disconnect', actor: null, idempotencyKey: 'k1' },
  ])
})

test('a command that the row does not allow is refused with its code', async () => {
  house = await House.open()
  house.publish([row('a', 1)])
  expect(await problem(await post('/api/v1/connections/nope/connect'))).toBe('404 not_found')
  expect(await problem(await post('/api/v1/connections/a/dance'))).toBe('404 not_found')
  house.commandResult = { kind: 'not_controllable' }
  expect(await problem(await post('/api/v1/connections/a/connect'))).toBe('409 not_controllable')
  house.commandResult = { kind: 'no_reconnect', table: 'shop.links' }
  expect(await problem(await post('/api/v1/connections/a/reconnect'))).toBe('409 no_reconnect')
  house.commandResult = { kind: 'idempotency_conflict' }
  expect(await problem(await post('/api/v1/connections/a/reconnect'))).toBe(
    '409 idempotency_conflict',
  )
  const key = { 'idempotency-key': 'k'.repeat(201) }
  expect(await problem(await post('/api/v1/connections/a/connect', undefined, key))).toBe(
    '400 bad_request',
  )
})

test('no token is 401, a row that the token does not cover is 404, a token without control is 403', async () => {
  house = await House.open(SECRET)
  house.publish([row('a', 1), row('b', 2, { siteId: 's2' })])
  const jwt = await mintToken(SECRET, {
    subject: 'me',
    sites: ['s1'],
    connections: [],
    can: ['view'],
    lifetimeS: 60,
  })
  const authorization = `Bearer ${jwt}`
  const refused = await get('/api/v1/connections')
  expect(refused.headers.get('www-authenticate')).toBe('Bearer')
  expect(await problem(refused)).toBe('401 unauthorized')
  expect(await (await get('/api/v1/connections', { authorization })).json()).toMatchObject({
    connections: [{ id: 'a', detail: null }],
  })
  expect(
    await problem(await post('/api/v1/connections/b/connect', undefined, { authorization })),
  ).toBe('404 not_found')
  expect(
    await problem(await post('/api/v1/connections/a/connect', undefined, { authorization })),
  ).toBe('403 forbidden')
  expect(house.commands).toEqual([])
})

test('the server admits pages of allowed origins, and no others', async () => {
  house = await House.open(SECRET)
  const preflight = await fetch(`${house.url}/api/v1/connections/a/connect`, {
    method: 'OPTIONS',
    headers: { origin: 'https://portal.example.com', 'access-control-request-method': 'POST' },
  })
  expect(preflight.status).toBe(204)
  expect(preflight.headers.get('access-control-allow-origin')).toBe('https://portal.example.com')
  expect(preflight.headers.get('access-control-allow-headers')).toContain('Idempotency-Key')
  const foreign = await get('/api/v1/connections', { origin: 'https://evil.example' })
  expect(foreign.headers.get('access-control-allow-origin')).toBeNull()
  expect(await problem(foreign)).toBe('403 origin_not_allowed')
  // A refusal has to be readable for the page that it is meant for.
  const known = await get('/api/v1/connections', { origin: 'https://portal.example.com' })
  expect(known.headers.get('access-control-allow-origin')).toBe('https://portal.example.com')
  expect(await problem(known)).toBe('401 unauthorized')
})

test('in open mode a foreign page may view, but send no command', async () => {
  house = await House.open()
  house.publish([row('a', 1)])
  const origin = { origin: 'https://elsewhere.example' }
  const looked = await get('/api/v1/connections', origin)
  expect(looked.headers.get('access-control-allow-origin')).toBe(origin.origin)
  expect(await looked.json()).toMatchObject({ can: ['view'], connections: [{ detail: null }] })
  expect(await problem(await post('/api/v1/connections/a/connect', undefined, origin))).toBe(
    '403 forbidden',
  )
})

test('in open mode a foreign host name is refused', async () => {
  house = await House.open()
  const status = await new Promise((resolve, reject) => {
    const options = {
      port: house.port,
      host: '127.0.0.1',
      path: '/api/v1/connections',
      headers: { host: 'evil.example' },
    }
    request(options, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
      .on('error', reject)
      .end()
  })
  expect(status).toBe(403)
})

test('health needs no token; readiness says why the node is not ready', async () => {
  house = await House.open(SECRET)
  const health = await get('/healthz', { origin: 'https://other.example' })
  expect([health.status, health.headers.get('access-control-allow-origin')]).toEqual([200, '*'])
  expect((await get('/readyz')).status).toBe(200)
  house.unready.push('the database can not be read')
  const unready = await get('/readyz')
  expect(unready.status).toBe(503)
  expect(await unready.json()).toEqual({
    status: 'not ready',
    reasons: ['the database can not be read'],
  })
})

test('pages of any origin may load the bundle, and revalidate it', async () => {
  house = await House.open(SECRET)
  const first = await get('/widgets/mqtt-status.js', { origin: 'https://other.example' })
  expect(first.status).toBe(200)
  expect(Object.fromEntries(first.headers)).toMatchObject({
    'content-type': 'text/javascript; charset=utf-8',
    'access-control-allow-origin': '*',
    'cross-origin-resource-policy': 'cross-origin',
    'cache-control': 'no-cache',
  })
  const etag = first.headers.get('etag') ?? ''
  expect((await get('/widgets/mqtt-status.js', { 'if-none-match': etag })).status).toBe(304)
})

test('the error for a bundle that is not built says so', async () => {
  house = await House.open(
    { kind: 'open' },
    { widgets: { file: new URL('nowhere.js', import.meta.url) } },
  )
  const response = await get('/widgets/mqtt-status.js')
  expect(response.status).toBe(404)
  expect(await response.text()).toContain('pnpm build')
})

test('a base path goes in front of everything', async () => {
  house = await House.open({ kind: 'open' }, { basePath: '/mqtt/' })
  expect(house.url).toMatch(/\/mqtt$/)
  expect((await get('/healthz')).status).toBe(200)
  expect((await get('/')).status).toBe(200)
  const outside = await fetch(`http://127.0.0.1:${house.port}/healthz`)
  expect(outside.status).toBe(404)
  expect(await outside.text()).toContain('answers below /mqtt/ only, because BASE_PATH says so')
})

test.each([
  [{ kind: 'open' }, 'src="/mqtt/widgets/mqtt-status.js">', false],
  [SECRET, 'src="/mqtt/widgets/mqtt-status.js" data-token-src="/mqtt-token">', true],
] as const)(
  'the page of the server offers a script tag with a token source where the server asks for tokens: %j',
  async (auth, tag, asks) => {
    house = await House.open(auth, { basePath: '/mqtt/' })
    const html = await (await get('/')).text()
    expect(html).toContain(`&lt;script type="module" ${tag}`)
    expect(html.includes('docs/tokens.md')).toBe(asks)
    expect(html).toContain('ALLOWED_ORIGINS')
  },
)

test('an endpoint behind a prefix that the server does not know names BASE_PATH', async () => {
  house = await House.open()
  const answer = await get('/mqtt/widgets/mqtt-status.js')
  expect(answer.status).toBe(404)
  expect(await answer.text()).toContain('Let BASE_PATH name the whole prefix')
})

test('the error for a port in use names it', async () => {
  house = await House.open()
  const options = {
    host: '127.0.0.1',
    port: house.port,
    basePath: '/',
    hub: house.hub,
    widgets: { file: new URL('nowhere.js', import.meta.url) },
  } as Parameters<typeof listen>[0]
  await expect(
    listen({ ...options, heartbeatMs: 1_000, callers: { open: true, allowedOrigins: [] } }),
  ).rejects.toThrow(new RegExp(`Port ${house.port} .* in use`))
})

test('a query is paged by its body too, and counts what its summary names', async () => {
  house = await House.open()
  house.publish([row('a', 1), row('b', 2, { status: 'failed' }), row('c', 3, { siteId: 's2' })])
  const ask = async (body: unknown): Promise<Record<string, unknown>> =>
    (await (await post('/api/v1/connections/query', body)).json()) as Record<string, unknown>
  const first = await ask({ all: true, limit: 2, summary: ['*', 's2'] })
  expect(first).toMatchObject({ final: false, next: 'b' })
  expect(first['summaries']).toMatchObject([
    { site: '*', total: 3, counts: { connected: 2, failed: 1 }, attention: 1 },
    { site: 's2', total: 1 },
  ])
  expect(await ask({ all: true, limit: 2, after: 'b' })).toMatchObject({ final: true })
  expect(await ask({ summary: ['*'] })).toMatchObject({ connections: [] })
})

/** The configurations of docs/reverse-proxies.md, as they stand there, run by the real proxies with TLS on a sub-path. */
import { once } from 'node:events'
import { request } from 'node:https'
import type { IncomingMessage, RequestOptions } from 'node:http'
import { Authority } from '@mqtt-status/testing/certificates'
import { freePort } from '@mqtt-status/testing/free-port'
import { createDatabase } from '@mqtt-status/testing/postgres'
import type { TestDatabase } from '@mqtt-status/testing/postgres'
import { ReverseProxy } from '@mqtt-status/testing/reverse-proxy'
import { until } from '@mqtt-status/testing/until'
import { WebSocket } from 'ws'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ServerProcess } from '../e2e/world.ts'
import { block } from '../samples/documented.ts'
import { PROXIES } from './proxy-programs.ts'
import type { DocumentedProxy } from './proxy-programs.ts'

const SECRET = 'a-secret-of-at-least-thirty-two-bytes'
const HEARTBEAT_MS = 300

let database: TestDatabase
let server: ServerProcess
let token: string
let ca: string
let certificate: { cert: string; key: string }

beforeAll(async () => {
  database = await createDatabase()
  await database.sql`insert into connections (id, site_id, name) values ('plant-7', 's1', 'Impianto 7')`
  const settings = {
    DATABASE_URL: database.url,
    BASE_PATH: '/mqtt-status/',
    TRUSTED_PROXIES: '127.0.0.1',
    AUTH_JWT_SECRET: SECRET,
    SOCKETS_PER_ADDRESS: '2',
    HEARTBEAT_MS: String(HEARTBEAT_MS),
  }
  server = await ServerProcess.prepare(settings)
  server.spawn()
  await until(async () => (await fetch(`${server.url}/mqtt-status/readyz`)).ok, {
    what: 'the server to be ready',
    timeoutMs: 20_000,
  })
  const args = ['token', '--sub', 'me', '--sites', '*', '--scope', 'view,control']
  token = (await ServerProcess.run(args, { AUTH_JWT_SECRET: SECRET })).trim()
  const authority = await Authority.create()
  ca = authority.cert
  certificate = await authority.sign()
})

afterAll(async () => {
  await server?.end('SIGTERM')
  await database?.drop()
})

describe.each(PROXIES)('behind $name, as documented', (program) => {
  let proxy: ReverseProxy
  let port: number

  beforeAll(async () => {
    port = await freePort()
    proxy = await start(program, port)
  })

  afterAll(async () => {
    await proxy?.stop()
  })

  test('health and the script of the widgets are served below the sub-path', async () => {
    await until(async () => (await get(port, '/mqtt-status/readyz')).statusCode === 200)
    const script = await get(port, '/mqtt-status/widgets/mqtt-status.js')
    expect(script.statusCode).toBe(200)
    expect(script.headers['content-type']).toContain('text/javascript')
    script.destroy()
  })

  test("a page of the portal's own origin is let in, and a foreign one is not", async () => {
    const api = '/mqtt-status/api/v1/connections'
    const headers = { authorization: `Bearer ${token}` }
    const own = await get(port, api, {
      headers: { ...headers, origin: `https://localhost:${port}` },
    })
    const foreign = await get(port, api, {
      headers: { ...headers, origin: 'https://evil.example' },
    })
    expect([own.statusCode, foreign.statusCode]).toEqual([200, 403])
  })

  test('a WebSocket opens, gets the row, its changes and the pings of an idle line', async () => {
    const socket = await openSocket(port, '127.0.0.2')
    await until(() => socket.messages.some(({ type }) => type === 'snapshot'))
    const name = `Impianto ${program.name}`
    await database.sql`update connections set name = ${name} where id = 'plant-7'`
    await until(() => JSON.stringify(socket.messages).includes(name), { what: 'the change' })
    const pings = socket.pings()
    await until(() => socket.pings() >= pings + 3, { what: 'three heartbeats' })
    socket.close()
  })

  test('an event stream arrives event by event, also for a client that accepts compression', async () => {
    const response = await get(port, '/mqtt-status/sse/status?connections=plant-7', {
      headers: { authorization: `Bearer ${token}`, 'accept-encoding': 'gzip, br' },
    })
    let text = ''
    response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
    await until(() => text.includes('event: snapshot'), { what: 'the snapshot' })
    expect(response.headers['content-encoding']).toBeUndefined()
    for (const step of [1, 2, 3]) {
      const name = `Impianto ${program.name} ${step}`
      await database.sql`update connections set name = ${name} where id = 'plant-7'`
      await until(() => text.includes(name), { what: `change ${step}` })
    }
    response.destroy()
  })

  test('a command passes, with its body and its key', async () => {
    const headers = { authorization: `Bearer ${token}`, 'idempotency-key': `via-${program.name}` }
    const path = '/mqtt-status/api/v1/connections/plant-7/disconnect'
    const answer = await get(port, path, { method: 'POST', headers })
    expect(answer.statusCode).toBe(202)
  })

  test('limits count the client behind the proxy, whatever it claims to be', async () => {
    const opened = await Promise.all([
      openSocket(port, '127.0.0.3', { 'x-forwarded-for': '203.0.113.1' }),
      openSocket(port, '127.0.0.3', { 'x-forwarded-for': '203.0.113.2' }),
    ])
    const third = await openSocket(port, '127.0.0.3', { 'x-forwarded-for': '203.0.113.3' })
    await until(() => third.closed() === 4009, { what: 'the third socket to be refused' })
    const neighbour = await openSocket(port, '127.0.0.4')
    await until(() => neighbour.messages.some(({ type }) => type === 'snapshot'))
    for (const socket of [...opened, third, neighbour]) socket.close()
  })
})

async function start(program: DocumentedProxy, port: number): Promise<ReverseProxy> {
  const documented = block('docs/reverse-proxies.md', program.fence)
  const config = program
    .listen(documented, port)
    .replaceAll('portal.example.com', 'localhost')
    .replaceAll('127.0.0.1:8001', new URL(server.url).host)
  const files = (folder: string) => ({
    ...program.files(folder, config.replaceAll(/\/etc\/(ssl|haproxy)\//g, `${folder}/`)),
    'portal.crt': certificate.cert,
    'portal.key': certificate.key,
    'portal.pem': `${certificate.cert}\n${certificate.key}`,
  })
  return ReverseProxy.start({ ...program, files }, config, port)
}

/** The response when its head is there; the caller reads or destroys the body. */
async function get(
  port: number,
  path: string,
  options: RequestOptions = {},
): Promise<IncomingMessage> {
  const call = request({ host: 'localhost', port, path, ca, agent: false, ...options })
  call.end()
  const [response] = (await once(call, 'response')) as [IncomingMessage]
  response.on('error', () => undefined).resume()
  return response
}

interface OpenSocket {
  readonly messages: { readonly type: string }[]
  pings(): number
  closed(): number | null
  close(): void
}

/** A WebSocket from an address of the loopback range, with its first two messages sent. */
async function openSocket(
  port: number,
  localAddress: string,
  headers: Record<string, string> = {},
): Promise<OpenSocket> {
  const socket = new WebSocket(`wss://localhost:${port}/mqtt-status/ws/status`, 'mqtt-status.v1', {
    ca,
    localAddress,
    headers: { ...headers, origin: `https://localhost:${port}` },
    family: 4,
  })
  const messages: { type: string }[] = []
  let code: number | null = null
  socket.on('message', (data) => {
    messages.push(JSON.parse((data as Buffer).toString('utf8')) as { type: string })
  })
  socket.on('close', (value) => (code = value))
  await once(socket, 'open')
  socket.send(JSON.stringify({ type: 'hello', token }))
  socket.send(JSON.stringify({ type: 'watch', id: 1, connections: ['plant-7'] }))
  return {
    messages,
    pings: () => messages.filter(({ type }) => type === 'ping').length,
    closed: () => code,
    close: () => {
      socket.terminate()
    },
  }
}

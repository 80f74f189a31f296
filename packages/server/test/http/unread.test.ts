/** Peers that send every message and every request, and read nothing: what they can make the server hold. */
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { until } from '@mqtt-status/testing/until'
import { afterEach, expect, test } from 'vitest'
import { mintToken } from '../../src/auth/tokens.ts'
import type { ListenOptions } from '../../src/http/listen.ts'
import { Client, House, row } from './house.ts'
import { RawConnection } from './raw.ts'

const MIB = 1024 * 1024
const ROWS = 20_000
const SECRET = { kind: 'secret', maxTtlS: 604_800, secret: 's'.repeat(32) } as const

let house: House

afterEach(async () => {
  await house.close()
})

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** The memory that objects and buffers take. */
function used(): number {
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

async function fleet(options: Partial<ListenOptions> = {}, detail = ''): Promise<void> {
  house = await House.open(SECRET, options)
  house.publish(
    Array.from({ length: ROWS }, (_, i) => row(`plant-${i}`, 1, { siteId: `s${i % 9}`, detail })),
  )
}

function token(sites: readonly string[] | '*'): Promise<string> {
  return mintToken(SECRET, {
    ...{ subject: 'me', sites, connections: [], can: ['view', 'control'], lifetimeS: 600 },
  })
}

type Attack = (round: number, tokens: readonly string[]) => unknown

/** What a client can send without end. */
const MESSAGES: Readonly<Record<string, Attack>> = {
  'the same watch of everything': (id) => ({ type: 'watch', id, all: true }),
  'a watch of all sites': (id) => ({ type: 'watch', id, sites: ['s1', 's2', 's3', 's4'] }),
  'watches with different cursors': (id) => ({
    ...{ type: 'watch', id, all: true, cursor: `e1.${id % 100}.x` },
  }),
  'watches of different rows': (id) => ({ type: 'watch', id, connections: [`plant-${id % 900}`] }),
  'a watch with a thousand names': (id) => ({
    ...{ type: 'watch', id, connections: Array.from({ length: 1_000 }, (_, i) => `plant-${i}`) },
  }),
  'a watch that repeats one name': (id) => ({
    ...{ type: 'watch', id, summary: Array.from({ length: 1_000 }, () => '*') },
  }),
  'a watch over the limit': (id) => ({
    ...{ type: 'watch', id, sites: Array.from({ length: 2_000 }, (_, i) => `s${i}`) },
  }),
  'watch and unwatch': (id) => ({
    ...{ type: id % 2 === 0 ? 'watch' : 'unwatch', all: true, summary: ['*'] },
  }),
  'two tokens alternately': (round, tokens) => ({ type: 'auth', token: tokens[round % 2] }),
  ping: () => ({ type: 'ping' }),
}

test.each(Object.entries(MESSAGES))(
  'a socket that sends %s two thousand times and reads nothing takes less than 24 MiB',
  async (_name, attack) => {
    // A tick of 10 ms counts messages anew, so that the limit of messages stops no attack.
    await fleet({ patience: { closeMs: 50 } })
    const tokens = await Promise.all([token('*'), token(['s1'])])
    const client = await Client.welcomed(house, tokens[0])
    client.say({ type: 'watch', id: 1, all: true })
    await until(() => client.messages.some((one) => one.type === 'snapshot' && one.final))
    client.messages.length = 0
    client.socket.pause()
    const before = used()
    for (let round = 2; round < 2_002 && client.socket.readyState === client.socket.OPEN;) {
      for (let i = 0; i < 100; i++) client.say(attack(round++, tokens))
      await new Promise((resolve) => setTimeout(resolve, 10))
      if (house.listening.streams === 0) break
    }
    expect((used() - before) / MIB).toBeLessThan(24)
    client.socket.terminate()
  },
)

test('equal watches are answered once with all rows, and each gets its last part', async () => {
  await fleet()
  const client = await Client.welcomed(house, await token('*'))
  const ids = Array.from({ length: 100 }, (_, i) => i + 1)
  for (const id of ids) client.say({ type: 'watch', id, all: true })
  const answers = (): number[] =>
    client.messages.flatMap((one) =>
      (one.type === 'snapshot' || one.type === 'patch') && one.final === true ? [one.id ?? 0] : [],
    )
  await until(() => answers().length === ids.length, { what: 'every watch to be answered' })
  expect(answers().toSorted((a, b) => a - b)).toEqual(ids)
  const rows = client.messages.flatMap((one) => (one.type === 'snapshot' ? one.connections : []))
  expect(new Set(rows.map(({ id }) => id)).size).toBe(ROWS)
  expect(rows.length).toBeLessThan(ROWS * 10)
  client.socket.terminate()
})

function request(target: string, jwt: string, body?: string): string {
  const head = [`${body === undefined ? 'GET' : 'POST'} ${target} HTTP/1.1`, 'Host: 127.0.0.1']
  head.push(`Authorization: Bearer ${jwt}`)
  if (body !== undefined) head.push(`Content-Length: ${body.length}`)
  return `${head.join('\r\n')}\r\n\r\n${body ?? ''}`
}

const ROUTES: [target: string, body?: string][] = [
  ['/api/v1/connections?limit=10000'],
  ['/api/v1/connections?all=1&limit=10000'],
  ['/api/v1/connections?sites=s1,s2,s3&limit=10000'],
  ['/api/v1/connections?summary=*,s1,s2'],
  ['/api/v1/connections?cursor=e1.0.x&limit=10000'],
  ['/api/v1/connections/plant-1'],
  ['/api/v1/connections/query', JSON.stringify({ all: true, limit: 10_000 })],
  ['/api/v1/connections/plant-1/disconnect', '{}'],
  ['/api/v1/unknown'],
  ['/sse/status?all=1&summary=*'],
  ['/sse/status', JSON.stringify({ all: true })],
  ['/widgets/mqtt-status.js'],
  ['/healthz'],
  ['/readyz'],
  ['/'],
]

/** A client that reads nothing. */
async function unread(bytes: string): Promise<Socket> {
  const socket = connect(house.port, '127.0.0.1')
  socket.on('error', () => undefined)
  await new Promise((resolve) => socket.once('connect', resolve))
  socket.pause()
  socket.write(bytes)
  return socket
}

/** The memory that clients take which write this and read nothing, when the server has done all that it does for them. */
async function cost(clients: number, bytes: string): Promise<{ bytes: number; sockets: Socket[] }> {
  const before = used()
  const sockets = await Promise.all(Array.from({ length: clients }, () => unread(bytes)))
  let last = Number.NaN
  let still = 0
  await until(
    () => {
      const now = used() - before
      still = Math.abs(now - last) < MIB ? still + 1 : 0
      last = now
      return still === 3
    },
    { timeoutMs: 60_000, what: 'the memory to be still' },
  )
  return { bytes: last, sockets }
}

test.each(ROUTES)(
  'five hundred pipelined requests for %s that are not read take less than 24 MiB',
  async (target: string, body?: string) => {
    await fleet({ patience: { unreadMs: 500 }, limits: { handshakesPerAddress: 0 } })
    const { bytes, sockets } = await cost(1, request(target, await token('*'), body).repeat(500))
    expect(bytes / MIB).toBeLessThan(24)
    for (const socket of sockets) socket.destroy()
  },
)

test('fifty answers of 20 MB that are not read take less than 128 MiB, and the server closes their connections', async () => {
  // More than the buffers of the operating system take.
  await fleet({ patience: { unreadMs: 8_000 } }, 'x'.repeat(2_000))
  const bytes = request('/api/v1/connections?limit=10000', await token('*'))
  const before = used()
  const sockets = await Promise.all(Array.from({ length: 50 }, () => unread(bytes)))
  await until(() => house.listening.requests === 50, { what: 'all requests to be under way' })
  await until(() => house.listening.requests < 50, { what: 'the first one to be cut off' })
  expect((used() - before) / MIB).toBeLessThan(128)
  await until(() => house.listening.requests === 0, { what: 'the server to close all of them' })
  for (const socket of sockets) socket.destroy()
})

test('an address has a limited number of requests under way, and the server answers the next one with 429', async () => {
  await fleet(
    { limits: { requestsPerAddress: 3 }, patience: { unreadMs: 60_000 } },
    'x'.repeat(2_000),
  )
  const jwt = await token('*')
  const target = '/api/v1/connections?limit=10000'
  const sockets = await Promise.all(Array.from({ length: 3 }, () => unread(request(target, jwt))))
  const refused = await until(async () => {
    const answer = await fetch(`${house.url}/healthz`)
    await answer.arrayBuffer()
    return answer.status === 429 ? answer : null
  })
  expect(refused?.headers.get('retry-after')).toBe('1')
  for (const socket of sockets) socket.destroy()
  await until(async () => (await fetch(`${house.url}/healthz`)).ok)
})

test('pipelined requests are answered one by one in their order', async () => {
  await fleet()
  const raw = new RawConnection(house.port)
  const jwt = await token('*')
  raw.socket.write(
    Array.from({ length: 10 }, (_, i) => request(`/api/v1/connections/plant-${i}`, jwt)).join(''),
  )
  for (let i = 0; i < 10; i++)
    expect(JSON.parse((await raw.answer()).body)).toMatchObject({ id: `plant-${i}` })
  raw.close()
})

test('a name that is repeated a thousand times counts once', async () => {
  await fleet()
  const headers = { authorization: `Bearer ${await token('*')}` }
  const summary = Array.from({ length: 1_000 }, () => '*')
  const response = await fetch(`${house.url}/api/v1/connections/query`, {
    ...{ method: 'POST', headers, body: JSON.stringify({ summary }) },
  })
  const { summaries } = (await response.json()) as { summaries: unknown[] }
  expect(summaries).toMatchObject([{ site: '*', total: ROWS }])
})

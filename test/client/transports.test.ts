/** The same client over each transport, and from one transport to the next. */
import { until } from '@mqtt-status/testing/until'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { row } from '../../packages/server/test/http/house.ts'
import type { StatusClient, TransportName } from '../../packages/widgets/src/client/index.ts'
import { isLive, World } from './world.ts'

let world: World
let asked: string[]

beforeEach(async () => {
  world = await World.open({ heartbeatMs: 400 })
  asked = []
  const { fetch } = globalThis
  vi.stubGlobal('fetch', (input: string, init?: RequestInit) => {
    asked.push(`${init?.method ?? 'GET'} ${new URL(input).pathname}`)
    return fetch(input, init)
  })
})

afterEach(async () => {
  vi.unstubAllGlobals()
  await world.close()
})

function statusOf(client: StatusClient, id: string): string | null {
  return client.rows().find((one) => one.id === id)?.status ?? null
}

test.each<TransportName>(['ws', 'sse', 'poll'])(
  '%s: rows, changes, removals, counts',
  async (transport) => {
    world.house.publish([row('a', 1), row('b', 2)])
    const client = world.client({ transport })
    client.watch({ all: true, summary: ['*'] }, () => undefined)
    const missing = client.connection('none')
    missing.subscribe(() => undefined)
    await isLive(client)
    await until(() => missing.get().missing)
    expect(client.rows().map(({ id }) => id)).toEqual(['a', 'b'])
    const b = client.connection('b').get()
    world.house.publish([row('a', 3, { status: 'failed' })])
    await until(() => statusOf(client, 'a') === 'failed', { timeoutMs: 12_000 })
    await until(() => client.summary()?.counts['failed'] === 1, { timeoutMs: 12_000 })
    expect(client.connection('b').get()).toBe(b)
    world.house.hub.publish({
      kind: 'changes',
      epoch: 'e1',
      mark: 900n,
      floor: 0n,
      rows: [],
      tombstones: [{ id: 'a', siteId: 's1', revision: 4, changed: 899n }],
    })
    await until(() => client.rows().length === 1, { timeoutMs: 12_000 })
    expect(client.can).toEqual(['view', 'control', 'manage'])
  },
)

test.each<TransportName>(['sse', 'poll'])(
  '%s: rows that are watched later arrive, and unwatched ones do not',
  async (transport) => {
    world.house.publish([row('a', 1), row('b', 2, { siteId: 's2' })])
    const client = world.client({ transport })
    client.connection('a').subscribe(() => undefined)
    await isLive(client)
    client.watch({ sites: ['s2'] }, () => undefined)
    await until(() => client.rows().length === 2, { timeoutMs: 12_000 })
    expect(client.link.state).toBe('live')
  },
)

test.each<TransportName>(['ws', 'sse', 'poll'])(
  '%s: a client that a listener closes calls no listener again, and sends no message',
  async (transport) => {
    world.house.publish([row('a', 1)])
    const client = world.client({ transport })
    let calls = 0
    client.watch({ all: true }, () => {
      calls++
      client.close()
    })
    await until(() => calls > 0)
    await until(() => world.house.hub.size === 0)
    world.house.publish([row('a', 2)])
    const other = await world.live({ transport })
    await until(() => other.rows()[0]?.revision === 2)
    expect(calls).toBe(1)
  },
)

test.each<TransportName>(['ws', 'sse'])(
  '%s: an address that connects too often waits for its turn',
  async (transport) => {
    await world.close()
    world = await World.open({ heartbeatMs: 400, limits: { handshakesPerAddress: 2 } })
    const clients = Array.from({ length: 5 }, () => world.client({ transport }))
    for (const client of clients) client.watch({ all: true }, () => undefined)
    for (const client of clients) await isLive(client)
    expect(world.house.hub.size).toBe(5)
  },
)

test('the client posts a list that is too long for an address', async () => {
  const many = Array.from({ length: 300 }, (_, i) => row(`a-long-name-of-plant-${i}`, i + 1))
  world.house.publish(many)
  const client = world.client({ transport: 'sse' })
  client.connection('a-long-name-of-plant-7').subscribe(() => undefined)
  await isLive(client)
  for (const { id } of many) client.connection(id).subscribe(() => undefined)
  await until(() => client.rows().length === many.length)
  expect(asked).toEqual(['GET /sse/status', 'POST /sse/status'])
})

test('the client polls page by page where there are more rows than one page holds', async () => {
  world.house.publish(Array.from({ length: 2_500 }, (_, i) => row(`c${i}`, i + 1)))
  const client = world.client({ transport: 'poll' })
  client.watch({ all: true }, () => undefined)
  await isLive(client)
  expect(client.rows().length).toBe(2_500)
})

test('the client falls back to a stream behind a proxy that refuses WebSockets', async () => {
  world.house.publish([row('a', 1)])
  world.proxy.mode = 'refuse-upgrade'
  const client = await world.live()
  expect(statusOf(client, 'a')).toBe('connected')
  expect(world.proxy.refused).toBe(3)
  expect(asked.filter((path) => path === 'GET /healthz').length).toBe(3)
  world.house.publish([row('a', 2, { status: 'failed' })])
  await until(() => statusOf(client, 'a') === 'failed')
})

test('a stream resumes with the cursor of the socket, and gets the changes as a patch', async () => {
  world.house.publish(Array.from({ length: 300 }, (_, i) => row(`c${i}`, i + 1)))
  const client = await world.live()
  // The server sends the cursor with the message after its answer.
  world.house.publish([row('c1', 1_001)])
  await until(() => client.rows().some(({ revision }) => revision === 1_001))
  let heard = ''
  const { fetch } = globalThis
  vi.stubGlobal('fetch', async (input: string, init?: RequestInit) => {
    const response = await fetch(input, init)
    if (!input.includes('/sse/') || !response.body) return response
    const decoder = new TextDecoder()
    const overhear = new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        heard += decoder.decode(chunk, { stream: true })
        controller.enqueue(chunk)
      },
    })
    return new Response(response.body.pipeThrough(overhear), response)
  })
  world.proxy.mode = 'refuse-upgrade'
  world.proxy.reset()
  // The proxy has cut the socket, so this change arrives on the next transport only. The page shows a loss only
  // where that takes longer than a second.
  world.house.publish([row('c2', 1_002, { status: 'failed' })])
  await until(() => statusOf(client, 'c2') === 'failed', { timeoutMs: 30_000 })
  await isLive(client)
  expect(client.rows().length).toBe(300)
  expect(heard).toContain('event: patch')
  expect(heard).not.toContain('event: snapshot')
})

test(
  'the client falls back to polling behind a proxy that buffers streams',
  { timeout: 130_000 },
  async () => {
    world.house.publish([row('a', 1)])
    world.proxy.mode = 'refuse-upgrade'
    const client = world.client({})
    const { fetch } = globalThis
    // A proxy that waits for the end of each answer.
    vi.stubGlobal('fetch', (input: string, init?: RequestInit) =>
      input.includes('/sse/')
        ? new Promise<never>((_, reject) => {
            init?.signal?.addEventListener('abort', () => {
              reject(new Error('aborted'))
            })
          })
        : fetch(input, init),
    )
    client.watch({ all: true }, () => undefined)
    await until(() => client.link.state === 'live', { timeoutMs: 120_000 })
    expect(statusOf(client, 'a')).toBe('connected')
  },
)

test(
  'the client stays with WebSockets during a restart of the server of any length',
  { timeout: 90_000 },
  async () => {
    const client = await world.live()
    for (const downMs of [4_000, 0]) {
      await world.restart(downMs)
      // By then a client may wait for the longest time.
      await isLive(client, 30_000)
    }
    expect(asked.filter((path) => path.includes('sse') || path.includes('query'))).toEqual([])
  },
)

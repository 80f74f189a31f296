import { request } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { until } from '@mqtt-status/testing/until'
import { afterEach, expect, test } from 'vitest'
import { mintToken } from '../../src/auth/tokens.ts'
import { House, row } from './house.ts'

let house: House

afterEach(async () => {
  await house.close()
})

interface Event {
  readonly event: string
  readonly id: string | undefined
  readonly data: Record<string, unknown>
}

/** A reader of one stream. */
class Reader {
  readonly response: IncomingMessage
  #text = ''

  private constructor(response: IncomingMessage) {
    this.response = response
    response.setEncoding('utf8').on('data', (text: string) => (this.#text += text))
    response.on('error', () => undefined)
  }

  static open(
    path: string,
    options: { headers?: Record<string, string>; body?: unknown } = {},
  ): Promise<Reader> {
    return new Promise((resolve, reject) => {
      const method = options.body === undefined ? 'GET' : 'POST'
      const call = request(
        `${house.url}${path}`,
        { method, headers: options.headers },
        (response) => {
          resolve(new Reader(response))
        },
      )
      call.on('error', reject)
      call.end(options.body === undefined ? undefined : JSON.stringify(options.body))
    })
  }

  get retry(): number {
    return Number(/^retry: (\d+)$/m.exec(this.#text)?.[1])
  }

  get events(): Event[] {
    return this.#text
      .split('\n\n')
      .slice(1, -1)
      .map((block) => {
        const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1]
        return {
          event: field('event') ?? '',
          id: field('id'),
          data: JSON.parse(field('data') ?? '{}') as Event['data'],
        }
      })
  }

  heard(type: string): Promise<Event> {
    return until(() => this.events.find(({ event }) => event === type) ?? null, {
      what: type,
    }) as Promise<Event>
  }

  close(): void {
    this.response.destroy()
  }
}

test('a stream begins with a welcome, then the same messages, with the cursor as id', async () => {
  house = await House.open()
  house.publish([row('a', 1)])
  const reader = await Reader.open('/sse/status/?connections=a,nope')
  expect(reader.response.headers).toMatchObject({
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache, no-transform',
    'x-accel-buffering': 'no',
  })
  expect((await reader.heard('welcome')).data).toMatchObject({ type: 'welcome', epoch: 'e1' })
  const snapshot = await reader.heard('snapshot')
  expect(snapshot.data).toMatchObject({
    connections: [{ id: 'a' }],
    missing: ['nope'],
    final: true,
  })
  expect(snapshot.id).toBe(snapshot.data['cursor'])
  expect(reader.retry).toBeGreaterThanOrEqual(1_000)
  house.publish([row('a', 2)])
  expect((await reader.heard('patch')).data).toMatchObject({ connections: [{ revision: 2 }] })
  reader.close()
})

test('Last-Event-ID beats the cursor of the address', async () => {
  house = await House.open()
  house.publish([row('a', 1)])
  const first = await Reader.open('/sse/status?all=1')
  const { id } = await first.heard('snapshot')
  first.close()
  house.publish([row('b', 2)])
  const second = await Reader.open('/sse/status?all=1&cursor=garbage', {
    headers: { 'last-event-id': String(id) },
  })
  expect((await second.heard('patch')).data).toMatchObject({
    connections: [{ id: 'b' }],
    final: true,
  })
  second.close()
})

test('a list that does not fit an address goes into the body', async () => {
  house = await House.open()
  house.publish([row('c999', 1)])
  const connections = Array.from({ length: 1_000 }, (_, i) => `c${i}`)
  const reader = await Reader.open('/sse/status', { body: { connections } })
  expect((await reader.heard('snapshot')).data).toMatchObject({ connections: [{ id: 'c999' }] })
  reader.close()
})

test('a token goes into the header; without one the answer is a problem', async () => {
  const secret = {
    kind: 'secret',
    maxTtlS: 604_800,
    secret: 'a secret of at least thirty-two bytes',
  } as const
  house = await House.open(secret)
  const token = await mintToken(secret, {
    subject: 'me',
    sites: '*',
    connections: [],
    can: ['view'],
    lifetimeS: 30,
  })
  const refused = await fetch(`${house.url}/sse/status?all=1`)
  expect(refused.status).toBe(401)
  expect(refused.headers.get('content-type')).toBe('application/problem+json')
  const origin = 'https://portal.example.com'
  const reader = await Reader.open('/sse/status?all=1', {
    headers: { authorization: `Bearer ${token}`, origin },
  })
  expect(reader.response.headers['access-control-allow-origin']).toBe(origin)
  await reader.heard('expiring')
  reader.close()
})

test('a watch over the limit gets a problem, and no stream', async () => {
  house = await House.open()
  const connections = Array.from({ length: 1_001 }, (_, i) => `c${i}`)
  const reply = await fetch(`${house.url}/sse/status`, {
    method: 'POST',
    body: JSON.stringify({ connections }),
  })
  expect(reply.status).toBe(400)
  expect(await reply.json()).toMatchObject({ code: 'limit_watch' })
  expect(house.listening.streams).toBe(0)
})

test('the welcome comes first, also while the feed is stale', async () => {
  house = await House.open()
  house.hub.setFeedState('stale', new Date(0))
  const reader = await Reader.open('/sse/status?all=1')
  await reader.heard('snapshot')
  expect(reader.events.map(({ event }) => event)).toEqual(['welcome', 'feed', 'snapshot'])
  reader.close()
})

test('streams end after a while with a bye, and at a shutdown too', async () => {
  house = await House.open(
    { kind: 'open' },
    { heartbeatMs: 50, patience: { streamMs: [100, 150] } },
  )
  const reader = await Reader.open('/sse/status?all=1')
  await reader.heard('ping')
  expect((await reader.heard('bye')).data).toMatchObject({
    code: 4201,
    reconnectAfterMs: [800, 2_000],
  })
  await house.close()
  house = await House.open()
  const other = await Reader.open('/sse/status?all=1')
  await other.heard('snapshot')
  await house.listening.drain(3_000)
  expect((await other.heard('bye')).data).toMatchObject({ code: 4200, reason: 'shutdown' })
  house = await House.open()
})

test('a client that reads nothing gets the latest rows only', async () => {
  house = await House.open()
  const reader = await Reader.open('/sse/status?all=1')
  await reader.heard('snapshot')
  reader.response.pause()
  for (let revision = 1; revision <= 300; revision++) {
    house.publish(
      Array.from({ length: 20 }, (_, i) => row(`c${i}`, revision, { name: 'x'.repeat(2_000) })),
    )
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  reader.response.resume()
  const latest = () =>
    reader.events.some(({ data }) =>
      (data['connections'] as { revision: number }[] | undefined)?.some((c) => c.revision === 300),
    )
  await until(latest, { what: 'the latest rows' })
  reader.close()
})

test('the server keeps no subscriber of a client that has left', async () => {
  house = await House.open()
  const reader = await Reader.open('/sse/status?all=1')
  await reader.heard('snapshot')
  reader.close()
  await until(() => house.hub.size === 0)
})

import type { Connection, ServerMessage } from '@mqtt-status/protocol'
import { connection } from '@mqtt-status/testing/connection'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createLog } from '../log.ts'
import { Frame } from './frames.ts'
import { Hub } from './hub.ts'
import { Mirror } from './mirror.ts'
import type { HubRead, HubScope, Sink } from './hub.ts'

const log = createLog({ level: 'silent', format: 'json' })
const ALL: HubScope = { key: 'all', control: true, permits: () => true }

function onlySite(site: string, control = false): HubScope {
  return { key: `site-${site}-${control}`, control, permits: (_, siteId) => siteId === site }
}

/** A sink that keeps what it is given, and can be stopped up. */
class Recorder implements Sink {
  readonly messages: ServerMessage[] = []
  bufferedBytes = 0
  closed: string | null = null

  send(frame: Frame): void {
    this.messages.push(JSON.parse(frame.json) as ServerMessage)
  }

  close(name: string): void {
    this.closed = name
  }

  take(): ServerMessage[] {
    return this.messages.splice(0)
  }
}

function row(id: string, revision: number, change: Partial<Connection> = {}): Connection {
  const talk = { desiredBy: 'operator-7', detail: 'secret talk of the broker' }
  return connection({ id, revision, since: '2026-11-23T19:00:00.000Z', ...talk, ...change })
}

let hub: Hub
let mark: bigint
let readable: boolean
let reads: number

beforeEach(() => {
  vi.useFakeTimers()
  mark = 100n
  readable = true
  reads = 0
  hub = new Hub({
    read: () => {
      reads++
      return readable ? Promise.resolve() : Promise.reject(new Error('away'))
    },
    tickMs: 50,
    log,
  })
})

afterEach(() => {
  hub.stop()
  expect(vi.getTimerCount(), 'timers left').toBe(0)
  vi.useRealTimers()
})

function tell(
  rows: Connection[],
  tombstones: { id: string; siteId: string; revision: number }[] = [],
): void {
  const changed = mark
  mark += 1n
  hub.publish({
    kind: 'changes',
    epoch: 'e1',
    mark,
    floor: 10n,
    rows: rows.map((connection) => ({ connection, changed })),
    tombstones: tombstones.map((stone) => ({ ...stone, changed })),
  })
}

async function settle(): Promise<void> {
  await vi.advanceTimersByTimeAsync(60)
}

async function watcher(request: Parameters<ReturnType<Hub['subscribe']>['watch']>[0], scope = ALL) {
  const sink = new Recorder()
  const subscriber = hub.subscribe(sink, scope)
  subscriber.watch(request)
  await settle()
  return { sink, subscriber }
}

test('a watch is answered by a snapshot of its rows, with missing ids and a cursor', async () => {
  tell([row('a', 1), row('b', 2)])
  const { sink } = await watcher({ id: 7, connections: ['a', 'nope'] })
  expect(sink.take()).toMatchObject([
    {
      type: 'snapshot',
      id: 7,
      connections: [{ id: 'a', revision: 1 }],
      missing: ['nope'],
      cursor: 'e1.101.all',
      final: true,
    },
  ])
})

test('missing ids stay watched, and arrive when they come to exist', async () => {
  tell([])
  const { sink } = await watcher({ connections: ['a'] })
  sink.take()
  tell([row('a', 5)])
  await settle()
  expect(sink.take()).toMatchObject([
    { type: 'patch', connections: [{ id: 'a' }], removed: [], cursor: 'e1.102.all' },
  ])
})

test('the first change is sent at once, those that follow are one frame per tick with the latest rows', async () => {
  tell([row('a', 1)])
  const { sink } = await watcher({ all: true })
  sink.take()
  tell([row('a', 2)])
  expect(sink.take()).toHaveLength(1)
  tell([row('a', 3)])
  tell([row('a', 4), row('b', 5)])
  expect(sink.take()).toHaveLength(0)
  await settle()
  expect(sink.take()).toMatchObject([{ connections: [{ id: 'a', revision: 4 }, { id: 'b' }] }])
})

test('subscribers that watch the same share one frame, whatever the order of their lists', async () => {
  tell([row('a', 1)])
  const frames: Frame[] = []
  for (const connections of [
    ['a', 'b'],
    ['b', 'a'],
  ]) {
    const subscriber = hub.subscribe(
      { bufferedBytes: 0, send: (frame) => frames.push(frame), close: () => undefined },
      ALL,
    )
    subscriber.watch({ connections })
  }
  await settle()
  frames.splice(0)
  tell([row('a', 2)])
  await settle()
  expect(frames).toHaveLength(2)
  expect(frames[0]).toBe(frames[1])
})

test('viewers get neither the text of the broker nor the actor of the command', async () => {
  tell([row('a', 1)])
  const { sink } = await watcher({ all: true }, onlySite('s1'))
  expect(sink.take()).toMatchObject([{ connections: [{ detail: null, desiredBy: null }] }])
})

test('a row that is deleted or leaves a watched site is removed, unless another filter holds it', async () => {
  tell([row('a', 1), row('b', 2)])
  const site = await watcher({ sites: ['s1'] })
  const both = await watcher({ sites: ['s1'], connections: ['a'] })
  site.sink.take()
  both.sink.take()
  tell([row('a', 4, { siteId: 's2' })], [{ id: 'a', siteId: 's1', revision: 3 }])
  await settle()
  expect(site.sink.take()).toMatchObject([{ connections: [], removed: [{ id: 'a', revision: 3 }] }])
  expect(both.sink.take()).toMatchObject([
    { connections: [{ id: 'a', siteId: 's2' }], removed: [] },
  ])
  tell([], [{ id: 'b', siteId: 's1', revision: 5 }])
  await settle()
  expect(site.sink.take()).toMatchObject([{ removed: [{ id: 'b', revision: 5 }] }])
})

test('a subscriber gets no message about an id that its scope never permitted', async () => {
  tell([row('a', 1, { siteId: 's2' })])
  const { sink } = await watcher({ all: true }, onlySite('s1'))
  sink.take()
  tell([], [{ id: 'a', siteId: 's2', revision: 2 }])
  await settle()
  expect(sink.take()).toEqual([])
})

test('a row that was deleted and came back within a tick is just the latest row', async () => {
  tell([row('a', 1)])
  const { sink } = await watcher({ all: true })
  sink.take()
  tell([row('x', 2)])
  sink.take()
  tell([], [{ id: 'a', siteId: 's1', revision: 3 }])
  tell([row('a', 4)])
  await settle()
  expect(sink.take()).toMatchObject([{ connections: [{ id: 'a', revision: 4 }], removed: [] }])
})

test('a watch with a cursor is answered with the changes since, and with no other rows', async () => {
  tell([row('a', 1), row('b', 2)])
  const first = await watcher({ all: true })
  const [snapshot] = first.sink.take()
  const cursor = (snapshot as { cursor: string }).cursor
  first.subscriber.close()
  tell([row('b', 3)], [{ id: 'a', siteId: 's1', revision: 4 }])
  const { sink } = await watcher({ id: 1, all: true, cursor })
  expect(sink.take()).toMatchObject([
    {
      type: 'patch',
      id: 1,
      connections: [{ id: 'b', revision: 3 }],
      removed: [{ id: 'a', revision: 4 }],
      final: true,
      cursor: 'e1.102.all',
    },
  ])
})

test.each(['garbage', 'e0.101.all', 'e1.101.other', 'e1.9.all', 'e1.999.all'])(
  'the cursor %s is answered by a snapshot',
  async (cursor) => {
    tell([row('a', 1)])
    const { sink } = await watcher({ all: true, cursor })
    expect(sink.take()).toMatchObject([{ type: 'snapshot', final: true }])
  },
)

test('a large answer comes in pages of at most 64 KiB, and only the last is final and has a cursor', async () => {
  tell(Array.from({ length: 600 }, (_, i) => row(`c${i}`, i + 1, { name: 'ü'.repeat(100) })))
  const { sink } = await watcher({ id: 1, all: true })
  const pages = sink.take() as Extract<ServerMessage, { type: 'snapshot' }>[]
  expect(pages.length).toBeGreaterThan(2)
  for (const page of pages)
    expect(Buffer.byteLength(JSON.stringify(page))).toBeLessThanOrEqual(65_536)
  expect(pages.map(({ final }) => final)).toEqual([...pages.slice(1).map(() => false), true])
  expect(pages.filter(({ cursor }) => cursor !== undefined)).toHaveLength(1)
  expect(pages.flatMap(({ connections }) => connections)).toHaveLength(600)
})

test('a slow subscriber gets the latest rows only, without a cursor until it has all of them', async () => {
  tell([row('a', 1)])
  const { sink, subscriber } = await watcher({ all: true })
  sink.take()
  sink.bufferedBytes = 300 * 1024
  for (let revision = 2; revision < 50; revision++) {
    tell([row('a', revision)])
    await settle()
  }
  subscriber.ping()
  expect(sink.take()).toEqual([{ type: 'ping', now: expect.any(String) as string }])
  sink.bufferedBytes = 0
  subscriber.drained()
  expect(sink.take()).toMatchObject([
    { type: 'patch', connections: [{ id: 'a', revision: 49 }], cursor: 'e1.149.all' },
  ])
})

test('no answer has a cursor while another one is not written', async () => {
  tell([row('a', 1), row('b', 2)])
  const sink = new Recorder()
  sink.bufferedBytes = 1_000_000
  const subscriber = hub.subscribe(sink, ALL)
  subscriber.watch({ id: 1, connections: ['a'] })
  subscriber.watch({ id: 2, connections: ['b'] })
  await settle()
  expect(sink.take()).toEqual([])
  sink.bufferedBytes = 0
  subscriber.drained()
  const [first, second] = sink.take()
  expect(first).toMatchObject({ id: 1, final: true })
  expect(first).not.toHaveProperty('cursor')
  expect(second).toMatchObject({ id: 2, final: true, cursor: expect.any(String) as string })
})

test('the hub closes a subscriber whose sink drains nothing for 30 s, and none whose sink drains a little', async () => {
  tell([row('a', 1)])
  const dead = await watcher({ all: true })
  const slow = await watcher({ all: true })
  dead.sink.bufferedBytes = slow.sink.bufferedBytes = 900 * 1024
  tell([row('a', 2)])
  await settle()
  for (let second = 0; second < 35; second++) {
    slow.sink.bufferedBytes -= 1
    await vi.advanceTimersByTimeAsync(1_000)
  }
  expect(dead.sink.closed).toBe('too_slow')
  expect(slow.sink.closed).toBeNull()
})

test('a sink that throws affects no other subscriber', async () => {
  tell([row('a', 1)])
  const broken = await watcher({ all: true })
  const { sink } = await watcher({ all: true })
  broken.sink.send = () => {
    throw new Error('socket gone')
  }
  sink.take()
  tell([row('a', 2)])
  await settle()
  expect(sink.take()).toHaveLength(1)
  expect(hub.size).toBe(1)
})

test('a watch over the limit adds nothing and is answered with an error', async () => {
  const { sink, subscriber } = await watcher({
    connections: Array.from({ length: 1_000 }, (_, i) => `c${i}`),
  })
  sink.take()
  subscriber.watch({ id: 2, connections: ['one-more'] })
  expect(sink.take()).toMatchObject([
    { type: 'error', id: 2, code: 'limit_watch', retryable: false },
  ])
  tell([row('one-more', 1)])
  await settle()
  expect(sink.take()).toEqual([])
})

test('while the database is away the hub answers no request, and afterwards all of them', async () => {
  tell([row('a', 1)])
  readable = false
  const { sink } = await watcher({ id: 1, all: true })
  expect(sink.take()).toEqual([])
  await expect(hub.get(ALL, 'a')).rejects.toMatchObject({ code: 'database_unavailable' })
  readable = true
  await vi.advanceTimersByTimeAsync(1_100)
  expect(sink.take()).toMatchObject([{ type: 'snapshot', id: 1, final: true }])
})

test('during an outage one timer retries the read for all requests, and no timer is left after a stop', async () => {
  readable = false
  for (let i = 0; i < 20; i++) await watcher({ all: true })
  reads = 0
  await vi.advanceTimersByTimeAsync(5_000)
  expect(reads).toBeLessThanOrEqual(5)
  hub.subscribe(new Recorder(), ALL).watch({ all: true })
  await vi.advanceTimersByTimeAsync(1_000)
  let fail: (error: Error) => void = () => undefined
  const other = new Hub({ read: () => new Promise((_, reject) => (fail = reject)), log })
  other.subscribe(new Recorder(), ALL).watch({ all: true })
  other.stop()
  fail(new Error('away'))
  await vi.advanceTimersByTimeAsync(0)
})

test('a summary that is unwatched before its answer is not sent', async () => {
  tell([row('a', 1)])
  const sink = new Recorder()
  const subscriber = hub.subscribe(sink, ALL)
  subscriber.watch({ id: 1, summary: ['*'] })
  subscriber.unwatch({ summary: ['*'] })
  await settle()
  tell([row('a', 2, { status: 'failed' })])
  await settle()
  expect(sink.take()).toMatchObject([{ type: 'snapshot', id: 1, connections: [] }])
})

test('unwatch sends nothing, and rows that are not watched any more are not sent', async () => {
  tell([row('a', 1), row('b', 2)])
  const { sink, subscriber } = await watcher({ connections: ['a', 'b'] })
  sink.take()
  subscriber.unwatch({ connections: ['a'] })
  tell([row('a', 3), row('b', 4)])
  await settle()
  expect(sink.take()).toMatchObject([{ connections: [{ id: 'b' }] }])
})

test('another scope on the open socket removes rows that it does not cover and sends rows that it adds', async () => {
  tell([row('a', 1), row('b', 2, { siteId: 's2' })])
  const { sink, subscriber } = await watcher({ all: true }, onlySite('s1'))
  sink.take()
  subscriber.rescope(onlySite('s2'))
  expect(sink.take()).toMatchObject([
    { removed: [{ id: 'a', revision: 1 }], connections: [] },
    { connections: [{ id: 'b' }], removed: [], cursor: 'e1.101.site-s2-false' },
  ])
  subscriber.rescope(onlySite('s2', true))
  expect(sink.take()).toMatchObject([
    { connections: [{ id: 'b', detail: 'secret talk of the broker' }] },
  ])
})

test('a summary has counts and no rows, and changes with rows and with time', async () => {
  vi.setSystemTime('2026-11-23T19:00:00.000Z')
  tell([row('a', 1), row('b', 2, { siteId: 's2', status: 'failed' })])
  const { sink } = await watcher({ id: 1, summary: ['*', 's1'] })
  expect(sink.take()).toMatchObject([
    { type: 'snapshot', connections: [], final: true },
    { type: 'summary', site: '*', total: 2, counts: { connected: 1, failed: 1 }, attention: 1 },
    { type: 'summary', site: 's1', total: 1, counts: { connected: 1 }, attention: 0 },
  ])
  tell([row('a', 3, { status: 'reconnecting' })])
  await settle()
  expect(sink.take()).toMatchObject([
    { site: '*', counts: { reconnecting: 1, failed: 1 }, attention: 1 },
    { site: 's1', counts: { reconnecting: 1 }, attention: 0 },
  ])
  await vi.advanceTimersByTimeAsync(30_000)
  expect(sink.take()).toMatchObject([
    { site: '*', attention: 2 },
    { site: 's1', attention: 1 },
  ])
})

test('summaries are gathered like rows, also without a watch of rows', async () => {
  const { sink } = await watcher({ summary: ['*'] })
  sink.take()
  await settle()
  for (let revision = 1; revision <= 5; revision++) tell([row(`c${revision}`, revision)])
  expect(sink.take()).toMatchObject([{ type: 'summary', total: 1 }])
  await settle()
  expect(sink.take()).toMatchObject([{ type: 'summary', total: 5 }])
})

test('the hub sends changes before it sends that the feed is live', async () => {
  const { sink } = await watcher({ all: true })
  hub.setFeedState('stale', new Date(0))
  await settle()
  sink.take()
  tell([row('a', 1)])
  tell([row('b', 2)])
  hub.setFeedState('live', new Date(1))
  expect(sink.take().map(({ type }) => type)).toEqual(['patch', 'patch', 'feed'])
})

test('the hub also closes a subscriber that sends requests and reads no answers', async () => {
  const { sink } = await watcher({ all: true })
  sink.bufferedBytes = 300_000
  await vi.advanceTimersByTimeAsync(20_000)
  expect(sink.closed).toBeNull()
  await vi.advanceTimersByTimeAsync(15_000)
  expect(sink.closed).toBe('too_slow')
})

test('the hub drops tombstones below the floor', () => {
  const mirror = new Mirror()
  const stone = (id: string, changed: bigint) => ({ id, siteId: 's1', revision: 1, changed })
  const read = { kind: 'changes', epoch: 'e1', rows: [] } as const
  mirror.apply({ ...read, mark: 20n, floor: 0n, tombstones: [stone('a', 10n), stone('b', 15n)] })
  mirror.apply({ ...read, mark: 30n, floor: 11n, tombstones: [] })
  expect([...mirror.tombstones('a')]).toEqual([])
  expect([...mirror.tombstones('b')]).toHaveLength(1)
})

test('a stale feed is sent to all subscribers, and to those that subscribe meanwhile', async () => {
  const { sink } = await watcher({ all: true })
  sink.take()
  hub.setFeedState('stale', new Date(0))
  const late = await watcher({ all: true })
  const stale = { type: 'feed', state: 'stale', since: '1970-01-01T00:00:00.000Z' }
  expect(sink.take()).toEqual([stale])
  expect(late.sink.take()[0]).toEqual(stale)
})

test('a snapshot of the same history removes what it leaves out; another history ends every socket', async () => {
  tell([row('a', 1), row('b', 2)])
  const { sink } = await watcher({ all: true })
  sink.take()
  const read: HubRead = {
    kind: 'snapshot',
    epoch: 'e1',
    mark: 200n,
    floor: 150n,
    rows: [{ connection: row('a', 1), changed: 5n }],
    tombstones: [],
  }
  hub.publish(read)
  await settle()
  expect(sink.take()).toMatchObject([{ connections: [], removed: [{ id: 'b' }] }])
  hub.publish({ ...read, epoch: 'e2' })
  expect(sink.closed).toBe('resync')
  expect(hub.size).toBe(0)
})

test('the hub keeps nothing of a subscriber that is closed', async () => {
  const { subscriber } = await watcher({
    all: true,
    connections: ['a'],
    sites: ['s'],
    summary: ['*'],
  })
  expect(hub.watchCount).toBe(2)
  subscriber.close()
  expect(hub.size).toBe(0)
  expect(hub.watchCount).toBe(0)
})

test('frames of any length have the format of RFC 6455', () => {
  const lengths = [10, 125, 126, 65_535, 65_536]
  for (const length of lengths) {
    const frame = new Frame('ping', 'x'.repeat(length))
    const head = length < 126 ? 2 : length < 65_536 ? 4 : 10
    expect(frame.websocket.length).toBe(head + length)
    expect(frame.websocket[0]).toBe(0x81)
  }
  expect(new Frame('patch', '{}', 'e.1.s').sse.toString()).toBe(
    'event: patch\ndata: {}\nid: e.1.s\n\n',
  )
})

/** What a page watches, against fake servers that accept fewer names than the page has. */
import type { ClientMessage, Connection, ServerMessage, WatchFilter } from '@mqtt-status/protocol'
import { connection } from '@mqtt-status/testing/connection'
import { welcome } from '@mqtt-status/testing/welcome'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createClient } from './client.ts'
import type { StatusClient } from './client.ts'
import { toNames } from './names.ts'
import { openHttpSocket } from './transport/http-socket.ts'
import type { ReadRequest } from './transport/http-socket.ts'
import type { OpenTransport, Transport, TransportListener } from './transport/transport.ts'

const MESSAGE_BYTES = 65_536
const LONGEST_ID = 128
const MINUTE = 60_000

/** How the fake server behaves. */
interface Ways {
  /** What `welcome` announces. */
  announced: number
  /** How many names it accepts. */
  taken: number
  /** Numbers of watches that it never answers. */
  readonly ignored: Set<number>
  /** Each watch replaces the one before, as over HTTP. */
  whole: boolean
}

let ways: Ways
let transports: FakeTransport[]
let page: StatusClient

class FakeTransport implements Transport {
  readonly watches: WatchFilter[] = []
  readonly refused: number[] = []
  readonly held = new Set<string>()
  #listener: TransportListener
  closedWith: number | null = null

  constructor(listener: TransportListener) {
    this.#listener = listener
    transports.push(this)
    queueMicrotask(() => {
      listener.onOpen()
    })
  }

  listen(listener: TransportListener): void {
    this.#listener = listener
  }

  send(message: ClientMessage): boolean {
    if (this.closedWith !== null) return false
    queueMicrotask(() => {
      this.#receive(message)
    })
    return true
  }

  close(): void {
    this.closedWith ??= 1000
  }

  deliver(message: ServerMessage): void {
    if (this.closedWith === null) this.#listener.onMessage(JSON.stringify(message))
  }

  #end(code: number): void {
    this.closedWith = code
    this.#listener.onClose(code)
  }

  #receive(message: ClientMessage): void {
    if (this.closedWith !== null) return
    if (new TextEncoder().encode(JSON.stringify(message)).length > MESSAGE_BYTES) this.#end(1009)
    else if (message.type === 'hello') this.deliver(greeting())
    else if (message.type === 'unwatch') for (const name of named(message)) this.held.delete(name)
    if (message.type !== 'watch') return
    const names = named(message)
    if (names.some((name) => name.length - name.indexOf(':') - 1 > LONGEST_ID)) {
      this.#end(4000)
      return
    }
    this.watches.push(message)
    if (ways.ignored.delete(this.watches.length)) return
    if (ways.whole) this.held.clear()
    const id = message.id ?? 0
    const all = new Set([...this.held, ...names])
    if (all.size > ways.taken) {
      this.refused.push(names.length)
      if (ways.whole) this.#end(4000)
      this.deliver({
        type: 'error',
        id,
        code: 'limit_watch',
        message: 'Too many',
        retryable: false,
      })
      return
    }
    for (const name of names) this.held.add(name)
    const ids = message.connections ?? []
    this.deliver({
      type: 'snapshot',
      ...(!ways.whole && { id }),
      connections: ids.map(row),
      missing: [],
      cursor: `e.${transports.length}.s`,
      final: true,
      now: new Date().toISOString(),
    })
  }
}

/** Over HTTP each request has all names, and the client sends nothing else. */
const openTransport: OpenTransport = (src, listener) => {
  if (!ways.whole) return new FakeTransport(listener)
  const transport = new FakeTransport({ ...listener, onOpen: () => undefined })
  let ended: (code: number) => void
  const end = new Promise<number>((resolve) => (ended = resolve))
  const socket = openHttpSocket(({ watch, token, hear }) => {
    transport.listen({ onOpen: () => undefined, onMessage: hear, onClose: ended })
    transport.send({ type: 'hello', ...(token !== undefined && { token }) })
    transport.send({ type: 'watch', ...watch })
    return end
  })(src, listener)
  return {
    send: (message) => socket.send(message),
    close: () => {
      socket.close()
      transport.close()
    },
  }
}

function named(filter: WatchFilter): string[] {
  const { connections = [], sites = [], summary = [] } = filter
  return toNames({ connections, sites, summary })
}

function greeting(): ServerMessage {
  return welcome({ heartbeatMs: 3_600_000, limits: { watch: ways.announced } })
}

function row(id: string): Connection {
  return connection({ id })
}

beforeEach(() => {
  vi.useFakeTimers({ now: Date.parse('2026-11-23T19:00:00.000Z') })
  ways = { announced: 1_000, taken: 1_000, ignored: new Set(), whole: false }
  transports = []
  page = createClient(
    { src: 'http://status.test/', pauseHidden: 0 },
    { random: () => 0.5, open: (src, listener) => openTransport(src, listener) },
  )
})

afterEach(() => {
  page.close()
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
})

async function passes(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms)
}

function last(): FakeTransport {
  const transport = transports.at(-1)
  if (!transport) throw new Error('No transport')
  return transport
}

function ids(count: number, from = 0): string[] {
  return Array.from({ length: count }, (_, i) => `c${from + i}`)
}

function show(all: readonly string[]): (() => void)[] {
  return all.map((id) => page.connection(id).subscribe(() => undefined))
}

/** How many of these ids have a row, are refused, are missing, and load. */
function tally(all: readonly string[]): readonly [number, number, number, number] {
  const views = all.map((id) => page.connection(id).get())
  const known = views.filter(({ connection }) => connection !== null).length
  const refused = views.filter(({ refusal }) => refusal !== null).length
  const missing = views.filter((view) => view.missing).length
  return [known, refused, missing, all.length - known - refused - missing]
}

test('of 2,500 ids the client watches a thousand, refuses the others, and watches these when some of the first leave', async () => {
  const all = ids(2_500)
  const leave = show(all)
  await passes(100)
  expect([page.link.state, tally(all)]).toEqual(['live', [1_000, 1_500, 0, 0]])
  expect(page.connection('c1000').get().refusal).toEqual({ code: 'limit_watch', retryAt: null })
  for (const undo of leave.slice(0, 600)) undo()
  await passes(6_000)
  expect(tally(all.slice(600))).toEqual([1_000, 900, 0, 0])
  expect([last().refused, transports.length, last().held.size]).toEqual([[], 1, 1_000])
})

test('ids that the page has unsubscribed make room for new ones at once', async () => {
  const before = show(ids(1_000))
  await passes(100)
  for (const undo of before) undo()
  const now = ids(1_000, 1_000)
  show(now)
  await passes(100)
  expect([tally(now), last().refused]).toEqual([[1_000, 0, 0, 0], []])
})

test('a page that unsubscribes and subscribes again sends no other watch', async () => {
  const all = ids(900)
  const before = show(all)
  await passes(100)
  for (const undo of before) undo()
  show(all)
  await passes(10_000)
  expect([tally(all), last().watches.length]).toEqual([[900, 0, 0, 0], 1])
})

test.each([1, 3, 999])(
  'the client watches no more than the %i names that the server announces',
  async (limit) => {
    ways.announced = ways.taken = limit
    const all = ids(1_000)
    show(all)
    await passes(100)
    expect([page.link.state, tally(all)]).toEqual(['live', [limit, 1_000 - limit, 0, 0]])
    expect(last().held.size).toBe(limit)
  },
)

test.each([1, 2, 7, 300, 512, 999])(
  'the client halves its watches until a server that takes %i, fewer than it announces, is full',
  async (taken) => {
    ways.taken = taken
    const all = ids(1_000)
    show(all)
    await passes(1_000)
    expect([page.link.state, tally(all)]).toEqual(['live', [taken, 1_000 - taken, 0, 0]])
    expect(last().held.size).toBe(taken)
    expect(last().watches.length).toBeLessThan(60)
    const refused = all.map((id) => page.connection(id).get().refusal).filter(Boolean)
    expect(new Set(refused.map((refusal) => refusal?.retryAt)).size).toBe(1)
    expect((refused[0]?.retryAt ?? 0) - Date.now()).toBeGreaterThan(MINUTE)
    ways.taken = 1_000
    await passes(3 * MINUTE)
    expect([tally(all), transports.length]).toEqual([[1_000, 0, 0, 0], 1])
  },
)

test('a server that refuses every watch leaves no id loading, and the client retries after minutes', async () => {
  ways.taken = 0
  show(['a'])
  page.watch({ sites: ['s1'], summary: ['*'] }, () => undefined)
  await passes(1_000)
  const site = { sites: ['s1'] }
  expect([page.link.state, tally(['a'])]).toEqual(['live', [0, 1, 0, 0]])
  expect([page.answered(site), page.refusal(site)?.code]).toEqual([false, 'limit_watch'])
  const asked = last().watches.length
  await passes(30 * MINUTE)
  expect(last().watches.length - asked).toBeLessThan(40)
  ways.taken = 10
  await passes(20 * MINUTE)
  expect([tally(['a']), page.answered(site), page.refusal(site)]).toEqual([
    [1, 0, 0, 0],
    true,
    null,
  ])
})

test('the client refuses the rows for which a new welcome leaves no room', async () => {
  const all = ids(10)
  show(all)
  await passes(100)
  expect(tally(all)).toEqual([10, 0, 0, 0])
  ways.announced = ways.taken = 4
  last().deliver(greeting())
  await passes(100)
  expect(tally(all)).toEqual([4, 6, 0, 0])
})

const LONG = '\u20ac'.repeat(LONGEST_ID - 5)

test.each([false, true])(
  'the client splits a thousand ids of the greatest length into messages of 64 KiB (each watch names everything: %s)',
  async (whole) => {
    ways.whole = whole
    const all = ids(1_000).map((id) => LONG + id)
    const leave = show(all)
    await passes(1_000)
    const [known, refused, , loading] = tally(all)
    expect([page.link.state, transports.length, loading, known + refused]).toEqual([
      'live',
      1,
      0,
      1_000,
    ])
    expect(known).toBe(whole ? last().held.size : 1_000)
    for (const undo of leave.slice(1)) undo()
    await passes(10_000)
    expect([transports.length, last().held.size, tally([LONG + 'c0'])]).toEqual([
      1,
      1,
      [1, 0, 0, 0],
    ])
  },
)

test.each([false, true])(
  'an id that is too long for a row is missing, and the ids beside it have their rows (each watch names everything: %s)',
  async (whole) => {
    ways.whole = whole
    const odd = 'x'.repeat(LONGEST_ID + 1)
    show([odd, 'a', 'b'])
    page.watch({ sites: [odd] }, () => undefined)
    await passes(1_000)
    expect([page.link.state, transports.length]).toEqual(['live', 1])
    expect([tally([odd]), tally(['a', 'b'])]).toEqual([
      [0, 0, 1, 0],
      [2, 0, 0, 0],
    ])
    expect([page.answered({ sites: [odd] }), page.refusal({ sites: [odd] })]).toEqual([true, null])
  },
)

test.each([1, 2])(
  'the client opens another transport if answer %i does not come within 30 s',
  async (number) => {
    ways.ignored.add(number)
    show(['a'])
    await passes(100)
    show(['b'])
    await passes(29_000)
    expect(transports.length).toBe(1)
    await passes(5_000)
    expect([transports.length, page.link.state, tally(['a', 'b'])]).toEqual([
      2,
      'live',
      [2, 0, 0, 0],
    ])
  },
)

test('the client waits for an answer as long as the server can not read its database', async () => {
  show(['a'])
  await passes(100)
  last().deliver({ type: 'feed', state: 'stale', since: new Date().toISOString() })
  ways.ignored.add(2)
  show(['b'])
  await passes(5 * MINUTE)
  expect([transports.length, page.link.state]).toEqual([1, 'stale'])
  last().deliver({ type: 'feed', state: 'live', since: new Date().toISOString() })
  await passes(35_000)
  expect([transports.length, page.link.state, tally(['a', 'b'])]).toEqual([2, 'live', [2, 0, 0, 0]])
})

test('a later answer over HTTP removes the rows of one that was cut off', async () => {
  const reads: ReadRequest[] = []
  const open = openHttpSocket((request) => {
    reads.push(request)
    return new Promise(() => undefined)
  })
  const one = createClient({ src: 'http://status.test/', pauseHidden: 0 }, { open })
  one.watch({ all: true }, () => undefined)
  const answers = async (final: boolean, ...all: string[]): Promise<void> => {
    await passes(0)
    const now = new Date().toISOString()
    reads.at(-1)?.hear(JSON.stringify(welcome()))
    const page = { type: 'snapshot', connections: all.map(row), missing: [], final, now }
    reads.at(-1)?.hear(JSON.stringify(page))
  }
  await answers(false, 'a', 'b')
  one.connection('c').subscribe(() => undefined)
  await answers(true, 'b', 'c')
  expect([reads.length, one.rows().map(({ id }) => id)]).toEqual([2, ['b', 'c']])
  one.close()
})

/** Numbers in [0, 1) that follow from a seed. */
function* numbers(seed: number): Generator<number, never> {
  for (let state = seed >>> 0; ;) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    yield state / 2 ** 32
  }
}

test.each(Array.from({ length: 40 }, (_, i) => i + 1))(
  'after any subscriptions and their ends the server holds the subscribed ids up to its limit (seed %i)',
  async (seed) => {
    const random = numbers(seed)
    const below = (n: number): number => Math.floor(random.next().value * n)
    ways.announced = 1 + below(30)
    ways.taken = below(3) === 0 ? below(ways.announced + 1) : ways.announced
    ways.whole = ways.taken === ways.announced && below(2) === 0
    const open = new Map<string, () => void>()
    for (let step = 0; step < 60; step++) {
      const id = `c${below(50)}`
      const undo = open.get(id)
      if (undo) open.delete(id)
      undo?.()
      if (!undo)
        open.set(
          id,
          page.connection(id).subscribe(() => undefined),
        )
      if (below(4) === 0) await passes(below(3_000))
    }
    if (open.size === 0)
      open.set(
        'c0',
        page.connection('c0').subscribe(() => undefined),
      )
    // By now every delayed unwatch is sent, and the client has retried what the server refused.
    await passes(15 * MINUTE)
    const wanted = [...open.keys()]
    const [known, refused, missing, loading] = tally(wanted)
    expect([page.link.state, missing, loading]).toEqual(['live', 0, 0])
    expect(known).toBe(Math.min(wanted.length, ways.taken))
    expect(known + refused).toBe(wanted.length)
    const shown = wanted.filter((id) => page.connection(id).get().connection)
    expect([...last().held].toSorted()).toEqual(shown.map((id) => `connections:${id}`).toSorted())
  },
)

/** The client over hours of a fake clock. The fake transport sends the answers of a server. */
import { CLOSE_CODES } from '@mqtt-status/protocol'
import type { ClientMessage, CloseName, Connection, ServerMessage } from '@mqtt-status/protocol'
import { connection } from '@mqtt-status/testing/connection'
import { welcome } from '@mqtt-status/testing/welcome'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createClient } from './client.ts'
import type { ClientSettings, StatusClient } from './client.ts'
import { clientFor } from './registry.ts'
import { FAILURES } from './link/failures.ts'
import type { LinkState } from './link/failures.ts'
// Pages load these modules on demand. With fake timers an import would never settle, so they are loaded here.
import './commands.ts'
import './token/token-source.ts'
import type { TransportListener } from './transport/transport.ts'

const SRC = 'http://status.test/'

class FakeTransport {
  readonly listener: TransportListener
  readonly received: ClientMessage[] = []
  closed = false

  constructor(listener: TransportListener) {
    this.listener = listener
  }

  send(message: ServerMessage): void {
    this.listener.onMessage(JSON.stringify(message))
  }

  receivedOf<T extends ClientMessage['type']>(type: T): Extract<ClientMessage, { type: T }>[] {
    return this.received.filter((one) => one.type === type) as Extract<ClientMessage, { type: T }>[]
  }
}

let transports: FakeTransport[]
let clients: StatusClient[]
/** How far the server's clock is ahead of this one. */
let aheadMs: number
let mute: boolean
/** Whether every token is refused. */
let refusing: boolean
let epoch: string
let rows: Connection[]
let warned: unknown[]

beforeEach(() => {
  vi.useFakeTimers({ now: Date.parse('2026-11-23T19:00:00.000Z') })
  transports = []
  clients = []
  aheadMs = 0
  mute = false
  refusing = false
  epoch = 'e'
  rows = [row('a', 1)]
  warned = []
  vi.spyOn(console, 'warn').mockImplementation((message) => warned.push(message))
})

afterEach(() => {
  for (const client of clients) client.close()
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
})

function row(id: string, revision: number, change: Partial<Connection> = {}): Connection {
  return connection({ id, revision, ...change })
}

function serverNow(): string {
  return new Date(Date.now() + aheadMs).toISOString()
}

function answer(transport: FakeTransport, message: ClientMessage): void {
  if (refusing) transport.listener.onClose(4001)
  else if (message.type === 'hello' || message.type === 'auth') {
    transport.send(welcome({ epoch, now: serverNow(), can: ['view', 'control'] }))
  }
  if (message.type === 'ping') transport.send({ type: 'pong', now: serverNow() })
  if (message.type !== 'watch') return
  const named = message.connections ?? []
  transport.send({
    type: 'snapshot',
    id: message.id ?? 0,
    connections: rows.filter(({ id }) => message.all || named.includes(id)),
    missing: named.filter((id) => !rows.some((one) => one.id === id)),
    cursor: `${epoch}.${transports.length}.s`,
    final: true,
    now: serverNow(),
  })
}

function client(settings: Partial<ClientSettings> = {}): StatusClient {
  const made = createClient(
    { src: SRC, ...settings },
    {
      random: () => 0.5,
      open: (_src, listener) => {
        const transport = new FakeTransport(listener)
        transports.push(transport)
        if (!mute)
          queueMicrotask(() => {
            listener.onOpen()
          })
        return {
          send: (message) => {
            transport.received.push(message)
            if (!mute && !transport.closed)
              queueMicrotask(() => {
                answer(transport, message)
              })
            return true
          },
          close: () => {
            transport.closed = true
          },
        }
      },
    },
  )
  clients.push(made)
  return made
}

function last(): FakeTransport {
  return transports.at(-1) as FakeTransport
}

async function passes(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms)
}

/** Seconds in which the server pings as it should. */
async function beats(seconds: number): Promise<void> {
  for (let i = 0; i < seconds; i++) {
    if (i % 20 === 19 && !mute) last().send({ type: 'ping', now: serverNow(), cursor: 'e.9.s' })
    await passes(1_000)
  }
}

/** The machine sleeps: the clock goes on, timers do not. */
function sleeps(ms: number): void {
  vi.setSystemTime(Date.now() + ms)
}

async function live(settings: Partial<ClientSettings> = {}): Promise<StatusClient> {
  const made = client(settings)
  made.connection('a').subscribe(() => undefined)
  await passes(0)
  expect(made.link.state).toBe('live')
  return made
}

function statesOf(one: StatusClient): LinkState[] {
  const states: LinkState[] = []
  one.onLink(() => states.push(one.link.state))
  return states
}

/** A page around the client, which dispatches the events of a browser. */
function page(): { hidden: boolean; dispatch: (type: string) => void } {
  const target = new EventTarget()
  const document = { hidden: false, baseURI: SRC }
  vi.stubGlobal('document', document)
  vi.stubGlobal('navigator', { onLine: true })
  vi.stubGlobal('addEventListener', target.addEventListener.bind(target))
  return Object.assign(document, {
    dispatch: (type: string) => target.dispatchEvent(new Event(type)),
  })
}

test('the link is stale after silence longer than a heartbeat, since the last message of the server', async () => {
  const one = await live()
  await beats(20)
  const lastWordAt = Date.now() - 1_000
  mute = true
  await passes(33_000)
  expect(one.link.state).toBe('live')
  await passes(4_000)
  expect(one.link).toMatchObject({ state: 'stale', since: lastWordAt })
  expect(transports.length).toBeGreaterThan(1)
})

test('after an hour of sleep the client sends one ping, and the link stays live if the pong comes in time', async () => {
  const one = await live()
  const states = statesOf(one)
  sleeps(3_600_000)
  await passes(5_000)
  expect(last().receivedOf('ping').length).toBe(1)
  expect([states, transports.length]).toEqual([[], 1])
})

test('after an hour of sleep the client replaces a dead transport within three seconds, and the link stays live', async () => {
  const one = await live()
  const states = statesOf(one)
  sleeps(3_600_000)
  mute = true
  await passes(5_000)
  mute = false
  await passes(3_000)
  expect(transports.length).toBe(2)
  expect(one.link.state).toBe('live')
  expect(states).toEqual([])
})

test('a message that was sent before the sleep does not prove that the transport works', async () => {
  const one = await live()
  const wentAt = Date.now()
  sleeps(3_600_000)
  mute = true
  await passes(5_000)
  last().send({ type: 'patch', connections: [row('a', 2)], removed: [], missing: [] })
  await passes(3_100)
  expect(one.link.state).toBe('stale')
  expect(one.link.since).toBeLessThan(wentAt + 10_000)
})

test('a transport that delivers other messages stays open although the pong is late', async () => {
  const around = page()
  const one = await live()
  mute = true
  around.dispatch('visibilitychange')
  await passes(1_900)
  last().send({ type: 'patch', connections: [row('a', 2)], removed: [], missing: [] })
  await passes(10_000)
  expect([one.link.state, transports.length]).toEqual(['live', 1])
})

test('after a sleep without a network the link is stale within three seconds, since the sleep began', async () => {
  const one = await live()
  const wentAt = Date.now()
  sleeps(3_600_000)
  mute = true
  await passes(5_000 + 3_100)
  expect(one.link).toMatchObject({ state: 'stale', since: wentAt })
})

test('the client closes its transport after the page was hidden for five minutes, and opens another when the page is visible', async () => {
  const around = page()
  const one = await live()
  around.hidden = true
  around.dispatch('visibilitychange')
  await beats(299)
  expect(last().closed).toBe(false)
  await passes(1_000)
  expect(last().closed).toBe(true)
  await passes(3_600_000)
  expect([transports.length, one.link.state]).toEqual([1, 'stale'])
  around.hidden = false
  around.dispatch('visibilitychange')
  await passes(0)
  expect([transports.length, one.link.state]).toEqual([2, 'live'])
  expect(last().receivedOf('watch')[0]).toMatchObject({ cursor: 'e.9.s' })
})

test('with pauseHidden 0 a hidden page keeps its transport', async () => {
  const around = page()
  await live({ pauseHidden: 0 })
  around.hidden = true
  around.dispatch('visibilitychange')
  await beats(900)
  expect([transports.length, last().closed]).toEqual([1, false])
})

test.each([
  ['freeze', 'resume'],
  ['pagehide', 'pageshow'],
])(
  '%s closes the transport, %s opens another, and the link stays live between',
  async (away, back) => {
    const around = page()
    const one = await live()
    const states = statesOf(one)
    around.dispatch(away)
    expect(last().closed).toBe(true)
    await passes(500)
    around.dispatch(back)
    await passes(5_000)
    expect([transports.length, one.link.state, states]).toEqual([2, 'live', []])
  },
)

test('the link is offline at the event offline, and opens a transport at the event online', async () => {
  const around = page()
  const one = await live()
  around.dispatch('offline')
  expect([one.link.state, last().closed]).toEqual(['offline', true])
  around.dispatch('online')
  await passes(0)
  expect(one.link.state).toBe('live')
})

test('the client ignores messages and events of a former transport', async () => {
  const one = await live()
  const old = last()
  old.listener.onClose(1006)
  await passes(600)
  expect(transports.length).toBe(2)
  old.send({ type: 'patch', connections: [row('a', 99)], removed: [], missing: [] })
  old.listener.onClose(4003)
  old.listener.onOpen()
  expect([one.link.state, one.connection('a').get().connection?.revision]).toEqual(['live', 1])
})

test('after a bye the client waits for a time in the window that the server named, and the link stays live', async () => {
  const one = await live()
  const states = statesOf(one)
  last().send({ type: 'bye', code: 4200, reason: 'shutdown', reconnectAfterMs: [1_000, 3_000] })
  last().listener.onClose(1006)
  await passes(1_999)
  expect(transports.length).toBe(1)
  await passes(10)
  expect([transports.length, states]).toEqual([2, []])
  expect(one.link.state).toBe('live')
})

test('after a bye the client closes the transport without waiting for the close frame', async () => {
  const one = await live()
  const states = statesOf(one)
  const spokenTo = last()
  spokenTo.send({ type: 'bye', code: 4200, reason: 'shutdown', reconnectAfterMs: [8_000, 8_000] })
  expect(spokenTo.closed).toBe(true)
  await passes(3_000)
  expect(states).toEqual(['stale'])
  await passes(5_010)
  expect([transports.length, one.link.state]).toEqual([2, 'live'])
})

test('the link is stale while the server can not read its database, although the transport works', async () => {
  const one = await live()
  last().send({ type: 'feed', state: 'stale', since: '2026-11-23T18:59:50.000Z' })
  expect(one.link).toMatchObject({ state: 'stale', since: Date.parse('2026-11-23T18:59:50.000Z') })
  last().send({ type: 'feed', state: 'live', since: serverNow() })
  expect(one.link.state).toBe('live')
})

test('the link is stale after the first answer if the server has sent a stale feed before it', async () => {
  mute = true
  const one = client()
  one.watch({ all: true }, () => undefined)
  await passes(0)
  mute = false
  last().listener.onOpen()
  last().send({ type: 'feed', state: 'stale', since: serverNow() })
  await passes(0)
  // Sent before the welcome here. A server sends it after the welcome, and before the answer.
  last().send({ type: 'feed', state: 'stale', since: serverNow() })
  expect(one.link.state).toBe('stale')
})

test.each([-3_600_000, 3_600_000])(
  'times of the link are right where the clock of the device is off by %i ms',
  async (offMs) => {
    aheadMs = offMs
    const one = await live()
    expect(one.now()).toBe(Date.now() + offMs)
    last().listener.onClose(1006)
    mute = true
    await passes(1_100)
    expect(one.link.since).toBe(one.now() - 1_100)
    last().listener.onClose(1006)
    const wait = (one.link.retryAt ?? 0) - one.now()
    expect(wait).toBeGreaterThan(0)
    expect(wait).toBeLessThanOrEqual(20_000)
  },
)

test('a site is answered from the final page of its snapshot until it is unwatched', async () => {
  mute = true
  const one = client()
  const site = { sites: ['s1'] }
  let calls = 0
  const leave = one.watch(site, () => calls++)
  await passes(0)
  last().listener.onOpen()
  answer(last(), { type: 'hello' })
  const page = { type: 'snapshot', id: 1, missing: [], now: serverNow() } as const
  last().send({ ...page, connections: [row('a', 1)], final: false })
  expect([one.answered(site), one.rows().length, calls]).toEqual([false, 1, 1])
  last().send({ ...page, connections: [], final: true, cursor: 'e.1.s' })
  expect([one.answered(site), one.answered({ sites: ['s1', 's2'] })]).toEqual([true, false])
  expect(calls).toBe(2)
  last().listener.onClose(1006)
  expect(one.answered(site)).toBe(true)
  leave()
  await passes(5_200)
  expect(one.answered(site)).toBe(false)
})

test('a site without rows is answered, and a site without a listener is not', async () => {
  mute = true
  const one = client()
  one.watch({ all: true }, () => undefined)
  let calls = 0
  one.watch({ sites: ['empty'] }, () => calls++)
  const leave = one.watch({ sites: ['left'] }, () => undefined)
  await passes(0)
  last().listener.onOpen()
  answer(last(), { type: 'hello' })
  leave()
  await passes(5_200)
  const page = { type: 'snapshot', connections: [], missing: [], now: serverNow() } as const
  last().send({ ...page, id: 1, final: true })
  expect([one.answered({ sites: ['empty'] }), one.answered({ sites: ['left'] }), calls]).toEqual([
    true,
    false,
    1,
  ])
})

test('a watch of nothing keeps the transport open after the last row is unwatched, and its end closes it', async () => {
  const one = client()
  const leaveLink = one.watch({}, () => undefined)
  const leaveRow = one.connection('a').subscribe(() => undefined)
  await passes(0)
  leaveRow()
  await passes(5_200)
  expect([one.link.state, last().closed]).toEqual(['live', false])
  expect(last().receivedOf('unwatch')).toEqual([{ type: 'unwatch', connections: ['a'] }])
  leaveLink()
  await passes(5_200)
  expect(last().closed).toBe(true)
  expect(last().receivedOf('unwatch').length).toBe(1)
})

test('the shortest round trip sets the server time, until the clock of the device jumps', async () => {
  aheadMs = 60_000
  const one = await live()
  await passes(5_000)
  aheadMs = 90_000
  // The last request was sent seconds ago, so this sample is worse.
  last().send({ type: 'pong', now: serverNow() })
  expect(one.now() - Date.now()).toBe(60_000)
  sleeps(30_000)
  aheadMs = 60_000
  await passes(5_000)
  expect(one.now() - Date.now()).toBe(60_000)
})

test('after a welcome of another epoch the client drops all rows and accepts lower revisions', async () => {
  rows = [row('a', 50)]
  const one = await live()
  epoch = 'f'
  rows = [row('a', 2, { status: 'failed' })]
  last().listener.onClose(1006)
  await passes(600)
  expect(one.connection('a').get().connection).toMatchObject({ revision: 2, status: 'failed' })
})

test('polling: a client that a listener closes sends no further request', async () => {
  vi.stubGlobal('fetch', () =>
    Promise.resolve(
      Response.json({
        ...{ type: 'snapshot', connections: rows, missing: [], cursor: 'e.1.s', final: true },
        can: ['view'],
      }),
    ),
  )
  const one = createClient({ src: SRC, transport: 'poll' })
  clients.push(one)
  let calls = 0
  one.watch({ all: true }, () => {
    calls++
    one.close()
  })
  while (calls === 0) await vi.dynamicImportSettled()
  await vi.dynamicImportSettled()
  expect([calls, vi.getTimerCount()]).toEqual([1, 0])
})

test('the client ignores a lower revision, and an unchanged row keeps its identity', async () => {
  rows = [row('a', 5)]
  const one = await live()
  const { connection } = one.connection('a').get()
  last().send({ type: 'patch', connections: [row('a', 4)], removed: [], missing: [] })
  last().send({ type: 'patch', connections: [row('a', 5)], removed: [], missing: [] })
  expect(one.connection('a').get().connection).toBe(connection)
  expect(one.rows()).toBe(one.rows())
  expect(one.connection('a')).toBe(one.connection('a'))
})

test('tokens: the client retries token-src while it answers 503, and requests no other token while the last one is fresh', async () => {
  let status = 503
  let asked = 0
  vi.stubGlobal('fetch', () => {
    asked++
    return Promise.resolve(Response.json({ token: `t${asked}`, expiresIn: 600 }, { status }))
  })
  const one = client({ tokenSrc: 'http://portal.test/token' })
  one.connection('a').subscribe(() => undefined)
  await passes(60_000)
  expect([one.link.state, transports.length]).toEqual(['connecting', 0])
  expect(asked).toBeGreaterThan(3)
  status = 200
  await passes(20_000)
  expect(one.link.state).toBe('live')
  await beats(31)
  const before = asked
  last().listener.onClose(1006)
  await passes(600)
  expect([one.link.state, asked]).toEqual(['live', before])
})

test('tokens: the client renews a token on the open transport, although two requests for one fail before', async () => {
  let answers = 0
  const one = client({
    getToken: () => {
      answers++
      if (answers === 2) return Promise.reject(new Error('away'))
      if (answers === 3) return new Promise<string>(() => undefined)
      return `t${answers}`
    },
  })
  one.connection('a').subscribe(() => undefined)
  await passes(0)
  last().send({ type: 'expiring', expiresAt: serverNow() })
  await beats(20)
  expect(last().receivedOf('auth')).toEqual([{ type: 'auth', token: 't4' }])
  expect([one.link.state, transports.length]).toEqual(['live', 1])
})

test('tokens: a renewed token is not sent on a later transport', async () => {
  let give: (token: string) => void = () => undefined
  let answers = 0
  client({
    getToken: () => (answers++ === 1 ? new Promise<string>((resolve) => (give = resolve)) : 'now'),
  })
    .connection('a')
    .subscribe(() => undefined)
  await passes(0)
  last().send({ type: 'expiring', expiresAt: serverNow() })
  await passes(0)
  last().listener.onClose(1006)
  await passes(600)
  give('late')
  await passes(0)
  expect(transports.map((transport) => transport.receivedOf('auth').length)).toEqual([0, 0])
})

test('tokens: after a close with token_expired the next hello has another token', async () => {
  let answers = 0
  const one = client({ getToken: () => ({ token: `t${++answers}`, expiresIn: 3_600 }) })
  one.connection('a').subscribe(() => undefined)
  await passes(0)
  last().listener.onClose(4101)
  await passes(600)
  expect(transports.map((transport) => transport.receivedOf('hello')[0]?.token)).toEqual([
    't1',
    't2',
  ])
  expect(one.link.state).toBe('live')
})

test('tokens: the client replaces a refused token at once, and after a second refusal waits for minutes', async () => {
  let asked = 0
  refusing = true
  const one = client({ getToken: () => `t${++asked}` })
  one.connection('a').subscribe(() => undefined)
  await passes(60_000)
  expect([one.link.state, asked, transports.length]).toEqual(['unauthorized', 2, 2])
  expect(one.link).toMatchObject({ cause: 'refused', retryAt: one.now() + 30_000 })
  one.refresh()
  await passes(60_000)
  expect([one.link.state, asked, transports.length]).toEqual(['unauthorized', 4, 4])
  refusing = false
  one.setToken('brought')
  await passes(0)
  expect(one.link.state).toBe('live')
  // After a welcome the client counts refusals anew, because the next token may be accepted.
  last().listener.onClose(4001)
  await passes(600)
  expect([one.link.state, asked, transports.length]).toEqual(['live', 5, 6])
  // The close code token_expired counts as no refusal.
  last().listener.onClose(4101)
  await passes(20_000)
  expect([one.link.state, asked, transports.length]).toEqual(['live', 6, 7])
})

/** The session has ended, so the portal redirects to its login page. */
function login(): Promise<Response> {
  return Promise.resolve(Object.defineProperty(new Response('<p>'), 'redirected', { value: true }))
}

function away(): never {
  throw new Error('away')
}

test.each([
  ['/token', 'answered with status 500', () => Promise.resolve(new Response('', { status: 500 }))],
  ['/token', 'did not answer with JSON, but led to another page', login],
  ['/token', 'did not answer with JSON', () => Promise.resolve(new Response('secret'))],
  ['/token', 'answered without a token', () => Promise.resolve(Response.json({ jwt: 'secret' }))],
  ['/token', 'can not be reached', () => Promise.reject(new TypeError('Failed to fetch'))],
  ['getToken', 'threw: away', away],
  ['getToken', 'answered without a token', () => undefined],
  ['getToken', 'answered without a token', () => ({ jwt: 'secret' })],
  ['getToken', 'did not answer within 10 s', () => new Promise(() => undefined)],
])(
  'tokens: the client warns once in a row that %s %s, and retries',
  async (source, wrong, fails) => {
    let good = false
    const getToken = (): string => (good ? 'good' : (fails() as never))
    const get = (): unknown => (good ? Promise.resolve(Response.json({ token: 'good' })) : fails())
    vi.stubGlobal('fetch', get)
    const one = client(source === 'getToken' ? { getToken } : { tokenSrc: source })
    one.connection('a').subscribe(() => undefined)
    await passes(60_000)
    expect([one.link.state, transports.length]).toEqual(['connecting', 0])
    expect(warned).toEqual([expect.stringContaining(`mqtt-status: ${source} ${wrong}. It has to `)])
    expect(warned.join()).not.toContain('secret')
    good = true
    await passes(40_000)
    expect(one.link.state).toBe('live')
    good = false
    last().listener.onClose(4101)
    await passes(60_000)
    expect(warned.length).toBe(2)
  },
)

test('tokens: without a token for the visitor the client opens no transport, until the page calls setToken', async () => {
  let asked = 0
  vi.stubGlobal('fetch', () => {
    asked++
    return Promise.resolve(new Response(null, { status: 401 }))
  })
  const one = client({ tokenSrc: 'http://portal.test/token' })
  one.connection('a').subscribe(() => undefined)
  const other = client({ getToken: () => null })
  other.connection('a').subscribe(() => undefined)
  await passes(600_000)
  expect([one.link, transports.length]).toMatchObject([
    { state: 'unauthorized', cause: 'signed_out', retryAt: expect.any(Number) as number },
    0,
  ])
  expect(asked).toBeLessThan(6)
  expect([other.link.state, other.link.cause, warned]).toEqual(['unauthorized', 'signed_out', []])
  one.refresh()
  await passes(0)
  expect(one.link.state).toBe('unauthorized')
  one.setToken('brought')
  await passes(0)
  expect([one.link.state, last().receivedOf('hello')[0]?.token]).toEqual(['live', 'brought'])
})

test('tokens: the client goes live after the visitor signs in, and is unauthorized without a cause after the session ends', async () => {
  let signedIn = false
  const one = client({ getToken: () => (signedIn ? 'token' : null) })
  one.connection('a').subscribe(() => undefined)
  await passes(60_000)
  expect(one.link).toMatchObject({ state: 'unauthorized', cause: 'signed_out' })
  signedIn = true
  await passes(30_100)
  expect(one.link.state).toBe('live')
  signedIn = false
  last().listener.onClose(4101)
  await passes(600)
  expect(one.link).toMatchObject({ state: 'unauthorized', cause: null })
  signedIn = true
  await passes(600_000)
  expect(one.link.state).toBe('live')
})

test('tokens: the cause is token_source while the source fails, before and after the link was live', async () => {
  let fails = true
  const one = client({
    getToken: () => (fails ? Promise.reject(new Error('away')) : { token: 't', expiresIn: 3_600 }),
  })
  one.connection('a').subscribe(() => undefined)
  await passes(5_000)
  expect(one.link).toMatchObject({ state: 'connecting', cause: 'token_source' })
  fails = false
  await passes(20_000)
  expect(one.link).toMatchObject({ state: 'live', cause: null })
  fails = true
  last().listener.onClose(4101)
  await passes(20_000)
  expect(one.link).toMatchObject({ state: 'stale', cause: 'token_source' })
})

test.each(Object.entries(CLOSE_CODES))(
  'after %s (%i) the client retries for as long as the server refuses it, and the link has the time of the next attempt',
  async (name, code) => {
    const { retry, state } = FAILURES[name as CloseName]
    const one = await live({ token: 'x' })
    const causes = new Set<unknown>()
    one.onLink(() => causes.add(`${one.link.state} ${one.link.cause ?? ''}`))
    last().listener.onClose(code)
    const closedAt = Date.now()
    if (state) expect(one.link.state).toBe(state)
    // The server refuses each attempt.
    mute = true
    const refuse = async (): Promise<void> => {
      last().listener.onOpen()
      last().listener.onClose(code)
      await passes(0)
    }
    for (let attempt = transports.length; attempt < 6; attempt++) {
      while (transports.length === attempt) await passes(1_000)
      await refuse()
      expect(one.link.retryAt).toBeGreaterThan(one.now() - 1)
      if (state) expect(one.link.state).toBe(state)
      else expect(one.link.state).toBe('stale')
    }
    const tookMs = Date.now() - closedAt
    if (retry === 'slowly') expect(tookMs).toBeGreaterThan(4 * 60_000)
    expect(tookMs).toBeLessThan(retry === 'slowly' ? 40 * 60_000 : 60_000)
    mute = false
    await passes(retry === 'slowly' ? 600_000 : 20_000)
    expect(one.link).toMatchObject({ state: 'live', cause: null, retryAt: null })
  },
)

test.each([
  [4003, 'forbidden'],
  [4006, 'incompatible'],
  [4009, 'unavailable'],
  [4001, 'unauthorized'],
  [4099, 'unavailable'],
] as const)(
  '%i: the link is %s until the page calls refresh or becomes visible',
  async (code, state) => {
    const around = page()
    const one = await live()
    last().listener.onClose(code)
    expect(one.link.state).toBe(state)
    one.refresh()
    await passes(0)
    expect(one.link.state).toBe('live')
    last().listener.onClose(code)
    mute = true
    around.dispatch('visibilitychange')
    // The state stays until the attempt has an outcome.
    expect([one.link.state, transports.length]).toEqual([state, 2])
    await passes(0)
    expect([one.link.state, transports.length]).toEqual([state, 3])
    around.dispatch('offline')
    expect(one.link.state).toBe('offline')
    mute = false
    around.dispatch('online')
    await passes(0)
    expect(one.link.state).toBe('live')
  },
)

test('the console has the notice of a welcome once, however often the client reconnects', async () => {
  const errors: unknown[] = []
  vi.spyOn(console, 'error').mockImplementation((message) => errors.push(message))
  const one = await live()
  expect(errors).toEqual([])
  const notice = 'The token permits nothing: it names neither sites nor connections.'
  for (let i = 0; i < 2; i++) {
    last().send(welcome({ epoch, notice }))
    last().listener.onClose(1006)
    await passes(20_000)
    expect(one.link.state).toBe('live')
  }
  expect(errors).toEqual([`mqtt-status: ${notice}`])
})

test('the cause is unreachable until the server answers for the first time', async () => {
  mute = true
  const one = client()
  const causes: unknown[] = []
  one.onLink(() => causes.push(one.link.cause))
  one.connection('a').subscribe(() => undefined)
  await passes(0)
  expect(one.link).toMatchObject({ state: 'connecting', cause: null })
  last().listener.onClose(1006)
  for (let i = 0; i < 6; i++) {
    expect(one.link).toMatchObject({ state: 'connecting', cause: 'unreachable' })
    // The cause stays while the next attempt is under way.
    await passes(12_000)
    last().listener.onClose(1006)
  }
  expect(new Set(causes)).toEqual(new Set(['unreachable']))
  mute = false
  await passes(20_000)
  expect(one.link).toMatchObject({ state: 'live', cause: null })
})

test('the cause is refused where the server has never accepted the token', async () => {
  refusing = true
  const one = client({ token: 'x' })
  one.connection('a').subscribe(() => undefined)
  await passes(0)
  expect(one.link).toMatchObject({ state: 'unauthorized', cause: 'refused' })
})

test.each([
  [{}, 'tokenless'],
  [{ token: 'x' }, null],
] as const)(
  'the cause of a refusal depends on whether the page has a token: %o',
  async (settings, cause) => {
    const one = await live(settings)
    last().listener.onClose(4001)
    expect(one.link).toMatchObject({ state: 'unauthorized', cause })
  },
)

test('the link of a client that is closed, or has no listener, is stale since the last message', async () => {
  const one = await live()
  await beats(20)
  const saidMs = Date.now() - 1_000
  const states = statesOf(one)
  one.close()
  expect(states).toEqual(['stale'])
  expect(one.link).toEqual({ state: 'stale', since: saidMs, retryAt: null, cause: null })
  const two = client()
  const leave = two.connection('a').subscribe(() => undefined)
  await passes(0)
  leave()
  await passes(4_000)
  expect(two.link.state).toBe('live')
  await passes(1_000)
  expect(two.link.state).toBe('stale')
  two.connection('a').subscribe(() => undefined)
  expect(two.link.state).toBe('connecting')
  await passes(0)
  expect(two.link.state).toBe('live')
  // After a restart, too, the page is not notified of a loss that ends within a second.
  const after = statesOf(two)
  last().listener.onClose(1006)
  await passes(900)
  expect(after).toEqual([])
})

test('refresh opens a transport at once', async () => {
  const one = await live()
  mute = true
  last().listener.onClose(1006)
  for (let i = 0; i < 6; i++) {
    await passes(12_000)
    last().listener.onClose(1006)
  }
  mute = false
  expect(one.link.retryAt).toBeGreaterThan(one.now() + 2_000)
  one.refresh()
  await passes(0)
  expect(one.link.state).toBe('live')
})

test('the client makes a request id for a command without one, also where there is no crypto.randomUUID', async () => {
  const keys: unknown[] = []
  vi.stubGlobal('crypto', { getRandomValues: crypto.getRandomValues.bind(crypto) })
  vi.stubGlobal('fetch', (_url: string, { headers }: { headers: Record<string, string> }) => {
    keys.push(headers['idempotency-key'])
    return Promise.resolve(Response.json({ code: 'forbidden' }, { status: 403 }))
  })
  const one = await live()
  const outcomes = [one.command('a', 'connect'), one.command('a', 'connect', {})]
  await passes(0)
  await vi.waitFor(() => {
    expect(keys.length).toBe(2)
  })
  await Promise.all(outcomes)
  expect(keys).toEqual([
    expect.stringMatching(/^[\da-f]{32}$/),
    expect.stringMatching(/^[\da-f]{32}$/),
  ])
  expect(new Set(keys).size).toBe(2)
})

test.each([
  ['/relative', false],
  ['not a url', false],
  ['not a url', true],
  ['status.example.com', true],
  ['localhost:8001', true],
  ['https://[', true],
])('the client throws for src="%s" and says why (on a page: %s)', (src, onPage) => {
  if (onPage) page()
  const refusal = `mqtt-status: "${src}" is no address: src has to be absolute (https://…)`
  expect(() => clientFor({ src })).toThrow(refusal)
  expect(() => createClient({ src })).toThrow(refusal)
})

test.each([
  ['/mqtt', 'http://status.test/mqtt/'],
  ['./', SRC],
  ['//other.test', 'http://other.test/'],
  ['HTTPS://other.test/a?b', 'https://other.test/a/?b'],
])('on a page src="%s" resolves to %s', (src, address) => {
  page()
  expect(createClient({ src }).src).toBe(address)
})

test('a command without an answer ends as a timeout, and a late row settles it', async () => {
  vi.stubGlobal('fetch', () => new Promise(() => undefined))
  const one = await live()
  const ended = vi.fn()
  void one.command('a', 'disconnect', { requestId: 'r' }).then(ended)
  await beats(14)
  expect(ended).not.toHaveBeenCalled()
  await beats(2)
  expect(ended).toHaveBeenCalledWith({ outcome: 'timeout', code: null })
  expect(one.connection('a').get().pending).toEqual({ action: 'disconnect', phase: 'overdue' })
  const late = row('a', 2, { generation: 2, observedGeneration: 2, status: 'disconnected' })
  last().send({ type: 'patch', connections: [late], removed: [], missing: [] })
  expect(one.connection('a').get().pending).toBeNull()
})

test('a command ends as unknown when a later one of this page or of another page replaces it', async () => {
  vi.stubGlobal('fetch', (input: string) => {
    const generation = input.endsWith('disconnect') ? 2 : 3
    const connection = row('a', generation, { generation, desired: 'connected' })
    return Promise.resolve(Response.json({ connection, generation, timeoutMs: 15_000 }))
  })
  const one = await live()
  const first = one.command('a', 'disconnect', { requestId: 'r1' })
  const second = one.command('a', 'connect', { requestId: 'r2' })
  expect(await first).toEqual({ outcome: 'unknown', code: null })
  await passes(0)
  const later = row('a', 9, { generation: 4, observedGeneration: 4, status: 'disconnected' })
  last().send({ type: 'patch', connections: [later], removed: [], missing: [] })
  expect(await second).toEqual({ outcome: 'unknown', code: null })
  expect(one.connection('a').get().pending).toBeNull()
})

test('the client does not call a listener that was removed during a notification, and calls the others after one throws', async () => {
  const caught: unknown[] = []
  vi.stubGlobal('queueMicrotask', (work: () => void) => {
    void Promise.resolve()
      .then(work)
      .catch((error: unknown) => caught.push(error))
  })
  const one = await live()
  let heard = 0
  let leave: () => void = () => undefined
  one.onLink(() => {
    leave()
    throw new Error('a listener of the page')
  })
  leave = one.onLink(() => heard++)
  one.onLink(() => (heard += 10))
  last().send({ type: 'feed', state: 'stale', since: serverNow() })
  await passes(0)
  expect([heard, caught.length]).toEqual([10, 1])
})

test('five seconds after the last listeners leave, the client sends one unwatch for all and drops the rows', async () => {
  rows = Array.from({ length: 20 }, (_, i) => row(`c${i}`, i + 1))
  const one = await live()
  const leaves = rows.map(({ id }) => one.connection(id).subscribe(() => undefined))
  await passes(0)
  expect(one.rows().length).toBe(20)
  for (const leave of leaves) leave()
  for (const leave of leaves) leave()
  await passes(4_900)
  expect(last().receivedOf('unwatch')).toEqual([])
  await passes(200)
  expect(last().receivedOf('unwatch').length).toBe(1)
  expect([one.rows().length, one.connection('c1').get().connection]).toEqual([0, null])
  // The server sent this patch before it received the unwatch.
  last().send({ type: 'patch', connections: [row('c1', 99)], removed: [], missing: [] })
  expect(one.rows().length).toBe(0)
})

test.each(['limit_watch', 'internal'] as const)(
  'the client reports an error message that answers no watch, and keeps its rows: %s',
  async (code) => {
    const caught: unknown[] = []
    const one = await live()
    vi.stubGlobal('queueMicrotask', (work: () => void) => {
      void Promise.resolve()
        .then(work)
        .catch((error: unknown) => caught.push(error))
    })
    last().send({ type: 'error', code, message: 'Too many', retryable: false })
    await passes(0)
    expect([one.link.state, transports.length, caught.length]).toEqual(['live', 1, 1])
    expect(one.connection('a').get().connection?.revision).toBe(1)
  },
)

test('the registry under the symbol and its clients have every member that bundles of other versions use', () => {
  const one = clientFor({ src: SRC })
  clients.push(one)
  const registry = Reflect.get(globalThis, Symbol.for('mqtt-status.client.v1')) as object
  const names = Object.getOwnPropertyNames(Object.getPrototypeOf(one)).toSorted()
  expect(Object.keys(registry)).toEqual(['clients', 'functions'])
  expect(names).toEqual(
    [
      ...[
        'answered',
        'can',
        'close',
        'command',
        'connection',
        'constructor',
        'link',
        'now',
        'onLink',
      ],
      ...['refresh', 'refusal', 'rows', 'setToken', 'summary', 'watch'],
    ].toSorted(),
  )
  expect(Object.keys(one.connection('a')).toSorted()).toEqual(['get', 'subscribe'])
  expect(one.src).toBe(SRC)
})

test.each(['', 'not json', 'null', '5', '[]', '{"type":{}}', '<!doctype html>', '{"type":"pat'])(
  'after a frame that is no message the client opens another transport and watches without a cursor: %j',
  async (frame) => {
    const one = await live()
    await beats(20)
    last().listener.onMessage(frame)
    expect(last().closed).toBe(true)
    await passes(1_000)
    expect([one.link.state, transports.length]).toEqual(['live', 2])
    // The frame may have been a patch, so the client must not resume after it.
    expect(last().receivedOf('watch')[0]).not.toHaveProperty('cursor')
  },
)

test.each([
  '{"type":"patch"}',
  '{"type":"patch","connections":[null,5,"x",[],{},{"id":7}],"removed":[null,5],"missing":[{}]}',
  '{"type":"welcome"}',
  '{"type":"feed","state":"live"}',
  '{"type":"banner","text":"of later"}',
])(
  'the client applies the next patch after a message with fields of other types: %s',
  async (frame) => {
    const one = await live()
    last().listener.onMessage(frame)
    last().send({ type: 'patch', connections: [row('a', 2)], removed: [], missing: [] })
    expect([one.link.state, transports.length]).toEqual(['live', 1])
    expect(one.connection('a').get().connection?.revision).toBe(2)
  },
)

test('after a bye without a window the client waits as after any loss', async () => {
  const one = await live()
  last().listener.onMessage('{"type":"bye","code":4200}')
  await passes(1_000)
  expect([one.link.state, transports.length]).toEqual(['live', 2])
})

/** Hours of a page's life on a clock that is moved: a server of the test's own answers. */
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
// Pages load these when they need them; a clock that is moved waits for no file.
import './commands.ts'
import './token/token-source.ts'
import type { TransportListener } from './transport/transport.ts'

const SRC = 'http://status.test/'

class Line {
  readonly listener: TransportListener
  readonly said: ClientMessage[] = []
  closed = false

  constructor(listener: TransportListener) {
    this.listener = listener
  }

  hear(message: ServerMessage): void {
    this.listener.onMessage(JSON.stringify(message))
  }

  asked<T extends ClientMessage['type']>(type: T): Extract<ClientMessage, { type: T }>[] {
    return this.said.filter((one) => one.type === type) as Extract<ClientMessage, { type: T }>[]
  }
}

let lines: Line[]
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
  lines = []
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

function answer(line: Line, message: ClientMessage): void {
  if (refusing) line.listener.onClose(4001)
  else if (message.type === 'hello' || message.type === 'auth') {
    line.hear(welcome({ epoch, now: serverNow(), can: ['view', 'control'] }))
  }
  if (message.type === 'ping') line.hear({ type: 'pong', now: serverNow() })
  if (message.type !== 'watch') return
  const named = message.connections ?? []
  line.hear({
    type: 'snapshot',
    id: message.id ?? 0,
    connections: rows.filter(({ id }) => message.all || named.includes(id)),
    missing: named.filter((id) => !rows.some((one) => one.id === id)),
    cursor: `${epoch}.${lines.length}.s`,
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
        const line = new Line(listener)
        lines.push(line)
        if (!mute)
          queueMicrotask(() => {
            listener.onOpen()
          })
        return {
          send: (message) => {
            line.said.push(message)
            if (!mute && !line.closed)
              queueMicrotask(() => {
                answer(line, message)
              })
            return true
          },
          close: () => {
            line.closed = true
          },
        }
      },
    },
  )
  clients.push(made)
  return made
}

function last(): Line {
  return lines.at(-1) as Line
}

async function passes(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms)
}

/** Seconds in which the server pings as it should. */
async function beats(seconds: number): Promise<void> {
  for (let i = 0; i < seconds; i++) {
    if (i % 20 === 19 && !mute) last().hear({ type: 'ping', now: serverNow(), cursor: 'e.9.s' })
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

/** A page around the client, with what it may tell. */
function page(): { hidden: boolean; tell: (type: string) => void } {
  const target = new EventTarget()
  const document = { hidden: false, baseURI: SRC }
  vi.stubGlobal('document', document)
  vi.stubGlobal('navigator', { onLine: true })
  vi.stubGlobal('addEventListener', target.addEventListener.bind(target))
  return Object.assign(document, { tell: (type: string) => target.dispatchEvent(new Event(type)) })
}

test('silence for longer than a heartbeat is a loss, and what is shown was true until the last word', async () => {
  const one = await live()
  await beats(20)
  const lastWordAt = Date.now() - 1_000
  mute = true
  await passes(33_000)
  expect(one.link.state).toBe('live')
  await passes(4_000)
  expect(one.link).toMatchObject({ state: 'stale', since: lastWordAt })
  expect(lines.length).toBeGreaterThan(1)
})

test('a laptop that slept for an hour notices, asks, and says nothing if the answer comes in time', async () => {
  const one = await live()
  const states = statesOf(one)
  sleeps(3_600_000)
  await passes(5_000)
  expect(last().asked('ping').length).toBe(1)
  expect([states, lines.length]).toEqual([[], 1])
})

test('a laptop that slept for an hour on a dead line has a new one within three seconds, and said nothing', async () => {
  const one = await live()
  const states = statesOf(one)
  sleeps(3_600_000)
  mute = true
  await passes(5_000)
  mute = false
  await passes(3_000)
  expect(lines.length).toBe(2)
  expect(one.link.state).toBe('live')
  expect(states).toEqual([])
})

test('what was still under way when a laptop fell asleep does not prove that its line lives', async () => {
  const one = await live()
  const wentAt = Date.now()
  sleeps(3_600_000)
  mute = true
  await passes(5_000)
  last().hear({ type: 'patch', connections: [row('a', 2)], removed: [], missing: [] })
  await passes(3_100)
  expect(one.link.state).toBe('stale')
  expect(one.link.since).toBeLessThan(wentAt + 10_000)
})

test('a line that is busy is not given up because the answer to a question takes its turn', async () => {
  const around = page()
  const one = await live()
  mute = true
  around.tell('visibilitychange')
  await passes(1_900)
  last().hear({ type: 'patch', connections: [row('a', 2)], removed: [], missing: [] })
  await passes(10_000)
  expect([one.link.state, lines.length]).toEqual(['live', 1])
})

test('a laptop that slept where there is no network any more says so after three seconds, as of then', async () => {
  const one = await live()
  const wentAt = Date.now()
  sleeps(3_600_000)
  mute = true
  await passes(5_000 + 3_100)
  expect(one.link).toMatchObject({ state: 'stale', since: wentAt })
})

test('a page that is hidden for five minutes lets go of its line, and has it back when it is seen', async () => {
  const around = page()
  const one = await live()
  around.hidden = true
  around.tell('visibilitychange')
  await beats(299)
  expect(last().closed).toBe(false)
  await passes(1_000)
  expect(last().closed).toBe(true)
  await passes(3_600_000)
  expect([lines.length, one.link.state]).toEqual([1, 'stale'])
  around.hidden = false
  around.tell('visibilitychange')
  await passes(0)
  expect([lines.length, one.link.state]).toEqual([2, 'live'])
  expect(last().asked('watch')[0]).toMatchObject({ cursor: 'e.9.s' })
})

test('a page that never pauses keeps its line, hidden or not', async () => {
  const around = page()
  await live({ pauseHidden: 0 })
  around.hidden = true
  around.tell('visibilitychange')
  await beats(900)
  expect([lines.length, last().closed]).toEqual([1, false])
})

test.each([
  ['freeze', 'resume'],
  ['pagehide', 'pageshow'],
])('%s closes, %s opens, and the page shows no state between', async (away, back) => {
  const around = page()
  const one = await live()
  const states = statesOf(one)
  around.tell(away)
  expect(last().closed).toBe(true)
  await passes(500)
  around.tell(back)
  await passes(5_000)
  expect([lines.length, one.link.state, states]).toEqual([2, 'live', []])
})

test('offline is said at once; online dials at once', async () => {
  const around = page()
  const one = await live()
  around.tell('offline')
  expect([one.link.state, last().closed]).toEqual(['offline', true])
  around.tell('online')
  await passes(0)
  expect(one.link.state).toBe('live')
})

test('what an old line still says is not listened to', async () => {
  const one = await live()
  const old = last()
  old.listener.onClose(1006)
  await passes(600)
  expect(lines.length).toBe(2)
  old.hear({ type: 'patch', connections: [row('a', 99)], removed: [], missing: [] })
  old.listener.onClose(4003)
  old.listener.onOpen()
  expect([one.link.state, one.connection('a').get().connection?.revision]).toEqual(['live', 1])
})

test('a goodbye is followed by a wait in its window, without a word', async () => {
  const one = await live()
  const states = statesOf(one)
  last().hear({ type: 'bye', code: 4200, reason: 'shutdown', reconnectAfterMs: [1_000, 3_000] })
  last().listener.onClose(1006)
  await passes(1_999)
  expect(lines.length).toBe(1)
  await passes(10)
  expect([lines.length, states]).toEqual([2, []])
  expect(one.link.state).toBe('live')
})

test('after a bye the client does not wait for the close frame, and is not live', async () => {
  const one = await live()
  const states = statesOf(one)
  const spokenTo = last()
  spokenTo.hear({ type: 'bye', code: 4200, reason: 'shutdown', reconnectAfterMs: [8_000, 8_000] })
  expect(spokenTo.closed).toBe(true)
  await passes(3_000)
  expect(states).toEqual(['stale'])
  await passes(5_010)
  expect([lines.length, one.link.state]).toEqual([2, 'live'])
})

test('what the database does not say is stale although the line lives', async () => {
  const one = await live()
  last().hear({ type: 'feed', state: 'stale', since: '2026-11-23T18:59:50.000Z' })
  expect(one.link).toMatchObject({ state: 'stale', since: Date.parse('2026-11-23T18:59:50.000Z') })
  last().hear({ type: 'feed', state: 'live', since: serverNow() })
  expect(one.link.state).toBe('live')
})

test('a feed that was stale before the first answer is stale after it', async () => {
  mute = true
  const one = client()
  one.watch({ all: true }, () => undefined)
  await passes(0)
  mute = false
  last().listener.onOpen()
  last().hear({ type: 'feed', state: 'stale', since: serverNow() })
  await passes(0)
  // Sent before the welcome here. A server sends it after the welcome, and before the answer.
  last().hear({ type: 'feed', state: 'stale', since: serverNow() })
  expect(one.link.state).toBe('stale')
})

test.each([-3_600_000, 3_600_000])(
  'a clock that is off by %i ms makes no difference',
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

test('a site is answered when all of its rows have come, and until it is let go of', async () => {
  mute = true
  const one = client()
  const site = { sites: ['s1'] }
  let calls = 0
  const leave = one.watch(site, () => calls++)
  await passes(0)
  last().listener.onOpen()
  answer(last(), { type: 'hello' })
  const page = { type: 'snapshot', id: 1, missing: [], now: serverNow() } as const
  last().hear({ ...page, connections: [row('a', 1)], final: false })
  expect([one.answered(site), one.rows().length, calls]).toEqual([false, 1, 1])
  last().hear({ ...page, connections: [], final: true, cursor: 'e.1.s' })
  expect([one.answered(site), one.answered({ sites: ['s1', 's2'] })]).toEqual([true, false])
  expect(calls).toBe(2)
  last().listener.onClose(1006)
  expect(one.answered(site)).toBe(true)
  leave()
  await passes(5_200)
  expect(one.answered(site)).toBe(false)
})

test('a site without rows is answered too, and a site without a listener is not', async () => {
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
  last().hear({ ...page, id: 1, final: true })
  expect([one.answered({ sites: ['empty'] }), one.answered({ sites: ['left'] }), calls]).toEqual([
    true,
    false,
    1,
  ])
})

test('who listens to the line alone keeps it when the last row is let go of, and lets it go at last', async () => {
  const one = client()
  const leaveLine = one.watch({}, () => undefined)
  const leaveRow = one.connection('a').subscribe(() => undefined)
  await passes(0)
  leaveRow()
  await passes(5_200)
  expect([one.link.state, last().closed]).toEqual(['live', false])
  expect(last().asked('unwatch')).toEqual([{ type: 'unwatch', connections: ['a'] }])
  leaveLine()
  await passes(5_200)
  expect(last().closed).toBe(true)
  expect(last().asked('unwatch').length).toBe(1)
})

test('the best round trip sets the clock, until the clock of the device is set', async () => {
  aheadMs = 60_000
  const one = await live()
  await passes(5_000)
  aheadMs = 90_000
  // Asked seconds ago: a worse sample.
  last().hear({ type: 'pong', now: serverNow() })
  expect(one.now() - Date.now()).toBe(60_000)
  sleeps(30_000)
  aheadMs = 60_000
  await passes(5_000)
  expect(one.now() - Date.now()).toBe(60_000)
})

test('another epoch: everything is forgotten, revisions start anew', async () => {
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

test('a row never goes back, and the same one keeps its identity', async () => {
  rows = [row('a', 5)]
  const one = await live()
  const { connection } = one.connection('a').get()
  last().hear({ type: 'patch', connections: [row('a', 4)], removed: [], missing: [] })
  last().hear({ type: 'patch', connections: [row('a', 5)], removed: [], missing: [] })
  expect(one.connection('a').get().connection).toBe(connection)
  expect(one.rows()).toBe(one.rows())
  expect(one.connection('a')).toBe(one.connection('a'))
})

test('tokens: 503 for a minute is waited out, and the token is not asked for again while it is fresh', async () => {
  let status = 503
  let asked = 0
  vi.stubGlobal('fetch', () => {
    asked++
    return Promise.resolve(Response.json({ token: `t${asked}`, expiresIn: 600 }, { status }))
  })
  const one = client({ tokenSrc: 'http://portal.test/token' })
  one.connection('a').subscribe(() => undefined)
  await passes(60_000)
  expect([one.link.state, lines.length]).toEqual(['connecting', 0])
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

test('tokens: one that is about to end is renewed on its line, however often the portal fails meanwhile', async () => {
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
  last().hear({ type: 'expiring', expiresAt: serverNow() })
  await beats(20)
  expect(last().asked('auth')).toEqual([{ type: 'auth', token: 't4' }])
  expect([one.link.state, lines.length]).toEqual(['live', 1])
})

test('tokens: a new one is never said on another line', async () => {
  let give: (token: string) => void = () => undefined
  let answers = 0
  client({
    getToken: () => (answers++ === 1 ? new Promise<string>((resolve) => (give = resolve)) : 'now'),
  })
    .connection('a')
    .subscribe(() => undefined)
  await passes(0)
  last().hear({ type: 'expiring', expiresAt: serverNow() })
  await passes(0)
  last().listener.onClose(1006)
  await passes(600)
  give('late')
  await passes(0)
  expect(lines.map((line) => line.asked('auth').length)).toEqual([0, 0])
})

test('tokens: a line that was closed because its token has ended comes back with another one', async () => {
  let answers = 0
  const one = client({ getToken: () => ({ token: `t${++answers}`, expiresIn: 3_600 }) })
  one.connection('a').subscribe(() => undefined)
  await passes(0)
  last().listener.onClose(4101)
  await passes(600)
  expect(lines.map((line) => line.asked('hello')[0]?.token)).toEqual(['t1', 't2'])
  expect(one.link.state).toBe('live')
})

test('tokens: one that is refused is asked for anew once, and if that is refused too, only minutes later', async () => {
  let asked = 0
  refusing = true
  const one = client({ getToken: () => `t${++asked}` })
  one.connection('a').subscribe(() => undefined)
  await passes(60_000)
  expect([one.link.state, asked, lines.length]).toEqual(['unauthorized', 2, 2])
  expect(one.link).toMatchObject({ cause: 'refused', retryAt: one.now() + 30_000 })
  one.refresh()
  await passes(60_000)
  expect([one.link.state, asked, lines.length]).toEqual(['unauthorized', 4, 4])
  refusing = false
  one.setToken('brought')
  await passes(0)
  expect(one.link.state).toBe('live')
  // What is refused on a line that was welcome begins anew: the next token may be good.
  last().listener.onClose(4001)
  await passes(600)
  expect([one.link.state, asked, lines.length]).toEqual(['live', 5, 6])
  // A token that has ended counts as no refusal.
  last().listener.onClose(4101)
  await passes(20_000)
  expect([one.link.state, asked, lines.length]).toEqual(['live', 6, 7])
})

/** As where a session has ended: the portal leads to its own page. */
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
  'tokens: the client warns once in a row that %s %s, and requests one again',
  async (source, wrong, fails) => {
    let good = false
    const getToken = (): string => (good ? 'good' : (fails() as never))
    const get = (): unknown => (good ? Promise.resolve(Response.json({ token: 'good' })) : fails())
    vi.stubGlobal('fetch', get)
    const one = client(source === 'getToken' ? { getToken } : { tokenSrc: source })
    one.connection('a').subscribe(() => undefined)
    await passes(60_000)
    expect([one.link.state, lines.length]).toEqual(['connecting', 0])
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

test('tokens: no visitor, no line, until a visitor signs in, or a page brings a token', async () => {
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
  expect([one.link, lines.length]).toMatchObject([
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
  expect([one.link.state, last().asked('hello')[0]?.token]).toEqual(['live', 'brought'])
})

test('tokens: a visitor who signs in elsewhere is noticed without a word, and one whose session ends is named', async () => {
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

test('tokens: a source that fails is named as the cause, also while what was shown is old', async () => {
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
  '%s (%i) is tried again by itself, with the time of the next attempt, and never ends for good',
  async (name, code) => {
    const { retry, state } = FAILURES[name as CloseName]
    const one = await live({ token: 'x' })
    const causes = new Set<unknown>()
    one.onLink(() => causes.add(`${one.link.state} ${one.link.cause ?? ''}`))
    last().listener.onClose(code)
    const closedAt = Date.now()
    if (state) expect(one.link.state).toBe(state)
    // What is refused again and again.
    mute = true
    const refuse = async (): Promise<void> => {
      last().listener.onOpen()
      last().listener.onClose(code)
      await passes(0)
    }
    for (let attempt = lines.length; attempt < 6; attempt++) {
      while (lines.length === attempt) await passes(1_000)
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
] as const)('%i: %s, until a person retries or looks at the page again', async (code, state) => {
  const around = page()
  const one = await live()
  last().listener.onClose(code)
  expect(one.link.state).toBe(state)
  one.refresh()
  await passes(0)
  expect(one.link.state).toBe('live')
  last().listener.onClose(code)
  mute = true
  around.tell('visibilitychange')
  // What was said stands until the attempt has an outcome.
  expect([one.link.state, lines.length]).toEqual([state, 2])
  await passes(0)
  expect([one.link.state, lines.length]).toEqual([state, 3])
  around.tell('offline')
  expect(one.link.state).toBe('offline')
  mute = false
  around.tell('online')
  await passes(0)
  expect(one.link.state).toBe('live')
})

test('a server that does not answer at first is unreachable, until it answers', async () => {
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
    // Also while the next attempt is under way.
    await passes(12_000)
    last().listener.onClose(1006)
  }
  expect(new Set(causes)).toEqual(new Set(['unreachable']))
  mute = false
  await passes(20_000)
  expect(one.link).toMatchObject({ state: 'live', cause: null })
})

test('a token that the server has never accepted is refused, not expired', async () => {
  refusing = true
  const one = client({ token: 'x' })
  one.connection('a').subscribe(() => undefined)
  await passes(0)
  expect(one.link).toMatchObject({ state: 'unauthorized', cause: 'refused' })
})

test.each([
  [{}, 'tokenless'],
  [{ token: 'x' }, null],
] as const)('a refusal tells whether there was a token at all: %o', async (settings, cause) => {
  const one = await live(settings)
  last().listener.onClose(4001)
  expect(one.link).toMatchObject({ state: 'unauthorized', cause })
})

test('a client that is closed, or has no listener, is stale since the last message', async () => {
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
  // A loss that is mended soon is no news afterwards either.
  const after = statesOf(two)
  last().listener.onClose(1006)
  await passes(900)
  expect(after).toEqual([])
})

test('retry now does not wait', async () => {
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

test('a command without an id is given one, also where there is no crypto.randomUUID', async () => {
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
])('src="%s" is refused in words (on a page: %s)', (src, onPage) => {
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
])('src="%s" is, on a page, %s', (src, address) => {
  page()
  expect(createClient({ src }).src).toBe(address)
})

test('a command without an answer ends as a timeout, and a late answer still counts', async () => {
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
  last().hear({ type: 'patch', connections: [late], removed: [], missing: [] })
  expect(one.connection('a').get().pending).toBeNull()
})

test('a command that a later one of this page or of another page replaces does not stay pending', async () => {
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
  last().hear({ type: 'patch', connections: [later], removed: [], missing: [] })
  expect(await second).toEqual({ outcome: 'unknown', code: null })
  expect(one.connection('a').get().pending).toBeNull()
})

test('a listener that leaves during a notification is not called; one that throws does not keep the next from its call', async () => {
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
  last().hear({ type: 'feed', state: 'stale', since: serverNow() })
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
  expect(last().asked('unwatch')).toEqual([])
  await passes(200)
  expect(last().asked('unwatch').length).toBe(1)
  expect([one.rows().length, one.connection('c1').get().connection]).toEqual([0, null])
  // Still on its way when it was let go of.
  last().hear({ type: 'patch', connections: [row('c1', 99)], removed: [], missing: [] })
  expect(one.rows().length).toBe(0)
})

test.each(['limit_watch', 'internal'] as const)(
  'an error of the server that answers no watch is reported, and costs no row: %s',
  async (code) => {
    const caught: unknown[] = []
    const one = await live()
    vi.stubGlobal('queueMicrotask', (work: () => void) => {
      void Promise.resolve()
        .then(work)
        .catch((error: unknown) => caught.push(error))
    })
    last().hear({ type: 'error', code, message: 'Too many', retryable: false })
    await passes(0)
    expect([one.link.state, lines.length, caught.length]).toEqual(['live', 1, 1])
    expect(one.connection('a').get().connection?.revision).toBe(1)
  },
)

test('what bundles of other versions reach under the symbol has only been added to', () => {
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
  'a frame that is no message costs the line, which comes back by itself and asks anew: %j',
  async (frame) => {
    const one = await live()
    await beats(20)
    last().listener.onMessage(frame)
    expect(last().closed).toBe(true)
    await passes(1_000)
    expect([one.link.state, lines.length]).toEqual(['live', 2])
    // The frame may have been a change: what was known is not resumed from.
    expect(last().asked('watch')[0]).not.toHaveProperty('cursor')
  },
)

test.each([
  '{"type":"patch"}',
  '{"type":"patch","connections":[null,5,"x",[],{},{"id":7}],"removed":[null,5],"missing":[{}]}',
  '{"type":"welcome"}',
  '{"type":"feed","state":"live"}',
  '{"type":"banner","text":"of later"}',
])('a message with odd fields harms no row: %s', async (frame) => {
  const one = await live()
  last().listener.onMessage(frame)
  last().hear({ type: 'patch', connections: [row('a', 2)], removed: [], missing: [] })
  expect([one.link.state, lines.length]).toEqual(['live', 1])
  expect(one.connection('a').get().connection?.revision).toBe(2)
})

test('a goodbye without a window is followed by the usual wait', async () => {
  const one = await live()
  last().listener.onMessage('{"type":"bye","code":4200}')
  await passes(1_000)
  expect([one.link.state, lines.length]).toEqual(['live', 2])
})

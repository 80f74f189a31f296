/** Tabs that share one socket: each client has its own channels and locks, as the tabs of a browser have. */
import { until } from '@mqtt-status/testing/until'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { row } from '../../packages/server/test/http/house.ts'
import type { ConnectionView, StatusClient } from '../../packages/widgets/src/client/index.ts'
import { isLive, World } from './world.ts'

let world: World

beforeEach(async () => {
  world = await World.open({ heartbeatMs: 500 })
})

afterEach(async () => {
  await world.close()
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
  // The transports between tabs check whether there is a document.
  vi.resetModules()
})

function tab(): StatusClient {
  return world.client({ share: 'tabs' })
}

test('five tabs share one socket; each gets the rows that it watches, and no others', async () => {
  world.house.publish([row('a', 1), row('b', 2), row('c', 3, { siteId: 's2' })])
  const tabs = Array.from({ length: 5 }, tab)
  for (const [i, one] of tabs.entries())
    one.connection(i % 2 === 0 ? 'a' : 'b').subscribe(() => undefined)
  for (const one of tabs) await isLive(one)
  expect(world.house.hub.size).toBe(1)
  tabs[0]?.watch({ sites: ['s2'], summary: ['*'] }, () => undefined)
  await until(() => tabs[0]?.rows().length === 2 && tabs[0].summary()?.total === 3)
  world.house.publish([row('a', 4, { status: 'failed' }), row('c', 5, { siteId: 's2' })])
  await until(() => tabs[4]?.connection('a').get().connection?.status === 'failed')
  await until(() => tabs[0]?.connection('c').get().connection?.revision === 5)
  expect(tabs.map((one) => one.rows().map(({ id }) => id))).toEqual([
    ['a', 'c'],
    ['b'],
    ['a'],
    ['b'],
    ['a'],
  ])
})

test('rows that one tab unwatches still reach another tab that watches them', async () => {
  world.house.publish([row('a', 1), row('b', 2)])
  const [one, other] = [tab(), tab()]
  const leave = one.connection('a').subscribe(() => undefined)
  one.connection('b').subscribe(() => undefined)
  const heard: ConnectionView[] = []
  other.connection('a').subscribe((view) => heard.push(view))
  await isLive(one)
  await isLive(other)
  leave()
  await until(() => one.rows().length === 1, { timeoutMs: 8_000 })
  world.house.publish([row('a', 3, { status: 'failed' })])
  await until(() => heard.at(-1)?.connection?.status === 'failed')
})

test('after the leader closes, another tab takes over, and no tab misses a change', async () => {
  world.house.publish([row('a', 1)])
  const [leader, ...others] = [tab(), tab(), tab()]
  for (const one of [leader, ...others]) {
    one?.watch({ all: true }, () => undefined)
    if (one) await isLive(one)
  }
  leader?.close()
  world.house.publish([row('a', 2, { status: 'failed' })])
  await until(() => others.every((one) => one.rows()[0]?.revision === 2))
  for (const one of others) await isLive(one)
  await until(() => world.house.hub.size === 1)
})

test('after the socket of the leader breaks, all tabs are live again on one socket', async () => {
  world.house.publish([row('a', 1)])
  const tabs = [tab(), tab(), tab()]
  for (const one of tabs) one.watch({ all: true }, () => undefined)
  for (const one of tabs) await isLive(one)
  world.proxy.reset()
  world.house.publish([row('a', 2)])
  await until(() => tabs.every((one) => one.rows()[0]?.revision === 2))
  for (const one of tabs) await isLive(one)
  await until(() => world.house.hub.size === 1)
})

test('after a bye all tabs are live again on one socket, in the window of the server, and show no loss', async () => {
  world.house.publish([row('a', 1)])
  const tabs = [tab(), tab(), tab()]
  for (const one of tabs) one.watch({ all: true }, () => undefined)
  for (const one of tabs) await isLive(one)
  const states: string[] = []
  for (const one of tabs) one.onLink(() => states.push(one.link.state))
  const retries = tabs.map((one) => one.link.retryAt)
  await world.restart()
  world.house.publish([row('a', 2)])
  await until(() => tabs.every((one) => one.rows()[0]?.revision === 2))
  for (const one of tabs) await isLive(one)
  await until(() => world.house.hub.size === 1)
  expect([retries, new Set(states)]).toEqual([[null, null, null], new Set()])
})

test(
  'in a black hole under the shared socket each tab is stale, and live as soon as it ends',
  { timeout: 60_000 },
  async () => {
    world.house.publish([row('a', 1)])
    const tabs = [tab(), tab(), tab()]
    for (const one of tabs) one.watch({ all: true }, () => undefined)
    for (const one of tabs) await isLive(one)
    world.proxy.mode = 'drop'
    world.house.publish([row('a', 2)])
    await until(() => tabs.every(({ link }) => link.state === 'stale'), { timeoutMs: 15_000 })
    world.proxy.mode = 'pass'
    await until(() => tabs.every(({ link }) => link.state === 'live'), { timeoutMs: 20_000 })
    expect(tabs.map((one) => one.rows()[0]?.revision)).toEqual([2, 2, 2])
  },
)

test('the leader closes a shared socket that does not answer a tab after waking', async () => {
  world.house.publish([row('a', 1)])
  const tabs = [tab(), tab()]
  for (const one of tabs) one.watch({ all: true }, () => undefined)
  for (const one of tabs) await isLive(one)
  world.proxy.mode = 'drop'
  const { taken } = world.proxy
  world.house.publish([row('a', 2)])
  await until(() => world.proxy.taken > taken)
  world.proxy.mode = 'pass'
  // The event of a tab that becomes visible again; the socket delivers no more messages.
  tabs[1]?.refresh()
  await until(() => tabs.every((one) => one.rows()[0]?.revision === 2))
  for (const one of tabs) await isLive(one)
})

test('all clients of a page stay on one socket after the page was frozen and soon resumed', async () => {
  const around = Object.assign(new EventTarget(), { hidden: false, baseURI: 'http://portal.test/' })
  const { locks } = navigator
  vi.stubGlobal('document', around)
  vi.stubGlobal('navigator', { onLine: true, locks })
  for (const method of ['addEventListener', 'removeEventListener'] as const)
    vi.stubGlobal(method, around[method].bind(around))
  vi.resetModules()
  const { createClient } = await import('../../packages/widgets/src/client/index.ts')
  const src = `http://127.0.0.1:${world.proxy.port}`
  const clients = Array.from({ length: 3 }, () => createClient({ src, share: 'tabs' }))
  world.clients.push(...clients)
  for (const one of clients) {
    one.watch({ all: true }, () => undefined)
    await isLive(one)
  }
  const stood = vi.spyOn(locks, 'request')
  around.dispatchEvent(new Event('freeze'))
  around.dispatchEvent(new Event('resume'))
  for (const one of clients) await isLive(one)
  // Longer than the place of a tab is kept after the tab has left.
  const later = performance.now() + 2_500
  await until(() => performance.now() > later)
  const late = createClient({ src, share: 'tabs' })
  world.clients.push(late)
  late.watch({ all: true }, () => undefined)
  await isLive(late)
  expect([stood.mock.calls.length, world.house.hub.size]).toEqual([1, 1])
  // The document has to exist until the clients are closed.
  for (const one of world.clients) one.close()
  await until(async () => (await locks.query()).held?.length === 0, { what: 'the lock to be free' })
})

test('another tab replaces a leader that is dead but still holds its lock', async () => {
  const name = JSON.stringify([
    'mqtt-status.tabs.2',
    `http://127.0.0.1:${world.proxy.port}/`,
    null,
    null,
  ])
  let release: (value: null) => void = () => undefined
  const stolen = navigator.locks
    .request(name, () => new Promise<null>((resolve) => (release = resolve)))
    .catch(() => 'stolen')
  const one = tab()
  one.watch({ all: true }, () => undefined)
  await isLive(one)
  expect(await stolen).toBe('stolen')
  release(null)
})

test('a tab ignores messages of tabs with another version', async () => {
  world.house.publish([row('a', 1)])
  const name = ['mqtt-status.tabs.1', `http://127.0.0.1:${world.proxy.port}/`, null, null]
  const stranger = new BroadcastChannel(JSON.stringify(name))
  const heard: unknown[] = []
  stranger.onmessage = ({ data }) => heard.push(data)
  const one = tab()
  one.watch({ all: true }, () => undefined)
  stranger.postMessage({ closed: 4003 })
  await isLive(one)
  world.house.publish([row('a', 2)])
  await until(() => one.rows()[0]?.revision === 2)
  expect([heard, one.link.state]).toEqual([[], 'live'])
  stranger.close()
})

test('a client with getToken shares its socket with no other tab', async () => {
  const tabs = [0, 1].map(() => world.client({ share: 'tabs', getToken: () => 'x' }))
  for (const one of tabs) one.watch({ all: true }, () => undefined)
  for (const one of tabs) await isLive(one)
  expect(world.house.hub.size).toBe(2)
})

const refusal = new DOMException(
  'Access to the Locks API is denied in this context.',
  'SecurityError',
)

/** How a browser may refuse locks or channels. */
const REFUSALS: Readonly<Record<string, () => void>> = {
  'locks are refused, as in a sandboxed iframe': () => {
    vi.spyOn(navigator.locks, 'request').mockRejectedValue(refusal)
  },
  'asking for a lock throws': () => {
    vi.spyOn(navigator.locks, 'request').mockImplementation(() => {
      throw refusal
    })
  },
  'the lock is never given': () => {
    vi.spyOn(navigator.locks, 'request').mockReturnValue(new Promise(() => undefined))
  },
  'there are no channels': () => {
    vi.stubGlobal('BroadcastChannel', undefined)
  },
  'making a channel throws': () => {
    vi.stubGlobal(
      'BroadcastChannel',
      class {
        constructor() {
          throw refusal
        }
      },
    )
  },
}

test.each(Object.entries(REFUSALS))('%s: each tab has its own socket', async (_, refuse) => {
  world.house.publish([row('a', 1)])
  refuse()
  const tabs = [tab(), tab()]
  for (const one of tabs) one.watch({ all: true }, () => undefined)
  for (const one of tabs) await until(() => one.link.state === 'live', { timeoutMs: 20_000 })
  expect(world.house.hub.size).toBe(2)
})

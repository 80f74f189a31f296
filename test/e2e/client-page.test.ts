/** The built client in pages of a real browser, against real doors, with networks between them that break. */
import type { BrowserContext, Browser } from 'playwright-core'
import { until } from '@mqtt-status/testing/until'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { row } from '../../packages/server/test/http/house.ts'
import { mintToken } from '../../packages/server/src/auth/tokens.ts'
import type { ClientSettings } from '../../packages/widgets/src/client/index.ts'
import { World } from '../client/world.ts'
import { launchVisitor, Portal, Tab } from './client-stage.ts'

/** Silence is found out after ten seconds and this. */
const HEARTBEAT_MS = 500
const SECRET = {
  kind: 'secret',
  maxTtlS: 604_800,
  secret: 'a secret of at least thirty-two bytes',
} as const

let browser: Browser
let portal: Portal
let world: World
let context: BrowserContext

beforeAll(async () => {
  ;[browser, portal] = await Promise.all([launchVisitor(), Portal.start()])
})

beforeEach(async () => {
  context = await browser.newContext()
  world = await World.open({ heartbeatMs: HEARTBEAT_MS })
  world.house.publish([row('a', 1), row('b', 2)])
})

afterEach(async () => {
  await context.close()
  // A stream or a subscriber that is left behind fails the test.
  await world.close()
})

afterAll(async () => {
  await browser?.close()
  await portal?.stop()
})

function settings(more: Partial<ClientSettings> = {}): ClientSettings {
  return { src: `http://127.0.0.1:${world.proxy.port}`, ...more }
}

/** Live, and everything is known. */
async function open(more: Partial<ClientSettings> = {}): Promise<Tab> {
  const tab = await Tab.open(context, portal, settings(more))
  await tab.shows('b', 2)
  return tab
}

function socketsAre(count: number): Promise<boolean> {
  return until(() => world.house.hub.size === count, { what: `${count} sockets at the server` })
}

test('a proxy that refuses WebSockets, then one that holds streams: on by SSE with the same cursor, then by polling', async () => {
  const tab = await open()
  // The cursor is known once the server has said something after its answer.
  world.house.publish([row('a', 3)])
  await tab.shows('a', 3)
  world.proxy.mode = 'refuse-upgrade'
  world.proxy.reset()
  await tab.is('stale')
  world.house.publish([row('a', 4)])
  await tab.shows('a', 4, 20_000)
  expect(await tab.revisions).toEqual([
    { a: 4, b: 2 },
    { a: 4, b: 2 },
  ])
  expect(new Set(tab.wires)).toEqual(new Set(['ws', 'sse']))
  const heard = await tab.page.evaluate(() => window.heard)
  expect(heard).toContain('event: patch')
  expect(heard).not.toContain('event: snapshot')

  // The next page of the portal does not try a WebSocket first.
  await until(() => tab.page.evaluate(() => sessionStorage.length > 0), { what: 'the memory' })
  tab.wires.length = 0
  await tab.page.reload()
  await tab.begin(settings())
  await tab.shows('a', 4)
  expect(new Set(tab.wires)).toEqual(new Set(['sse']))

  world.proxy.mode = 'whole-answers'
  world.proxy.reset()
  world.house.publish([row('a', 5)])
  await tab.shows('a', 5, 55_000)
  expect(tab.wires.at(-1)).toBe('poll')
}, 120_000)

test('a server that restarts: the page stays on its socket, says nothing, and shows what changed meanwhile', async () => {
  const tab = await open()
  await world.restart()
  world.house.publish([row('a', 3), row('b', 2)])
  await tab.shows('a', 3)
  expect(new Set(tab.wires)).toEqual(new Set(['ws']))
  expect(new Set(await tab.states)).toEqual(new Set(['live']))
})

test('killed, and reset in the handshake: back within moments', async () => {
  const tab = await open()
  world.proxy.mode = 'reset-upgrade'
  world.proxy.reset()
  world.house.publish([row('a', 3)])
  await until(() => world.proxy.refused >= 2)
  world.proxy.mode = 'pass'
  await tab.shows('a', 3)
  expect(new Set(tab.wires)).toEqual(new Set(['ws']))
})

test('a black hole: stale after the grace, with what was known; live when it ends', async () => {
  const tab = await open()
  world.proxy.mode = 'drop'
  world.house.publish([row('a', 3)])
  await tab.is('stale')
  expect((await tab.revisions)[0]).toEqual({ a: 1, b: 2 })
  world.proxy.mode = 'pass'
  await tab.shows('a', 3, 30_000)
})

test('a page that is frozen has no socket; resumed, it shows what changed', async () => {
  const tab = await open()
  await tab.freeze()
  await socketsAre(0)
  world.house.publish([row('a', 3)])
  await tab.resume()
  await tab.shows('a', 3)
})

test('back from the back/forward cache, with what changed meanwhile', async () => {
  const tab = await open()
  await tab.page.goto(`${portal.url}/elsewhere`)
  await socketsAre(0)
  world.house.publish([row('a', 3)])
  await tab.back()
  expect(await tab.page.evaluate(() => window.persisted)).toBe(true)
  await tab.shows('a', 3)
})

test('a page that is hidden for long lets go of its socket, and has it back when it is seen', async () => {
  const tab = await open({ pauseHidden: 1 })
  const show = (hidden: boolean): Promise<void> =>
    tab.page.evaluate((isHidden) => {
      Object.defineProperty(document, 'hidden', { value: isHidden, configurable: true })
      dispatchEvent(new Event('visibilitychange'))
    }, hidden)
  await show(true)
  await socketsAre(0)
  await tab.is('stale')
  world.house.publish([row('a', 3)])
  await show(false)
  await tab.shows('a', 3)
})

test('offline is said at once; back online, so is what changed', async () => {
  const tab = await open()
  await context.setOffline(true)
  await tab.is('offline')
  world.house.publish([row('a', 3)])
  await context.setOffline(false)
  await tab.shows('a', 3)
})

test('two bundles on a page, and all tabs that share: one socket; the tab that takes over misses nothing', async () => {
  const tabs = [await open({ share: 'tabs' }), await open({ share: 'tabs' })]
  const third = await open({ share: 'tabs' })
  await socketsAre(1)
  world.house.publish([row('a', 3)])
  for (const tab of [...tabs, third]) await tab.shows('a', 3)

  // The first one has the socket.
  await tabs[0]?.page.close()
  world.house.publish([row('a', 4)])
  await tabs[1]?.shows('a', 4)
  await third.shows('a', 4)
  await socketsAre(1)

  await tabs[1]?.freeze()
  world.house.publish([row('a', 5)])
  await third.shows('a', 5)
  await socketsAre(1)
  await tabs[1]?.resume()
  await tabs[1]?.shows('a', 5)
  world.house.publish([row('a', 6)])
  for (const tab of [tabs[1], third]) await tab?.shows('a', 6)
  await socketsAre(1)
})

test('two bundles on a page that does not share are one socket too', async () => {
  const tab = await open()
  await socketsAre(1)
  expect(tab.wires).toEqual(['ws'])
})

test('a portal whose token endpoint answers 503 for a while is asked again until there is a token', async () => {
  await world.close()
  const callers = { open: false, allowedOrigins: [portal.url] }
  world = await World.open({ heartbeatMs: HEARTBEAT_MS, auth: SECRET, callers })
  world.house.publish([row('b', 2)])
  const token = await mintToken(SECRET, {
    subject: 'me',
    sites: '*',
    connections: [],
    can: ['view'],
    lifetimeS: 600,
  })
  portal.token = { status: 503, body: null }
  portal.tokensAsked = 0
  const tab = await Tab.open(context, portal, settings({ tokenSrc: '/token' }))
  await until(() => portal.tokensAsked >= 3)
  expect([await tab.state, tab.wires]).toEqual(['connecting', []])
  portal.token = { status: 200, body: { token, expiresIn: 600 } }
  await tab.shows('b', 2)
})

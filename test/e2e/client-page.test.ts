/** The built client in pages of a real browser, against a real HTTP server, through a proxy that fails on demand. */
import type { BrowserContext, Browser } from 'playwright-core'
import { until } from '@mqtt-status/testing/until'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { row } from '../../packages/server/test/http/house.ts'
import { mintToken } from '../../packages/server/src/auth/tokens.ts'
import type { ClientSettings } from '../../packages/widgets/src/client/index.ts'
import { World } from '../client/world.ts'
import { launchVisitor, Portal, Tab } from './client-stage.ts'

/** The client detects silence after this and ten seconds. */
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
  // A stream or a subscriber that a page has left fails the test.
  await world.close()
})

afterAll(async () => {
  await browser?.close()
  await portal?.stop()
})

function settings(more: Partial<ClientSettings> = {}): ClientSettings {
  return { src: `http://127.0.0.1:${world.proxy.port}`, ...more }
}

/** Waits until the page is live and has all rows. */
async function open(more: Partial<ClientSettings> = {}): Promise<Tab> {
  const tab = await Tab.open(context, portal, settings(more))
  await tab.shows('b', 2)
  return tab
}

function socketsAre(count: number): Promise<boolean> {
  return until(() => world.house.hub.size === count, { what: `${count} sockets at the server` })
}

test('the client falls back to SSE with the same cursor, then to polling, behind proxies that refuse WebSockets and hold streams', async () => {
  const tab = await open()
  // The server sends the cursor with the message after its answer.
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
  expect(new Set(tab.transports)).toEqual(new Set(['ws', 'sse']))
  const heard = await tab.page.evaluate(() => window.heard)
  expect(heard).toContain('event: patch')
  expect(heard).not.toContain('event: snapshot')

  // The next page of the portal does not try a WebSocket first.
  await until(() => tab.page.evaluate(() => sessionStorage.length > 0), { what: 'the memory' })
  tab.transports.length = 0
  await tab.page.reload()
  await tab.begin(settings())
  await tab.shows('a', 4)
  expect(new Set(tab.transports)).toEqual(new Set(['sse']))

  world.proxy.mode = 'whole-answers'
  world.proxy.reset()
  world.house.publish([row('a', 5)])
  await tab.shows('a', 5, 55_000)
  expect(tab.transports.at(-1)).toBe('poll')
}, 120_000)

test('after a restart of the server the page uses a WebSocket again, has shown no loss, and has the changes', async () => {
  const tab = await open()
  await world.restart()
  world.house.publish([row('a', 3), row('b', 2)])
  await tab.shows('a', 3)
  expect(new Set(tab.transports)).toEqual(new Set(['ws']))
  expect(new Set(await tab.states)).toEqual(new Set(['live']))
})

test('after a reset, and resets in the handshake, the page is live within seconds', async () => {
  const tab = await open()
  world.proxy.mode = 'reset-upgrade'
  world.proxy.reset()
  world.house.publish([row('a', 3)])
  await until(() => world.proxy.refused >= 2)
  world.proxy.mode = 'pass'
  await tab.shows('a', 3)
  expect(new Set(tab.transports)).toEqual(new Set(['ws']))
})

test('in a black hole the link is stale after the grace and keeps its rows; it is live when the black hole ends', async () => {
  const tab = await open()
  world.proxy.mode = 'drop'
  world.house.publish([row('a', 3)])
  await tab.is('stale')
  expect((await tab.revisions)[0]).toEqual({ a: 1, b: 2 })
  world.proxy.mode = 'pass'
  await tab.shows('a', 3, 30_000)
})

test('a frozen page has no socket, and after it resumes it has the changes', async () => {
  const tab = await open()
  await tab.freeze()
  await socketsAre(0)
  world.house.publish([row('a', 3)])
  await tab.resume()
  await tab.shows('a', 3)
})

test('a page from the back/forward cache has the changes made meanwhile', async () => {
  const tab = await open()
  await tab.page.goto(`${portal.url}/elsewhere`)
  await socketsAre(0)
  world.house.publish([row('a', 3)])
  await tab.back()
  expect(await tab.page.evaluate(() => window.persisted)).toBe(true)
  await tab.shows('a', 3)
})

test('a page that is hidden for long closes its socket, and opens one when it is visible', async () => {
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

test('the link is offline at once; back online the page has the changes', async () => {
  const tab = await open()
  await context.setOffline(true)
  await tab.is('offline')
  world.house.publish([row('a', 3)])
  await context.setOffline(false)
  await tab.shows('a', 3)
})

test('two bundles on a page and all tabs that share use one socket, and the tab that takes over misses no change', async () => {
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

test('two bundles on a page without sharing use one socket, too', async () => {
  const tab = await open()
  await socketsAre(1)
  expect(tab.transports).toEqual(['ws'])
})

test('the client retries a token endpoint that answers 503 until it gives a token', async () => {
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
  expect([await tab.state, tab.transports]).toEqual(['connecting', []])
  portal.token = { status: 200, body: { token, expiresIn: 600 } }
  await tab.shows('b', 2)
})

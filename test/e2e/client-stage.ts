/**
 * A page that uses the built client without any element, in tabs of a browser, as a portal with its own rendering does. The
 * page loads the client twice, as two bundles.
 */
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { until } from '@mqtt-status/testing/until'
import { chromium } from 'playwright-core'
import type { Browser, BrowserContext, CDPSession, Page } from 'playwright-core'
import { findBrowser } from '../../scripts/browser.ts'
import type * as Client from '../../packages/widgets/src/client/index.ts'
import type { ClientSettings, StatusClient } from '../../packages/widgets/src/client/index.ts'

const WIDGETS = new URL('../../packages/widgets/', import.meta.url)
const LIBRARY = 'node_modules/reconnecting-websocket/dist/reconnecting-websocket-mjs.js'
const PAGE = `<!doctype html><html lang="en"><title>Portal</title>
<script type="importmap">{"imports":{"reconnecting-websocket":"/library.js"}}</script>
<script type="module">
import * as one from '/one/client/index.js'
import * as two from '/two/client/index.js'
window.bundles = [one, two]
window.persisted = false
window.heard = ''
addEventListener('pageshow', (event) => { window.persisted = event.persisted })
const { fetch } = window
window.fetch = async (input, init) => {
  const response = await fetch(input, init)
  if (!String(input).includes('/sse/') || !response.body) return response
  const decoder = new TextDecoder()
  const overhear = new TransformStream({
    transform(chunk, controller) {
      window.heard += decoder.decode(chunk, { stream: true })
      controller.enqueue(chunk)
    },
  })
  return new Response(response.body.pipeThrough(overhear), response)
}
</script>`

declare global {
  interface Window {
    bundles?: readonly (typeof Client)[]
    clients?: StatusClient[]
    /** All states of the first client's link, in order. */
    states?: string[]
    /** Whether the page came back from the back/forward cache. */
    persisted: boolean
    /** Everything that event streams have delivered. */
    heard: string
  }
}

/** The portal's own server. */
export class Portal {
  readonly url: string
  /** The answer of its token endpoint. */
  token: { readonly status: number; readonly body: unknown } = { status: 404, body: null }
  tokensAsked = 0
  readonly #server: Server

  private constructor(server: Server) {
    this.#server = server
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  static async start(): Promise<Portal> {
    const server = createServer()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const portal = new Portal(server)
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      void portal.#answer(request.url ?? '/').then(({ status = 200, type, body }) => {
        response.writeHead(status, { 'content-type': type }).end(body)
      })
    })
    return portal
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }

  async #answer(path: string): Promise<{ status?: number; type: string; body: string | Buffer }> {
    if (path === '/token') {
      this.tokensAsked++
      const { status, body } = this.token
      return { status, type: 'application/json', body: JSON.stringify(body) }
    }
    if (path === '/') return { type: 'text/html', body: PAGE }
    if (path === '/elsewhere') return { type: 'text/html', body: '<!doctype html>' }
    if (path === '/favicon.ico') return { status: 404, type: 'text/plain', body: '' }
    const file = path === '/library.js' ? LIBRARY : path.replace(/^\/(one|two)\//, 'dist/')
    return { type: 'text/javascript', body: await readFile(new URL(file, WIDGETS)) }
  }
}

/** A browser with its back/forward cache, which is disabled in tests by default. */
export async function launchVisitor(): Promise<Browser> {
  return chromium.launch({
    ...(await findBrowser()),
    headless: true,
    ignoreDefaultArgs: ['--disable-back-forward-cache'],
  })
}

/** A page with a client that watches all rows. */
export class Tab {
  readonly page: Page
  /** The transports that it has used, one entry for each that it has opened. */
  readonly transports: string[] = []
  #debugger: CDPSession | null = null

  private constructor(page: Page) {
    this.page = page
    page.on('websocket', () => this.transports.push('ws'))
    page.on('request', (request) => {
      const { pathname } = new URL(request.url())
      if (request.method() === 'OPTIONS') return
      if (pathname.includes('/sse/')) this.transports.push('sse')
      if (pathname.endsWith('/query')) this.transports.push('poll')
    })
  }

  static async open(
    context: BrowserContext,
    portal: Portal,
    settings: ClientSettings,
  ): Promise<Tab> {
    const tab = new Tab(await context.newPage())
    await tab.page.goto(portal.url)
    await tab.begin(settings)
    return tab
  }

  /** Each bundle calls `clientFor` with the same settings. */
  async begin(settings: ClientSettings): Promise<void> {
    await this.page.waitForFunction(() => window.bundles)
    await this.page.evaluate((given) => {
      const clients = (window.bundles ?? []).map(({ clientFor }) => clientFor(given))
      const states: string[] = []
      clients[0]?.onLink(() => states.push(clients[0]?.link.state ?? ''))
      for (const client of clients) client.watch({ all: true }, () => undefined)
      Object.assign(window, { clients, states })
    }, settings)
  }

  get state(): Promise<string> {
    return this.page.evaluate(() => window.clients?.[0]?.link.state ?? '')
  }

  get states(): Promise<string[]> {
    return this.page.evaluate(() => window.states ?? [])
  }

  /** The revision of each row in each bundle. */
  get revisions(): Promise<Record<string, number>[]> {
    return this.page.evaluate(() =>
      (window.clients ?? []).map((client) =>
        Object.fromEntries(client.rows().map(({ id, revision }) => [id, revision])),
      ),
    )
  }

  async is(state: string, timeoutMs = 15_000): Promise<void> {
    await until(async () => (await this.state) === state, { what: `${state} in a page`, timeoutMs })
  }

  /** Waits until the page is live and has the server's revision of this row. */
  async shows(id: string, revision: number, timeoutMs = 15_000): Promise<void> {
    const isThere = async (): Promise<boolean> =>
      (await this.state) === 'live' && (await this.revisions).every((rows) => rows[id] === revision)
    await until(isThere, { what: `${id} at ${revision} in a page`, timeoutMs })
  }

  /**
   * Freezes the page as a browser freezes a tab in the background: it dispatches `freeze`, and no script runs. Tabs of browsers
   * without a window are never in the background, so the debugger freezes them.
   */
  async freeze(): Promise<void> {
    this.#debugger ??= await this.page.context().newCDPSession(this.page)
    await this.page.evaluate(() => document.dispatchEvent(new Event('freeze')))
    await this.#debugger.send('Debugger.enable')
    await this.#debugger.send('Debugger.pause')
  }

  async resume(): Promise<void> {
    await this.#debugger?.send('Debugger.disable')
    await this.page.evaluate(() => document.dispatchEvent(new Event('resume')))
  }

  /** Does not wait for a load, because a page from the back/forward cache dispatches none. */
  async back(): Promise<void> {
    await this.page.goBack({ waitUntil: 'commit' })
  }
}

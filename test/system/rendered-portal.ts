/** A portal whose page has cards that a server has rendered, and a browser's visit to it. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Browser, Page } from 'playwright-core'

export interface VisitOptions {
  /** @default true */
  readonly javaScriptEnabled?: boolean
  /** The script of the elements does not arrive until `releaseScript()`. */
  readonly holdsScript?: boolean
}

declare global {
  interface Window {
    /** How far each layout shift of the page has moved what was visible. */
    layoutShifts?: number[]
  }
}

export class RenderedPortal {
  readonly url: string
  /** What the page's client gets from `/mqtt-token`. */
  token = ''
  #page = ''
  readonly #server: Server

  private constructor(server: Server) {
    this.#server = server
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    server.on('request', ({ url }, response) => {
      const isToken = url === '/mqtt-token'
      response
        .setHeader('content-type', isToken ? 'application/json' : 'text/html; charset=utf-8')
        .end(isToken ? JSON.stringify({ token: this.token, expiresIn: 600 }) : this.#page)
    })
  }

  static async start(): Promise<RenderedPortal> {
    const server = createServer()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new RenderedPortal(server)
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }

  /** Serves this card from now on, with a text below it. */
  show(statusUrl: string, card: string): void {
    this.#page = `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Portal</title><link rel="icon" href="data:,">
<link rel="stylesheet" href="${statusUrl}/widgets/preload.css">
<script type="module" src="${statusUrl}/widgets/mqtt-status.js" data-token-src="/mqtt-token"></script>
<main>${card}<p>Below</p></main></html>`
  }

  async visit(
    browser: Browser,
    { javaScriptEnabled = true, holdsScript = false }: VisitOptions,
  ): Promise<Visitor> {
    const context = await browser.newContext({ javaScriptEnabled, locale: 'en-GB' })
    const page = await context.newPage()
    await page.addInitScript(countShifts)
    let release = (): void => undefined
    if (holdsScript) {
      const held = new Promise<void>((resolve) => (release = resolve))
      await page.route('**/mqtt-status.js', async (route) => {
        await held
        await route.continue()
      })
    }
    // "load" waits for the script.
    await page.goto(this.url, { waitUntil: 'commit' })
    await page.getByText('Below').waitFor()
    return new Visitor(page, release)
  }
}

/** A page of the portal in a browser. */
class Visitor {
  readonly page: Page
  readonly #release: () => void

  constructor(page: Page, release: () => void) {
    this.page = page
    this.#release = release
  }

  async close(): Promise<void> {
    await this.page.context().close()
  }

  /** What the browser renders of the card's own text. */
  shown(): Promise<{ text: string; isVisible: boolean }> {
    return this.page.locator('mqtt-status-card').evaluate((card: HTMLElement) => ({
      text: card.innerText.trim(),
      isVisible: getComputedStyle(card).color !== 'rgba(0, 0, 0, 0)',
    }))
  }

  /** The edges of all that the page shows, in px. */
  places(): Promise<number[][]> {
    return this.page.locator('main > *').evaluateAll((elements) =>
      elements.map((element) => {
        const { left, top, right, bottom } = element.getBoundingClientRect()
        return [left, top, right, bottom]
      }),
    )
  }

  shifts(): Promise<readonly number[] | undefined> {
    return this.page.evaluate(() => window.layoutShifts)
  }

  async releaseScript(): Promise<void> {
    this.#release()
    await this.page.waitForFunction(() => customElements.get('mqtt-status-card') !== undefined)
  }
}

/** Runs in the page before its scripts. */
function countShifts(): void {
  const shifts: number[] = []
  window.layoutShifts = shifts
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries())
      shifts.push((entry as unknown as { value: number }).value)
  }).observe({ type: 'layout-shift', buffered: true })
}

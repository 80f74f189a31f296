/** A visitor's page of an example: what it shows and what it keeps. */
import type { CDPSession, Page } from 'playwright-core'
import type { Fleet, Id } from './fleet.ts'
import type { Stage } from './stage.ts'

/** How a page renders a connection: as an element, or as markup of its own with `data-status`. */
export type Rendered = 'element' | 'own markup'

/** What a page holds, counted after garbage collection. */
export interface Held {
  /** Objects of the card's class. */
  readonly cards: number
  /** Listeners of the window and of the document. */
  readonly listeners: number
}

export interface VisitOptions {
  /** @default 'element' */
  readonly rendered?: Rendered
  readonly javaScript?: boolean
  /** The page defines no element until `release()`. */
  readonly held?: boolean
  /** The test moves the clock of the page forward, through `page.clock`. */
  readonly clock?: boolean
}

declare global {
  interface Window {
    /** Lets definitions of elements through. */
    releaseElements?: () => void
    /** Set by a test; a document that was loaded anew lacks it. */
    isSameDocument?: boolean
  }
}

export class Visit {
  readonly page: Page
  readonly #fleet: Fleet
  readonly #rendered: Rendered
  readonly #errors: string[] = []

  private constructor(page: Page, fleet: Fleet, rendered: Rendered) {
    this.page = page
    this.#fleet = fleet
    this.#rendered = rendered
    page.on('pageerror', ({ message }) => this.#errors.push(message))
    page.on('console', (message) => {
      if (message.type() === 'error') this.#errors.push(message.text())
    })
  }

  static async open(
    { browser, fleet, url, patienceMs }: Stage,
    path: string,
    { rendered = 'element', javaScript = true, held = false, clock = false }: VisitOptions = {},
  ): Promise<Visit> {
    const context = await browser.newContext({ javaScriptEnabled: javaScript, locale: 'en-GB' })
    context.setDefaultTimeout(patienceMs)
    const page = await context.newPage()
    if (held) await page.addInitScript(holdElements)
    if (clock) await page.clock.install()
    const visit = new Visit(page, fleet, rendered)
    await page.goto(url + path)
    return visit
  }

  /** @throws if the page had an error in its console, an exception or a violation of its policy */
  async close(): Promise<void> {
    await this.page.context().close()
    if (this.#errors.length > 0) throw new Error(`The page had errors:\n${this.#errors.join('\n')}`)
  }

  /** Drops the errors that a test has caused. */
  forgive(caused: RegExp): void {
    const kept = this.#errors.filter((text) => !caused.test(text))
    this.#errors.splice(0, Infinity, ...kept)
  }

  /** Drops errors of the network, which the console has while no server listens. */
  forgiveNetwork(): void {
    this.forgive(/ERR_|WebSocket connection to/)
  }

  /** Waits until the page shows a live connection with this status. */
  async shows(id: Id, status: string): Promise<void> {
    const connection = this.#fleet.connectionId(id)
    const card = `[connection-id="${connection}"]:state(${status}):state(link-live)`
    // Its button waits for the server while the page is not live.
    const own = `[data-connection-id="${connection}"][data-status="${status}"]:has([aria-disabled=false])`
    await this.page.locator(this.#rendered === 'element' ? card : own).waitFor()
  }

  /** Clicks the button of a connection. */
  async click(id: Id): Promise<void> {
    const connection = this.#fleet.connectionId(id)
    const place = this.page.locator(
      `[connection-id="${connection}"], [data-connection-id="${connection}"]`,
    )
    await place.getByRole('button').click()
  }

  /**
   * Follows a link of the page's navigation.
   *
   * @param base where the example has its pages
   */
  async follow(path: '/' | '/about', base = '/'): Promise<void> {
    const href = base === '/' ? path : base + (path === '/' ? '' : path)
    await this.page.locator(`nav a[href="${href}"]`).click()
    const about = this.page.locator('h1', { hasText: 'About' })
    await about.waitFor({ state: path === '/about' ? 'visible' : 'detached' })
    // Turbo renders a copy first, and does not handle that the next visit aborts an answer which it still reads.
    await this.page.locator('html:not([aria-busy])').waitFor({ state: 'attached' })
  }

  /** Texts of the cards outside of their shadow roots, in the order of the page. */
  async texts(): Promise<string[]> {
    const texts = await this.page.locator('mqtt-status-card').allTextContents()
    return texts.map((text) => text.trim().replace(/\s+/g, ' '))
  }

  async release(): Promise<void> {
    await this.page.evaluate(() => window.releaseElements?.())
  }

  /** Counts what the page holds. */
  async held(): Promise<Held> {
    const session = await this.page.context().newCDPSession(this.page)
    try {
      const listeners =
        (await listenersOf(session, 'window')) + (await listenersOf(session, 'document'))
      return { cards: await cardsOf(session), listeners }
    } finally {
      await session.detach()
    }
  }
}

/** Runs in the page before its scripts. */
function holdElements(): void {
  const prototype = CustomElementRegistry.prototype
  // eslint-disable-next-line @typescript-eslint/unbound-method
  const { define } = prototype
  const held: (() => void)[] = []
  let isHolding = true
  prototype.define = function (this: CustomElementRegistry, ...given) {
    const act = (): void => define.apply(this, given)
    if (isHolding && given[0].startsWith('mqtt-status-')) held.push(act)
    else act()
  }
  window.releaseElements = () => {
    isHolding = false
    for (const act of held) act()
  }
}

async function listenersOf(session: CDPSession, name: 'window' | 'document'): Promise<number> {
  const { result } = await session.send('Runtime.evaluate', { expression: name })
  const { listeners } = await session.send('DOMDebugger.getEventListeners', {
    objectId: result.objectId ?? '',
  })
  return listeners.length
}

/** `queryObjects` collects garbage before it counts. */
async function cardsOf(session: CDPSession): Promise<number> {
  const { result } = await session.send('Runtime.evaluate', {
    expression: `customElements.get('mqtt-status-card')?.prototype`,
  })
  if (result.objectId === undefined) return 0
  const { objects } = await session.send('Runtime.queryObjects', {
    prototypeObjectId: result.objectId,
  })
  const length = await session.send('Runtime.callFunctionOn', {
    objectId: objects.objectId ?? '',
    functionDeclaration: 'function () { return this.length }',
    returnByValue: true,
  })
  return Number(length.result.value)
}

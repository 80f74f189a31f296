/** One browser and one server of pages for all tests of a file. */
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll } from 'vitest'
import { launchBrowser } from '../../scripts/browser.ts'
import { Pages } from './pages.ts'
import type { ServedFile } from './pages.ts'

/** Started before the first test of the file, closed after the last one. */
export class BrowserWithPages {
  #browser: Browser | null = null
  #pages: Pages | null = null

  /** @param files in addition to the demo's, by path */
  constructor(
    files: Readonly<Record<string, ServedFile>> = {},
    launch: () => Promise<Browser | null> = launchBrowser,
  ) {
    beforeAll(async () => {
      ;[this.#browser, this.#pages] = await Promise.all([launch(), Pages.start({}, files)])
    })
    afterAll(async () => {
      await this.#browser?.close()
      await this.#pages?.stop()
    })
  }

  /** Whether the machine can run the browser. */
  get isThere(): boolean {
    return this.#browser !== null
  }

  get browser(): Browser {
    if (this.#browser === null) throw new Error('The browser has not been launched.')
    return this.#browser
  }

  get url(): string {
    if (this.#pages === null) throw new Error('The server of pages has not been started.')
    return this.#pages.url
  }
}

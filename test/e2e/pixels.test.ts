/**
 * The catalogue, pixel by pixel, in a pinned browser with a pinned font, both from npm, and with a fixed clock. The
 * references are in `pixels/`; `pnpm pixels` draws them anew, and a reviewer looks at the differences. Where that browser
 * does not run, only geometry and axe are tested (catalogue.test.ts).
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import pixelmatch from 'pixelmatch'
import type { Browser } from 'playwright-core'
import { PNG } from 'pngjs'
import { expect, test } from 'vitest'
import { launchPinnedBrowser } from '../../scripts/browser.ts'
import { BrowserWithPages } from './browser-with-pages.ts'

const REFERENCES = new URL('pixels/', import.meta.url)
const DIFFERENCES = new URL('../../node_modules/.cache/pixels/', import.meta.url)
/** Processors round differently when they blend; a moved border differs a hundred times as much. */
const TOLERATED_PIXELS = 20

/** The best compression for large plain surfaces: no filter, the highest level of deflate. */
const FLAT = { colorType: 2, filterType: 0, deflateLevel: 9, deflateStrategy: 0 } as const

const VIEWS: Readonly<Record<string, { readonly query: string; readonly heading: string }>> = {
  'cards-light-en': { query: 'theme=light', heading: '<mqtt-status-card>' },
  'cards-dark-it': { query: 'theme=dark&lang=it', heading: '<mqtt-status-card>' },
  'cards-compact-it': {
    query: 'theme=light&lang=it&density=compact',
    heading: '<mqtt-status-card>',
  },
  'cards-dense-dark': { query: 'theme=dark&density=dense', heading: '<mqtt-status-card>' },
  badges: { query: 'theme=light', heading: '<mqtt-status-badge>' },
  'cards-rtl': { query: 'theme=light&dir=rtl', heading: '<mqtt-status-card>' },
  'cards-narrow-it': { query: 'theme=light&lang=it&width=200', heading: '<mqtt-status-card>' },
  'controls-it': { query: 'theme=dark&lang=it', heading: '<mqtt-status-control>' },
}

/** One state for each shape, and one for each reason to be without a row; the others differ from these in words only. */
const SHOWN = [
  'connected',
  'connecting',
  'lost',
  'failed',
  'disconnected-by-somebody',
  'pending',
  'stale-and-failed',
  'loading',
  'unavailable',
  'long-words',
]

const stage = new BrowserWithPages({}, launchPinnedBrowser)

/** The faces of the pinned font that the elements use. */
function fontFaces(): string {
  const { resolve } = createRequire(import.meta.url)
  return [400, 500, 600]
    .map((weight) => {
      const file = resolve(`@fontsource/open-sans/files/open-sans-latin-${weight}-normal.woff2`)
      const font = readFileSync(file, 'base64')
      return `@font-face { font-family: Pinned; font-weight: ${weight}; src: url(data:font/woff2;base64,${font}) }`
    })
    .join('\n')
}

async function draw(running: Browser, { query, heading }: (typeof VIEWS)[string]): Promise<PNG> {
  const context = await running.newContext({
    viewport: { width: 900, height: 900 },
    locale: 'en-GB',
    timezoneId: 'Europe/Rome',
    reducedMotion: 'reduce',
  })
  const page = await context.newPage()
  await page.clock.setFixedTime(new Date('2026-03-10T14:32:00Z'))
  await page.goto(`${stage.url}/catalogue?${query}`)
  await page.waitForSelector('html[data-ready]')
  await page.addStyleTag({
    content: `${fontFaces()}
      :root, body { font-family: Pinned !important }
      .specimen:not(${SHOWN.map((title) => `[id$='-${title}']`).join()}) { display: none }
      mqtt-status-card::part(card) { content-visibility: visible !important }`,
  })
  await page.evaluate(() => document.fonts.ready)
  // Elements out of view render later.
  await page.evaluate(() =>
    Promise.all(
      Array.from(document.querySelectorAll(':defined'), (element) =>
        'updateComplete' in element ? element.updateComplete : null,
      ),
    ),
  )
  const title = page.getByRole('heading', { name: heading, exact: true })
  const strip = page.locator('section', { has: title }).locator('.grid')
  const png = PNG.sync.read(await strip.screenshot({ animations: 'disabled' }))
  await context.close()
  return png
}

function save(folder: URL, name: string, png: PNG): string {
  mkdirSync(folder, { recursive: true })
  const file = new URL(`${name}.png`, folder)
  writeFileSync(file, PNG.sync.write(png, FLAT))
  return file.pathname
}

for (const [name, view] of Object.entries(VIEWS)) {
  test(`the page matches its reference picture: ${name}`, async ({ skip }) => {
    if (!stage.isThere) {
      expect(process.env['CI'] && process.platform === 'linux', 'CI has this browser').toBeFalsy()
      return skip('The pinned browser does not run here: geometry and axe are checked instead.')
    }
    const now = await draw(stage.browser, view)
    if (process.env['UPDATE_PIXELS']) save(REFERENCES, name, now)
    const { width, height, data } = PNG.sync.read(readFileSync(new URL(`${name}.png`, REFERENCES)))
    expect([now.width, now.height], `the size of ${save(DIFFERENCES, name, now)}`).toEqual([
      width,
      height,
    ])
    const difference = new PNG({ width, height })
    const count = pixelmatch(data, now.data, difference.data, width, height, { threshold: 0.1 })
    const seen = count > TOLERATED_PIXELS ? save(DIFFERENCES, `${name}-difference`, difference) : ''
    expect(count, `pixels that differ, see ${seen}`).toBeLessThanOrEqual(TOLERATED_PIXELS)
  })
}

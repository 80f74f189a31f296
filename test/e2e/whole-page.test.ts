/** A screenshot of a whole page shows every card, also those that were never in view. */
import { PNG } from 'pngjs'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { BrowserWithPages } from './browser-with-pages.ts'

const CARDS = 120

const MANY = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Many</title>
<main></main>
<script type="module">
  import '/widgets/mqtt-status.js'
  import { FakeClient } from '/catalogue/fake-client.js'
  import { STATES } from '/catalogue/states.js'
  for (let i = 0; i < ${CARDS}; i++) {
    const card = document.createElement('mqtt-status-card')
    card.setAttribute('connection-id', 'plant-7')
    card.client = new FakeClient(STATES.connected)
    document.querySelector('main').append(card)
  }
</script>`

const stage = new BrowserWithPages({
  '/many': { type: 'text/html; charset=utf-8', body: MANY },
})

interface Box {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

async function boxes(page: Page): Promise<Box[]> {
  return page.locator('mqtt-status-card').evaluateAll((cards) =>
    cards.map((card) => {
      const { x, y, width, height } = card.getBoundingClientRect()
      return { x, y: y + scrollY, width, height }
    }),
  )
}

/** The number of colours of an area; a blank card has two, those of its surface and its edge. */
function colours(png: PNG, { x, y, width, height }: Box): number {
  const found = new Set<number>()
  for (let row = Math.ceil(y) + 2; row < y + height - 2; row++) {
    for (let column = Math.ceil(x) + 2; column < x + width - 2; column++)
      found.add(png.data.readUInt32BE((row * png.width + column) * 4))
  }
  return found.size
}

test('a full-page screenshot of an idle page with few cards shows every card', async () => {
  const page = await stage.browser.newPage({ viewport: { width: 800, height: 600 } })
  await page.goto(`${stage.url}/many`)
  await page.waitForFunction(() =>
    [...document.querySelectorAll('mqtt-status-card')].every((element) => {
      const card = element.shadowRoot?.querySelector('.card')
      return card && getComputedStyle(card).contentVisibility === 'visible'
    }),
  )
  const png = PNG.sync.read(await page.screenshot({ fullPage: true }))
  const blank = (await boxes(page)).filter((box) => colours(png, box) < 20)
  expect(await page.locator('mqtt-status-card').count()).toBe(CARDS)
  expect(png.height).toBeGreaterThan(CARDS * 100)
  expect(blank).toEqual([])
  await page.close()
})

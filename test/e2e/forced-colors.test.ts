/** With forced colours the browser replaces the elements' colours: edges stay visible, and statuses keep their shapes. */
import { PNG } from 'pngjs'
import type { Locator, Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { BrowserWithPages } from './browser-with-pages.ts'

/** One row for each look, except those with an animation. */
const STATES = ['connected', 'device offline', 'lost', 'failed', 'disconnected', 'unknown']

const PAGE = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Forced</title>
<style>body { font: 16px/1.4 sans-serif } mqtt-status-card { inline-size: 320px }</style>
<main></main>
<script type="module">
  import '/widgets/mqtt-status.js'
  import { FakeClient } from '/catalogue/fake-client.js'
  import { STATES } from '/catalogue/states.js'
  for (const name of ${JSON.stringify(STATES)}) {
    for (const tag of ['card', 'badge']) {
      const element = document.createElement('mqtt-status-' + tag)
      element.setAttribute('connection-id', 'plant-7')
      element.dataset.state = name
      element.client = new FakeClient(STATES[name])
      document.querySelector('main').append(element)
    }
  }
  document.documentElement.dataset.ready = ''
</script>`

const stage = new BrowserWithPages({
  '/forced': { type: 'text/html; charset=utf-8', body: PAGE },
})

async function open(colorScheme: 'light' | 'dark'): Promise<Page> {
  const page = await stage.browser.newPage({
    colorScheme,
    forcedColors: 'active',
    reducedMotion: 'reduce',
    viewport: { width: 800, height: 2000 },
  })
  await page.goto(`${stage.url}/forced`)
  await page.waitForSelector('html[data-ready]')
  await page.waitForSelector('mqtt-status-card[data-state="unknown"]:state(unknown)')
  return page
}

async function picture(part: Locator): Promise<PNG> {
  return PNG.sync.read(await part.screenshot())
}

/** The brightness of each pixel, 0 to 255. */
function brightness({ data }: PNG): number[] {
  return Array.from({ length: data.length / 4 }, (_, pixel) => {
    const [red = 0, green = 0, blue = 0] = data.subarray(pixel * 4, pixel * 4 + 3)
    return (red + green + blue) / 3
  })
}

/** The difference between the brightest and the darkest pixel. */
function contrast(values: readonly number[]): number {
  return Math.max(...values) - Math.min(...values)
}

/** The pixels of the leftmost column and of the one inside it, halfway up: an edge and what it encloses. */
function edge(png: PNG): number[] {
  const row = Math.floor(png.height / 2) * png.width
  return brightness(png).slice(row, row + 4)
}

for (const scheme of ['light', 'dark'] as const) {
  test(`every card and button has an edge: ${scheme}`, async () => {
    const page = await open(scheme)
    for (const state of STATES) {
      const card = page.locator(`mqtt-status-card[data-state="${state}"]`)
      expect(contrast(edge(await picture(card))), `edge of ${state}`).toBeGreaterThan(100)
      for (const button of await card.locator('.buttons > button').all())
        expect(contrast(edge(await picture(button))), `button of ${state}`).toBeGreaterThan(100)
    }
    await page.close()
  })

  for (const tag of ['card', 'badge']) {
    test(`every status of a ${tag} has its own shape: ${scheme}`, async () => {
      const page = await open(scheme)
      const shapes = new Map<string, number[]>()
      for (const state of STATES) {
        const icon = page.locator(`mqtt-status-${tag}[data-state="${state}"] .icon`)
        const values = brightness(await picture(icon))
        expect(contrast(values), `icon of ${state}`).toBeGreaterThan(100)
        shapes.set(state, values)
      }
      for (const [one, first] of shapes) {
        for (const [other, second] of shapes) {
          if (one >= other) continue
          const differing = first.filter((value, i) => Math.abs(value - (second[i] ?? 0)) > 100)
          expect(differing.length, `${one} and ${other}`).toBeGreaterThan(first.length * 0.03)
        }
      }
      await page.close()
    })
  }
}

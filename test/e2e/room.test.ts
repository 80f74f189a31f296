/**
 * No layout shifts: the room that preload.css reserves for an element without script, its skeleton, and the element with its
 * row have the same size, for each density, width and text size of the browser.
 */
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { BrowserWithPages } from './browser-with-pages.ts'

const PAGE = `<!doctype html><html lang="en"><title>Room</title>
  <link rel="stylesheet" href="/widgets/preload.css">
  <style>body { font: 13px/18px system-ui } section { contain: layout }</style><body></body></html>`

const LOADING = `
  import { FakeClient } from '/catalogue/fake-client.js'
  import '/widgets/mqtt-status.js'
  globalThis.become = async (state) => {
    const { STATES } = await import('/catalogue/states.js')
    for (const element of document.querySelectorAll('[connection-id], mqtt-status-live')) {
      element.client = new FakeClient(STATES[state])
      await element.updateComplete
    }
  }
  await become('loading')
  document.documentElement.dataset.ready = ''
`

const stage = new BrowserWithPages({
  '/room': { type: 'text/html', body: PAGE },
  '/loading.js': { type: 'text/javascript', body: LOADING },
})

interface Specimen {
  readonly markup: string
  /** The width of its container, in px. */
  readonly width: number
  /** Without a row the width of the words may differ; the height of a line must not. */
  readonly measures: readonly ('width' | 'height')[]
}

const BOTH = ['width', 'height'] as const
const HEIGHT = ['height'] as const

function card(attributes: string, width: number = 300): Specimen {
  return {
    markup: `<mqtt-status-card connection-id="plant-7" ${attributes}>Plant 7</mqtt-status-card>`,
    width,
    measures: BOTH,
  }
}

function other(tag: string, attributes: string, measures: Specimen['measures']): Specimen {
  const markup = `<mqtt-status-${tag} connection-id="plant-7" ${attributes}></mqtt-status-${tag}>`
  return { markup, width: 600, measures }
}

const DENSITIES = ['comfortable', 'compact', 'dense']

const SPECIMENS: readonly Specimen[] = [
  ...DENSITIES.flatMap((density) =>
    [280, 520, 700].flatMap((width) => [
      card(`density="${density}"`, width),
      card(`density="${density}" controls="none"`, width),
    ]),
  ),
  ...['label', 'icon', 'dot', 'text'].flatMap((variant) =>
    ['s', 'm', 'l'].map((size) => other('badge', `variant="${variant}" size="${size}"`, HEIGHT)),
  ),
  ...DENSITIES.map((density) => other('control', `density="${density}"`, HEIGHT)),
  ...DENSITIES.map((density) => other('control', `density="${density}" label-hidden`, BOTH)),
  other('live', '', HEIGHT),
]

/** The size of each on the page, in order. */
function sizes(page: Page): Promise<{ width: number; height: number }[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll('section')].map((section) => {
      const { height } = section.getBoundingClientRect()
      const { width } = (section.firstElementChild ?? section).getBoundingClientRect()
      return { width: Math.round(width), height: Math.round(height) }
    }),
  )
}

for (const scale of [100, 200]) {
  test(`reserved room, skeleton and row have the same size, with texts at ${scale} %`, async () => {
    const page = await stage.browser.newPage()
    await page.goto(`${stage.url}/room`)
    await page.evaluate(
      ([scale, sections]) => {
        document.documentElement.style.fontSize = `${scale}%`
        document.body.innerHTML = sections
      },
      [
        scale,
        SPECIMENS.map(
          ({ markup, width }) => `<section style="inline-size: ${width}px">${markup}</section>`,
        ).join(''),
      ] as const,
    )
    const room = await sizes(page)
    await page.addScriptTag({ type: 'module', url: '/loading.js' })
    await page.waitForSelector('html[data-ready]')
    await page.addStyleTag({
      content: 'mqtt-status-card::part(card) { content-visibility: visible !important }',
    })
    const skeleton = await sizes(page)
    await page.evaluate(() =>
      (globalThis as unknown as { become(state: string): Promise<void> }).become('connected'),
    )
    const row = await sizes(page)
    const moved = SPECIMENS.flatMap(({ markup, width, measures }, i) => {
      // Where large words need a second line, the skeleton can't know the words of the row.
      if (scale > 100 && width < 480) return []
      return measures.flatMap((measure) => {
        const all = [room, skeleton, row].map((sizes) => sizes[i]?.[measure])
        return new Set(all).size === 1 ? [] : [`${markup} in ${width} px: ${measure} ${all.join()}`]
      })
    })
    expect(moved).toEqual([])
    await page.close()
  })
}

test('skeletons of buttons and of the feed’s health have the width of what replaces them', async () => {
  const page = await stage.browser.newPage()
  await page.goto(`${stage.url}/room`)
  await page.evaluate(() => {
    document.body.innerHTML =
      '<section><mqtt-status-control connection-id="plant-7"></mqtt-status-control></section><section><mqtt-status-live></mqtt-status-live></section>'
  })
  await page.addScriptTag({ type: 'module', url: '/loading.js' })
  await page.waitForSelector('html[data-ready]')
  const skeletons = await sizes(page)
  await page.evaluate(() =>
    (globalThis as unknown as { become(state: string): Promise<void> }).become('connected'),
  )
  expect(await sizes(page)).toEqual(skeletons)
  await page.close()
})

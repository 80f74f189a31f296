/**
 * The catalogue as the visual test: in every view no parts overlap or overflow, and axe reports nothing. The test compares
 * no pixels, because fonts differ from machine to machine.
 */
import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { BrowserWithPages } from './browser-with-pages.ts'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

const stage = new BrowserWithPages()

interface View {
  readonly query: string
  readonly width?: number
  readonly zoom?: number
  readonly forcedColors?: 'active'
  readonly print?: boolean
  readonly touch?: boolean
}

async function open(view: View): Promise<Page> {
  const { query, width = 1280, zoom = 1, forcedColors, print, touch } = view
  const context = await stage.browser.newContext({
    // A zoomed page is a smaller viewport with larger pixels.
    viewport: { width: Math.round(width / zoom), height: 900 },
    deviceScaleFactor: zoom,
    reducedMotion: 'reduce',
    ...(forcedColors ? { forcedColors } : {}),
    ...(touch ? { hasTouch: true, isMobile: true } : {}),
  })
  const page = await context.newPage()
  await page.goto(`${stage.url}/catalogue?${query}`)
  await page.waitForSelector('html[data-ready]')
  // Elements out of view render later.
  await page.evaluate(() =>
    Promise.all(
      Array.from(document.querySelectorAll(':defined'), (element) =>
        'updateComplete' in element ? element.updateComplete : null,
      ),
    ),
  )
  if (print) {
    await page.emulateMedia({ media: 'print' })
    // The event of a browser before it prints.
    await page.evaluate(() => dispatchEvent(new Event('beforeprint')))
  }
  // Parts far below the viewport need a layout, too.
  await page.addStyleTag({
    content: 'mqtt-status-card::part(card) { content-visibility: visible !important }',
  })
  return page
}

/** The faults of the geometry, in words. */
function misplaced(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    /** Whether the text is cut off with an ellipsis, which shows that it is. */
    const isEllipsis = ({ textOverflow, webkitLineClamp }: CSSStyleDeclaration): boolean =>
      textOverflow === 'ellipsis' || webkitLineClamp !== 'none'
    /** The visible area of a part; the rest is behind an ellipsis. A part that is cut off otherwise overflows. */
    const visible = (
      part: Element,
    ): {
      left: number
      right: number
      top: number
      bottom: number
      width: number
      height: number
    } => {
      let { left, right, top, bottom } = part.getBoundingClientRect()
      for (let around = part.parentElement; around; around = around.parentElement) {
        const style = getComputedStyle(around)
        if (!isEllipsis(style)) continue
        const { overflowX, overflowY } = style
        const box = around.getBoundingClientRect()
        if (overflowX !== 'visible')
          [left, right] = [Math.max(left, box.left), Math.min(right, box.right)]
        if (overflowY !== 'visible')
          [top, bottom] = [Math.max(top, box.top), Math.min(bottom, box.bottom)]
      }
      return { left, right, top, bottom, width: right - left, height: bottom - top }
    }
    const found: string[] = []
    const tags = 'mqtt-status-card, mqtt-status-badge, mqtt-status-control, mqtt-status-live'
    for (const element of document.querySelectorAll(tags)) {
      const root = element.shadowRoot
      if (!root) continue
      const where = `${element.localName} in ${element.closest('.specimen')?.id ?? '?'}`
      const frame = element.getBoundingClientRect()
      const boxes = [
        ...root.querySelectorAll('.icon, .name, .word, .time, .message p, button, .meta, .why'),
      ]
        .filter((part) => part.checkVisibility() && !part.closest('.unseen'))
        .map((part) => ({ part, box: visible(part) }))
        .filter(({ box }) => box.width > 1 && box.height > 1)
      for (const { part, box } of boxes) {
        const name = `${part.localName}.${part.className.toString()}`
        // Text may be wider than its box.
        if (
          part.matches('.word, .time, .message p, .meta') &&
          part.scrollWidth > part.clientWidth + 1
        )
          found.push(`${where}: ${name} is cut off`)
        const inside =
          box.left >= frame.left - 1 &&
          box.right <= frame.right + 1 &&
          box.top >= frame.top - 1 &&
          box.bottom <= frame.bottom + 1
        if (!inside) found.push(`${where}: ${name} sticks out`)
      }
      for (const [i, one] of boxes.entries()) {
        for (const other of boxes.slice(i + 1)) {
          if (one.part.contains(other.part) || other.part.contains(one.part)) continue
          const across =
            Math.min(one.box.right, other.box.right) - Math.max(one.box.left, other.box.left)
          const down =
            Math.min(one.box.bottom, other.box.bottom) - Math.max(one.box.top, other.box.top)
          if (across > 1 && down > 1)
            found.push(
              `${where}: ${one.part.className.toString()} covers ${other.part.className.toString()}`,
            )
        }
      }
    }
    return found
  })
}

async function violations(page: Page, forced: boolean): Promise<string[]> {
  await page.evaluate(AXE)
  // With forced colours axe still reads the colours of the page.
  return page.evaluate(async (forced) => {
    const { axe } = globalThis as unknown as {
      axe: {
        run(
          context: Element,
          options: object,
        ): Promise<{ violations: { id: string; nodes: { target: unknown }[] }[] }>
      }
    }
    const { violations } = await axe.run(document.documentElement, {
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'],
      rules: { 'color-contrast': { enabled: !forced } },
    })
    return violations.flatMap(({ id, nodes }) =>
      nodes.slice(0, 3).map(({ target }) => `${id}: ${JSON.stringify(target)}`),
    )
  }, forced)
}

const VIEWS: Readonly<Record<string, View>> = {
  'light, comfortable, English': { query: 'theme=light' },
  'dark, comfortable, Italian': { query: 'theme=dark&lang=it' },
  'light, compact, Italian': { query: 'theme=light&density=compact&lang=it' },
  'dark, compact, English, wide': { query: 'theme=dark&density=compact&width=480' },
  'light, dense, Italian, wide': { query: 'theme=light&density=dense&width=480&lang=it' },
  'dark, dense, English': { query: 'theme=dark&density=dense' },
  '200 px, comfortable, Italian, every button': {
    query: 'theme=light&width=200&lang=it&controls=show',
  },
  '200 px, compact, every button': { query: 'theme=dark&width=200&density=compact&controls=show' },
  '200 px, dense, Italian': { query: 'theme=light&width=200&density=dense&lang=it' },
  '200 px, both times': { query: 'theme=light&width=200&time=both' },
  '200 px, absolute times, Italian': { query: 'theme=dark&width=200&time=absolute&lang=it' },
  'right to left': { query: 'theme=light&dir=rtl&controls=show' },
  'a phone at 200 %': { query: 'theme=dark&lang=it', width: 640, zoom: 2 },
  'forced colours': { query: 'theme=light', forcedColors: 'active' },
}

for (const [name, view] of Object.entries(VIEWS)) {
  test(`no parts overlap or overflow, and axe reports nothing: ${name}`, async () => {
    const page = await open(view)
    expect(await misplaced(page)).toEqual([])
    expect(await violations(page, view.forcedColors !== undefined)).toEqual([])
    await page.context().close()
  })
}

test('a printed card has full dates and no buttons', async () => {
  const page = await open({ query: 'theme=light', print: true })
  expect(await misplaced(page)).toEqual([])
  const card = page.locator('#card-connected mqtt-status-card')
  const shown = await card.evaluate((element) => {
    const root = element.shadowRoot
    const time = root?.querySelector('time')
    return {
      buttons: [...(root?.querySelectorAll('button') ?? [])].filter((button) =>
        button.checkVisibility(),
      ).length,
      time: time ? getComputedStyle(time, '::after').content : '',
    }
  })
  expect(shown.buttons).toBe(0)
  expect(shown.time).toContain(String(new Date().getFullYear()))
  await page.context().close()
})

for (const [touch, least] of [
  [false, 24],
  [true, 44],
] as const) {
  test(`every target is at least ${least} px high and wide, ${touch ? 'on a touch screen' : 'with a mouse'}`, async () => {
    const page = await open({ query: 'theme=light&density=dense', touch })
    const small = await page.evaluate(
      (least) =>
        [...document.querySelectorAll('*')]
          .flatMap(({ shadowRoot }) => [
            ...(shadowRoot?.querySelectorAll('button, a[part="badge"]') ?? []),
          ])
          .filter((target) => target.checkVisibility())
          .flatMap((target) => {
            const area = getComputedStyle(target, '::after')
            const [width, height] = [parseFloat(area.width), parseFloat(area.height)]
            return width >= least && height >= least
              ? []
              : [`${target.localName}.${target.className}: ${width} x ${height}`]
          }),
      least,
    )
    expect([...new Set(small)]).toEqual([])
    await page.context().close()
  })
}

test('a skeleton has the height of the card that replaces it, and so has the room that preload.css reserves', async () => {
  const page = await open({ query: 'theme=light' })
  const height = async (selector: string): Promise<number | undefined> =>
    (await page.locator(selector).boundingBox())?.height
  const card = await height('#card-connected mqtt-status-card')
  expect(await height('#card-loading mqtt-status-card')).toBe(card)
  const bare = await stage.browser.newPage()
  await bare.setContent(
    `<link rel="stylesheet" href="${stage.url}/widgets/preload.css"><mqtt-status-card>Impianto 7</mqtt-status-card>`,
  )
  expect((await bare.locator('mqtt-status-card').boundingBox())?.height).toBe(card)
  await bare.close()
  await page.context().close()
})

test('a click on Retry shows that an attempt is under way', async () => {
  const page = await open({ query: 'theme=light' })
  const card = page.locator('#card-unreachable mqtt-status-card')
  await card.locator('.retry').click()
  await card.locator('.loading').waitFor()
  await card.locator('.retry').waitFor()
  await page.context().close()
})

test('a Copy button copies the markup with its attributes; one markup for a whole section is copied from the heading', async () => {
  const context = await stage.browser.newContext({
    permissions: ['clipboard-read', 'clipboard-write'],
  })
  const page = await context.newPage()
  await page.goto(`${stage.url}/catalogue?density=compact`)
  const copied = async (selector: string) => {
    await page.locator(selector).click()
    return page.evaluate(() => navigator.clipboard.readText())
  }
  expect(await copied('#section--mqtt-status-card- .heading .copy')).toBe(
    '<mqtt-status-card connection-id="plant-7" density="compact" controls="auto"></mqtt-status-card>',
  )
  expect(await copied('#action-action-connect .copy')).toContain(' action="connect" ')
  await context.close()
})

test('no two Copy buttons of a section copy the same markup, and it has all variants of the specimen', async () => {
  const context = await stage.browser.newContext({
    permissions: ['clipboard-read', 'clipboard-write'],
  })
  const page = await context.newPage()
  await page.goto(`${stage.url}/catalogue`)
  await page.waitForSelector('html[data-ready]')
  for (const section of await page.locator('main > section').all()) {
    const markups: string[] = []
    for (const copy of await section.locator('.copy').all()) {
      await copy.click()
      markups.push(await page.evaluate(() => navigator.clipboard.readText()))
    }
    expect(markups.length).toBeGreaterThan(0)
    expect(new Set(markups).size).toBe(markups.length)
  }
  await page.locator('#section--mqtt-status-badge- .heading .copy').click()
  const badges = await page.evaluate(() => navigator.clipboard.readText())
  expect(badges.split('\n')).toHaveLength(4)
  await context.close()
})

test('every specimen is in the table of contents, and the console stays empty', async () => {
  const page = await stage.browser.newPage()
  const said: string[] = []
  page.on('console', (message) => said.push(message.text()))
  page.on('pageerror', (error) => said.push(error.message))
  await page.goto(`${stage.url}/catalogue#card-lost`)
  await page.waitForSelector('html[data-ready]')
  const specimens = await page
    .locator('main .specimen')
    .evaluateAll((all) => all.map(({ id }) => id))
  const links = await page
    .locator('#contents li a')
    .evaluateAll((all) => all.map((link) => link.getAttribute('href')?.slice(1)))
  expect(links).toEqual(specimens)
  expect(new Set(specimens).size).toBe(specimens.length)
  expect(
    await page.locator('#card-lost').evaluate((lost) => lost.getBoundingClientRect().top),
  ).toBeLessThan(900)
  expect(said).toEqual([])
  await page.close()
})

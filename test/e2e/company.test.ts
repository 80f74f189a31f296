/** Cards beside others: in a row with higher ones, on a page from right to left, on paper, and without a name. */
import type { BrowserContextOptions, Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { BrowserWithPages } from './browser-with-pages.ts'

const PAGE = `<!doctype html><html lang="en"><title>Company</title>
  <style>body { font: 13px/18px system-ui } .row { display: flex; gap: 8px } mqtt-status-card::part(card) { content-visibility: visible }</style><body></body></html>`

const SCRIPT = `
  import { FakeClient } from '/catalogue/fake-client.js'
  import { STATES } from '/catalogue/states.js'
  import '/widgets/mqtt-status.js'
  for (const element of document.querySelectorAll('[data-state]')) {
    element.client = new FakeClient(STATES[element.dataset.state])
    await element.updateComplete
  }
  await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))
  document.documentElement.dataset.ready = ''
`

const stage = new BrowserWithPages({
  '/company': { type: 'text/html', body: PAGE },
  '/company.js': { type: 'text/javascript', body: SCRIPT },
})

async function open(markup: string, options: BrowserContextOptions = {}): Promise<Page> {
  const page = await stage.browser.newPage(options)
  await page.goto(`${stage.url}/company`)
  await page.evaluate((markup) => {
    document.body.innerHTML = markup
  }, markup)
  await page.addScriptTag({ type: 'module', url: '/company.js' })
  await page.waitForSelector('html[data-ready]')
  return page
}

function card(state: string, attributes: string = '', content: string = ''): string {
  return `<mqtt-status-card data-state="${state}" connection-id="plant-7" ${attributes}>${content}</mqtt-status-card>`
}

interface Box {
  readonly left: number
  readonly right: number
  readonly top: number
  readonly bottom: number
}

/** The position of a part of the n-th card. */
function box(page: Page, n: number, part: string): Promise<Box> {
  return page
    .locator('mqtt-status-card')
    .nth(n)
    .locator(part)
    .first()
    .evaluate((element) => {
      const { left, right, top, bottom } = element.getBoundingClientRect()
      return { left, right, top, bottom }
    })
}

for (const density of ['compact', 'dense']) {
  test(`the lines of a ${density} card stay together in a row with a higher card`, async () => {
    const page = await open(
      `<div class="row">${card('failed')}${card('disconnected by somebody', `density="${density}"`)}</div>`,
    )
    const [name, status, high] = await Promise.all([
      box(page, 1, '.name'),
      box(page, 1, '.status'),
      box(page, 0, '.card'),
    ])
    const low = await box(page, 1, '.card')
    expect(low.bottom).toBe(high.bottom)
    expect(status.top - name.bottom).toBeLessThan(6)
    await page.close()
  })
}

test('on a page from right to left a Latin name shows its beginning, aligned with the status', async () => {
  const long = 'Entwässerungsanlagenverwaltung Nordrhein-Westfalen, zweite Linie'
  const page = await open(
    `<div dir="rtl">${card('lost', `name="${long}" style="inline-size: 260px"`)}${card('lost', 'name="Ems"')}${card('lost', 'name="محطة"')}</div>`,
  )
  const first = await page
    .locator('mqtt-status-card .name slot')
    .first()
    .evaluate((slot) => {
      const text = slot.firstChild
      const name = slot.closest('.name')
      if (!text || !name) throw new Error('There is no name')
      const range = document.createRange()
      range.setStart(text, 0)
      range.setEnd(text, 5)
      const [begin, frame] = [range.getBoundingClientRect(), name.getBoundingClientRect()]
      return begin.left >= frame.left - 1 && begin.right <= frame.right + 1
    })
  expect(first).toBe(true)
  for (const n of [1, 2]) {
    const right = await page
      .locator('mqtt-status-card .name slot')
      .nth(n)
      .evaluate((slot) => {
        const range = document.createRange()
        range.selectNodeContents(slot)
        return range.getBoundingClientRect().right
      })
    expect(Math.abs(right - (await box(page, n, '.word')).right)).toBeLessThanOrEqual(1)
  }
  const [reason, word] = await Promise.all([box(page, 0, '.message p'), box(page, 0, '.word')])
  expect(Math.abs(reason.right - word.right)).toBeLessThanOrEqual(1)
  await page.close()
})

test('names, reasons and the device line are not cut off in narrow cards, nor on paper', async () => {
  const cut = (page: Page, parts: string): Promise<string[]> =>
    page.evaluate(
      (parts) =>
        [...document.querySelectorAll('mqtt-status-card')].flatMap((card) =>
          [...(card.shadowRoot?.querySelectorAll(parts) ?? [])]
            .filter(
              (part) =>
                part.scrollHeight > part.clientHeight + 1 ||
                part.scrollWidth > part.clientWidth + 1,
            )
            .map((part) => part.textContent.trim()),
        ),
      parts,
    )
  const narrow = ['device online', 'failed', 'long words', 'device stale']
    .map((state) => card(state, 'lang="it" style="inline-size: 200px"'))
    .join('')
  const page = await open(narrow)
  expect(await cut(page, '.message p')).toEqual([])
  expect(await cut(page, '.name slot')).not.toEqual([])
  await page.emulateMedia({ media: 'print' })
  expect(await cut(page, '.name slot, .message p')).toEqual([])
  await page.close()
})

test('without a row the name is the id, and without an id there is no line for the name', async () => {
  const page = await open(
    '<mqtt-status-card connection-id="plant-7"></mqtt-status-card><mqtt-status-card></mqtt-status-card>',
  )
  expect(await page.locator('mqtt-status-card .name').first().innerText()).toBe('plant-7')
  const [status, icon] = await Promise.all([box(page, 1, '.status'), box(page, 1, '.icon')])
  expect(status.top).toBe(icon.top)
  await page.close()
})

test('the status of a dense card without a button ends at the edge of the buttons of the others', async () => {
  const page = await open(
    ['connected', 'observed', 'missing'].map((state) => card(state, 'density="dense"')).join(''),
  )
  const [button, observed, missing] = await Promise.all([
    box(page, 0, 'button'),
    box(page, 1, '.status'),
    box(page, 2, '.status'),
  ])
  expect(observed.right).toBe(button.right)
  expect(missing.right).toBe(button.right)
  await page.close()
})

test('a card that is a link changes under the pointer', async () => {
  const page = await open(card('connected', 'href="#there"') + card('connected'), {
    reducedMotion: 'reduce',
  })
  const looks = (n: number): Promise<string> =>
    page
      .locator('mqtt-status-card .card')
      .nth(n)
      .evaluate((card) => getComputedStyle(card).borderColor)
  const before = await looks(0)
  for (const [n, same] of [
    [0, false],
    [1, true],
  ] as const) {
    await page.locator('mqtt-status-card').nth(n).hover()
    expect((await looks(n)) === before).toBe(same)
  }
  await page.close()
})

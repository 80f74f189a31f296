/** Real keys, a real mouse and a real clipboard, which scripts in a page can't imitate. */
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { launchBrowser } from '../../scripts/browser.ts'
import { Pages } from './pages.ts'

/** A client of the page, whose link the test sets, and which records its commands. */
const CLIENT = `
import { FakeClient } from '/catalogue/fake-client.js'
import { STATES } from '/catalogue/states.js'
class Client extends FakeClient {
  state = 'live'
  asked = []
  listeners = new Set()
  get link() {
    return { state: this.state, since: Date.now(), retryAt: null, cause: null }
  }
  onLink(listener) {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }
  turn(state) {
    this.state = state
    for (const listener of this.listeners) listener()
  }
  refresh() {
    this.asked.push('refresh')
    this.turn('live')
  }
  command(id, action, options) {
    this.asked.push(action)
    return super.command(id, action, options)
  }
}
for (const element of document.querySelectorAll('[connection-id]'))
  element.client = globalThis.client = new Client(STATES[element.dataset.state ?? 'connected'])
globalThis.said = []
new MutationObserver((records) => {
  for (const { addedNodes } of records)
    for (const node of addedNodes) if (node.parentElement?.role === 'status') said.push(node.textContent)
}).observe(document.body, { childList: true, subtree: true })
await Promise.all([...document.querySelectorAll('[connection-id]')].map((element) => element.updateComplete))
document.documentElement.dataset.ready = ''
`

let browser: Browser

beforeAll(async () => {
  browser = await launchBrowser()
})

afterEach(async () => {
  await Promise.all(browser.contexts().map((context) => context.close()))
})

afterAll(async () => {
  await browser?.close()
})

/** The texts of the live regions, once there is one. */
async function said(page: Page): Promise<readonly string[]> {
  const lines = await page.waitForFunction(() => {
    const { said } = globalThis as unknown as { said: string[] }
    return said.length > 0 && said
  })
  return lines.jsonValue() as Promise<readonly string[]>
}

async function open(body: string, options: BrowserContextOptions = {}): Promise<Page> {
  const pages = await Pages.start(
    {},
    {
      '/client.js': { type: 'text/javascript', body: CLIENT },
      '/page': {
        type: 'text/html',
        body: `<!doctype html><html lang="en"><title>Keys</title><script type="module" src="/widgets/mqtt-status.js"></script><script type="module" src="/client.js"></script><body>${body}</body></html>`,
      },
    },
  )
  const context = await browser.newContext(options)
  const page = await context.newPage()
  await page.goto(`${pages.url}/page`)
  await page.waitForSelector('html[data-ready]', { state: 'attached' })
  await pages.stop()
  return page
}

function card(attributes: string, inside = ''): string {
  return `<mqtt-status-card connection-id="plant-7" lang="en" ${attributes}>${inside}</mqtt-status-card>`
}

/** The focused node, across shadow roots, in words. */
function focused(page: Page): Promise<string> {
  return page.evaluate(() => {
    let element = document.activeElement
    while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement
    return element?.id === 'name'
      ? 'name'
      : (element?.textContent?.replace(/\s+/g, ' ').trim() ?? '')
  })
}

function asked(page: Page): Promise<string[]> {
  return page.evaluate(
    () => (globalThis as unknown as { client: { asked: string[] } }).client.asked,
  )
}

function turn(page: Page, state: string): Promise<void> {
  return page.evaluate((state) => {
    ;(globalThis as unknown as { client: { turn(state: string): void } }).client.turn(state)
  }, state)
}

function main(page: Page): Locator {
  return page.locator('.main')
}

/** Resolves after the card has rendered. */
async function settled(page: Page): Promise<void> {
  await page.evaluate(async () => {
    await (
      document.querySelector('mqtt-status-card') as unknown as {
        updateComplete: Promise<unknown>
      } | null
    )?.updateComplete
  })
}

test('Tab goes through a card in the order in which it is read', async () => {
  const page = await open(
    card('href="#plant" data-state="failed"', '<button slot="actions">Edit</button>'),
  )
  const seen: string[] = []
  for (let i = 0; i < 5; i++) {
    await page.keyboard.press('Tab')
    seen.push(await focused(page))
  }
  expect(seen).toEqual(['Impianto 7', 'Edit', 'Details', 'Reconnect', 'Stop trying'])
})

for (const key of ['Enter', 'Space']) {
  test(`${key} sends a command once, and the focus stays on the button until after its end`, async () => {
    const page = await open(card(''))
    await page.keyboard.press('Tab')
    expect(await focused(page)).toBe('Disconnect')
    await page.keyboard.press(key)
    await page.keyboard.press(key)
    expect(await focused(page)).toBe('Disconnecting…')
    await page.waitForSelector('mqtt-status-card:state(disconnected)')
    await page.getByRole('button', { name: 'Connect Impianto 7', exact: true }).waitFor()
    expect(await focused(page)).toBe('Connect')
    expect(await asked(page)).toEqual(['disconnect'])
  })
}

test('keys answer a question: it opens with the focus on No, Escape closes it, and Shift+Tab reaches Yes', async () => {
  const page = await open(card('confirm="all"'))
  await main(page).focus()
  await page.keyboard.press('Enter')
  await page.locator('.no').waitFor()
  expect(await focused(page)).toBe('No')
  await page.keyboard.press('Escape')
  await main(page).waitFor()
  expect(await focused(page)).toBe('Disconnect')
  await page.keyboard.press('Enter')
  await page.locator('.no').waitFor()
  await page.keyboard.press('Enter')
  await main(page).waitFor()
  expect(await focused(page)).toBe('Disconnect')
  expect(await asked(page)).toEqual([])
  await page.keyboard.press('Space')
  await page.locator('.no').waitFor()
  await page.keyboard.press('Shift+Tab')
  expect(await focused(page)).toBe('Yes')
  await page.keyboard.press('Enter')
  expect(await asked(page)).toEqual(['disconnect'])
  expect(await focused(page)).toBe('Disconnecting…')
})

test('Escape closes the question, and leaves the dialog around it open', async () => {
  const page = await open(`<dialog>${card('confirm="all"')}</dialog>`)
  await page.evaluate(() => document.querySelector('dialog')?.showModal())
  await main(page).focus()
  await page.keyboard.press('Enter')
  await page.locator('.no').waitFor()
  await page.keyboard.press('Escape')
  await main(page).waitFor()
  expect(
    await page.locator('dialog').evaluate((dialog) => (dialog as HTMLDialogElement).open),
  ).toBe(true)
  await page.keyboard.press('Escape')
  expect(
    await page.locator('dialog').evaluate((dialog) => (dialog as HTMLDialogElement).open),
  ).toBe(false)
})

for (const [tag, width] of [
  ['card', 240],
  ['card', 280],
  ['card', 400],
  ['control', 240],
  ['control', 400],
] as const) {
  test(`a double click opens the question, and does not answer it: ${tag} of ${width} px`, async () => {
    const page = await open(
      `<div style="width: ${width}px">${card('confirm="disconnect"').replaceAll('-card', `-${tag}`)}</div>`,
    )
    const box = await main(page).boundingBox()
    if (!box) throw new Error('no button')
    // All across the button, because the answers will cover a part of it.
    for (const part of [0.1, 0.3, 0.5, 0.7, 0.9]) {
      await page.mouse.dblclick(box.x + box.width * part, box.y + box.height / 2)
      await page.locator('.yes').waitFor()
      expect(await asked(page)).toEqual([])
      await page.locator('.no').press('Escape')
      await main(page).waitFor()
    }
    await main(page).click()
    await page.locator('.yes').waitFor()
    await expect
      .poll(async () => {
        if ((await asked(page)).length === 0) await page.locator('.yes').click()
        return asked(page)
      })
      .toEqual(['disconnect'])
  })
}

for (const tag of ['card', 'control']) {
  test(`Enter twice on Retry sends no command: ${tag}`, async () => {
    const page = await open(card('').replaceAll('-card', `-${tag}`))
    await turn(page, 'unauthorized')
    await page.locator('.retry').focus()
    await page.keyboard.press('Enter')
    await page.keyboard.press('Enter')
    await page.locator('.retry').waitFor({ state: 'detached' })
    await page.keyboard.press('Enter')
    await settled(page)
    expect(await focused(page)).toBe('name')
    expect(await asked(page)).toEqual(['refresh'])
    // From the name the next Tab goes on to the button.
    await page.keyboard.press('Tab')
    expect(await focused(page)).toBe('Disconnect')
  })
}

test('Copy details shows and announces for a moment that it has copied', async () => {
  const page = await open(card('data-state="failed"'), {
    permissions: ['clipboard-read', 'clipboard-write'],
  })
  await page.locator('[part=details]').focus()
  await page.keyboard.press('Enter')
  await page.keyboard.press('Tab')
  expect(await focused(page)).toBe('Copy details')
  await page.keyboard.press('Enter')
  await page.getByRole('button', { name: 'Copied' }).waitFor()
  expect(await focused(page)).toBe('Copied')
  const copied = JSON.parse(await page.evaluate(() => navigator.clipboard.readText())) as object
  expect(copied).toMatchObject({ id: 'plant-7', status: 'failed' })
  expect(await said(page)).toEqual(['Copied'])
  await page.getByRole('button', { name: 'Copy details' }).waitFor()
})

test('Copy details shows and announces that the browser forbids it', async () => {
  const page = await open(card('data-state="failed"'), { permissions: [] })
  const errors: string[] = []
  page.on('pageerror', ({ message }) => errors.push(message))
  await page.evaluate(() => {
    navigator.clipboard.writeText = () => Promise.reject(new DOMException('', 'NotAllowedError'))
  })
  await page.locator('[part=details]').click()
  await page.getByRole('button', { name: 'Copy details' }).click()
  await page.getByRole('button', { name: 'Not copied: the browser forbids it' }).waitFor()
  expect(await said(page)).toEqual(['Not copied: the browser forbids it'])
  expect(errors).toEqual([])
})

test('the name of a button is its label and its connection; its description is the reason, without the labels of other buttons', async () => {
  const page = await open(card('data-state="failed"'))
  const cdp = await page.context().newCDPSession(page)
  const { nodes } = await cdp.send('Accessibility.getFullAXTree')
  const buttons = nodes.filter(
    ({ role, name }) => role?.value === 'button' && /onnect|trying/.test(String(name?.value)),
  )
  expect(buttons.map(({ name }) => String(name?.value))).toEqual([
    'Reconnect Impianto 7',
    'Stop trying Impianto 7',
  ])
  for (const { description } of buttons) {
    expect(String(description?.value)).toContain('credentials')
    expect(String(description?.value)).not.toMatch(/Details|Copy/)
  }
})

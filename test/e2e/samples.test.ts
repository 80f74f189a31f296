/** The documented samples of HTML, style sheets, security headers and CSV, unchanged, in Chromium with a real server. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createDatabase } from '@mqtt-status/testing/postgres'
import type { TestDatabase } from '@mqtt-status/testing/postgres'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { launchBrowser } from '../../scripts/browser.ts'
import { allBlocks, block, blocksOf, nameOf } from '../samples/documented.ts'
import type { Block } from '../samples/documented.ts'
import { Pages } from './pages.ts'
import { ServerProcess } from './world.ts'

interface Described {
  readonly tagName?: string
  readonly attributes?: readonly { readonly name: string }[]
  readonly cssProperties?: readonly { readonly name: string }[]
}

const { modules } = JSON.parse(
  readFileSync(new URL('../../packages/widgets/custom-elements.json', import.meta.url), 'utf8'),
) as { modules: { declarations: Described[] }[] }
const ELEMENTS = modules
  .flatMap(({ declarations }) => declarations)
  .filter(({ tagName }) => tagName !== undefined)

/** The attributes of plain HTML in the samples. */
const SCRIPT_ATTRIBUTES = ['type', 'src', 'data-cfasync', 'data-token-src']
const KNOWN: Readonly<Record<string, readonly string[]>> = {
  script: SCRIPT_ATTRIBUTES,
  link: ['rel', 'href'],
  span: ['slot'],
  ...Object.fromEntries(
    ELEMENTS.map(({ tagName = '', attributes = [] }) => [
      tagName,
      attributes.map(({ name }) => name),
    ]),
  ),
}

let database: TestDatabase
let server: ServerProcess
let environment: Record<string, string>
let browser: Browser

beforeAll(async () => {
  database = await createDatabase()
  await database.sql`
    insert into connections (id, site_id, name, managed, status)
    values ('plant-7', 's1', 'Impianto 7', false, 'connected')`
  // As the mirror of docs/attach.md writes it for a program that takes clicks.
  await database.sql`
    insert into connections (id, site_id, name, managed, desired, status)
    values ('django-7', '3', 'Impianto 7', false, 'connected', 'connected')`
  const key = (await ServerProcess.run(['secrets', 'generate-key'], {})).trim()
  environment = { DATABASE_URL: database.url, MQTT_SECRET_KEYS: key }
  server = await ServerProcess.start({ ...environment, SUPERVISOR: 'off' })
  browser = await launchBrowser()
})

afterAll(async () => {
  await browser?.close()
  await server?.end('SIGTERM')
  await database?.drop()
})

const html = allBlocks()
  .filter(({ language }) => language === 'html')
  .map((found) => ({ name: nameOf(found), found }))

/** Replaces the addresses in the samples by that of the test's server. */
function local(text: string): string {
  return text
    .replaceAll(/https?:\/\/(status\.example\.com|127\.0\.0\.1:8001)/g, server.url)
    .replaceAll('wss://status.example.com', server.url.replace('http', 'ws'))
    .replaceAll('src="/mqtt-status/', `src="${server.url}/`)
}

/** A page around a sample, with a script and a card where the sample has none. */
function pageOf({ text }: Block): string {
  const script = text.includes('<script')
    ? ''
    : `<script type="module" src="${server.url}/widgets/mqtt-status.js"></script>`
  const card = text.includes('<mqtt-status')
    ? ''
    : '<mqtt-status-card connection-id="plant-7"></mqtt-status-card>'
  return `<!doctype html><html lang="en"><title>Portal</title>${script}${local(text)}${card}`
}

/** The page in Chromium, once its card is live, with the warnings and errors of its console. */
async function open(
  body: string,
  headers: Record<string, string> = {},
): Promise<{ page: Page; errors: string[]; stop: () => Promise<void> }> {
  const token = JSON.stringify({ token: 'of the portal', expiresIn: 600 })
  const pages = await Pages.start(headers, {
    '/page': { type: 'text/html; charset=utf-8', body },
    '/mqtt-token': { type: 'application/json', body: token },
  })
  const page = await browser.newPage()
  const errors: string[] = []
  page.on('pageerror', ({ message }) => errors.push(message))
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.location().url.endsWith('/favicon.ico'))
      errors.push(message.text())
  })
  await page.goto(`${pages.url}/page`)
  const stop = async (): Promise<void> => {
    await page.close()
    await pages.stop()
  }
  return { page, errors, stop }
}

async function cardIsLive(page: Page): Promise<void> {
  await page.waitForFunction(() => {
    const card = document.querySelector<
      HTMLElement & { link?: string; connection?: { status: string } | null }
    >('mqtt-status-card')
    return card?.link === 'live' && card.connection?.status === 'connected'
  })
}

describe('HTML', () => {
  test.each(html)('$name has only elements and attributes of the manifest', async ({ found }) => {
    const page = await browser.newPage()
    const tags = await page.evaluate((text) => {
      const { head, body } = new DOMParser().parseFromString(text, 'text/html')
      return [...head.querySelectorAll('*'), ...body.querySelectorAll('*')].map((element) => ({
        name: element.localName,
        attributes: element.getAttributeNames(),
      }))
    }, found.text)
    await page.close()
    expect(tags.length).toBeGreaterThan(0)
    for (const { name, attributes } of tags) {
      expect(Object.keys(KNOWN)).toContain(name)
      expect(KNOWN[name]).toEqual(expect.arrayContaining(attributes))
    }
  })

  test.each(html)('$name is live in a page', async ({ found }) => {
    const { page, errors, stop } = await open(
      found.text.includes('clientFor') ? `<!doctype html>${local(found.text)}` : pageOf(found),
    )
    if (found.text.includes('document.title'))
      await page.waitForFunction(() => document.title === 'connected')
    else await cardIsLive(page)
    expect(errors).toEqual([])
    await stop()
  })
})

test('the documented card of a mirrored row has a button, and without its attribute `controls` it has none', async () => {
  const documented = blocksOf('docs/attach.md').filter(({ language }) => language === 'html')
  const [shown] = documented
  if (shown === undefined) throw new Error('docs/attach.md has no card')
  const without = { ...shown, text: shown.text.replace(' controls="show"', '') }
  expect(without.text).not.toBe(shown.text)
  const { page, errors, stop } = await open(pageOf(shown) + without.text)
  await cardIsLive(page)
  const buttons = page.getByRole('button', { name: 'Disconnect Impianto 7' })
  await buttons.waitFor()
  expect(await page.locator('mqtt-status-card').count()).toBe(2)
  expect(await buttons.count()).toBe(1)
  expect(errors).toEqual([])
  await stop()
})

test('the style sheet sets properties of the manifest only, and the browser parses all of it', async () => {
  const text = block('docs/embedding.md', 'css')
  const written = [...text.matchAll(/^ {2}(--[\w-]+):/gm)].map(([, name = '']) => name)
  const page = await browser.newPage()
  const read = await page.evaluate((css) => {
    const sheet = new CSSStyleSheet()
    sheet.replaceSync(css)
    return [...sheet.cssRules].flatMap((rule) => [...(rule as CSSStyleRule).style])
  }, text)
  await page.close()
  expect(read.toSorted()).toEqual(written.toSorted())
  const known = ELEMENTS.flatMap(({ cssProperties = [] }) => cssProperties.map(({ name }) => name))
  expect(known).toEqual(expect.arrayContaining(written))
})

test.each(blocksOf('docs/embedding.md').filter(({ language }) => language === 'http'))(
  '$page:$line: under the documented policy a card is live, without a violation',
  async ({ text }) => {
    const [name = '', value = ''] = local(text.replaceAll(/\s+/g, ' ').trim()).split(/: (.*)/)
    const [card] = html
    if (card === undefined) throw new Error('There is no sample of HTML')
    const { page, errors, stop } = await open(pageOf(card.found), { [name.toLowerCase()]: value })
    await cardIsLive(page)
    expect(errors).toEqual([])
    await stop()
  },
)

test('the command imports the file of connections, and its export can be imported again', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'samples-'))
  const file = join(folder, 'plants.csv')
  try {
    await database.sql`delete from connections`
    writeFileSync(file, block('docs/operations.md', 'csv'))
    await ServerProcess.run(['connections', 'import', file, '--dry-run'], environment)
    expect(await database.sql`select id from connections`).toEqual([])
    await ServerProcess.run(['connections', 'import', file], environment)
    expect(
      await database.sql`
        select id, site_id, name, protocol, host, port, username, topics, desired, labels
        from connections`,
    ).toEqual([
      {
        id: 'plant-7',
        site_id: 's1',
        name: 'Impianto 7',
        protocol: 'mqtts',
        host: 'broker.example.com',
        port: 8883,
        username: 'plant-7',
        topics: ['plant/7/#', 'plant/8/#'],
        desired: 'connected',
        labels: { region: 'north' },
      },
    ])
    const exported = await ServerProcess.run(
      ['connections', 'export', '--format', 'csv'],
      environment,
    )
    writeFileSync(file, exported)
    await ServerProcess.run(['connections', 'import', file, '--update'], environment)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

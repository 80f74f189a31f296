/** Pages with the strictest policies: the elements work in them without a violation. */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { launchBrowser } from '../../scripts/browser.ts'
import { Pages } from './pages.ts'
import type { ServedFile } from './pages.ts'

const STRICT =
  "default-src 'none'; script-src 'self'; connect-src 'self'; require-trusted-types-for 'script'; trusted-types mqtt-status lit-html"
const WIDGETS = new URL('../../packages/widgets/', import.meta.url)
const BUNDLE = new URL('cdn/mqtt-status.js', WIDGETS)
const LIT = new URL('node_modules/lit/', WIDGETS)

const USE = `
import { FakeClient } from '/catalogue/fake-client.js'
import { STATES } from '/catalogue/states.js'
for (const [name, state] of Object.entries(STATES)) {
  for (const tag of ['card', 'badge', 'control', 'live']) {
    const element = document.createElement('mqtt-status-' + tag)
    element.setAttribute('connection-id', 'plant-7')
    element.client = new FakeClient(state)
    document.body.append(element)
  }
}
await Promise.all([...document.body.children].map((element) => element.updateComplete))
document.documentElement.dataset.ready = ''
`

let browser: Browser

beforeAll(async () => {
  browser = await launchBrowser()
})

afterAll(async () => {
  await browser?.close()
})

function script(body: string | URL): ServedFile {
  return { type: 'text/javascript', body }
}

/** A page that loads these scripts, one after the other, and records the violations. */
async function visit(
  policy: string,
  names: readonly string[],
  files: Readonly<Record<string, ServedFile>>,
): Promise<{ page: Page; violations: string[]; stop: () => Promise<void> }> {
  const tags = names.map((name) => `<script type="module" src="${name}"></script>`).join('')
  const pages = await Pages.start(
    { 'content-security-policy': policy },
    {
      ...files,
      '/use.js': script(USE),
      '/page': {
        type: 'text/html',
        body: `<!doctype html><html lang="en"><title>Strict</title>${tags}<body></body></html>`,
      },
    },
  )
  const page = await browser.newPage()
  const violations: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error') violations.push(message.text())
  })
  page.on('pageerror', (error) => violations.push(error.message))
  await page.goto(`${pages.url}/page`)
  return {
    page,
    violations,
    stop: async () => {
      await page.close()
      await pages.stop()
    },
  }
}

test('no element violates the policies of a strict host, in any state', async () => {
  const { page, violations, stop } = await visit(
    STRICT.replace(' lit-html', ''),
    ['/widgets/mqtt-status.js', '/use.js'],
    {},
  )
  await page.waitForSelector('html[data-ready]', { state: 'attached' })
  expect(await page.locator('mqtt-status-card').count()).toBeGreaterThan(30)
  const icon = await page
    .locator('mqtt-status-card')
    .first()
    .evaluate((card) => card.shadowRoot?.querySelector('.icon')?.getBoundingClientRect().width)
  // Styled, although the page allows no styles.
  expect(icon).toBe(20)
  expect(violations).toEqual([])
  await stop()
})

const ACT = `
import { FakeClient } from '/catalogue/fake-client.js'
import { STATES } from '/catalogue/states.js'
class Client extends FakeClient {
  refresh() {
    document.documentElement.dataset.refreshed = ''
  }
}
for (const [id, attributes, state] of [
  ['asking', { confirm: 'all' }, STATES.connected],
  ['broken', {}, STATES.failed],
  ['blocked', {}, { ...STATES.connected, link: 'unauthorized' }],
]) {
  const element = document.createElement('mqtt-status-card')
  Object.assign(element, { id, ...attributes })
  element.setAttribute('connection-id', 'plant-7')
  element.client = new Client(state)
  document.body.append(element)
}
document.documentElement.dataset.ready = ''
`

test('confirming, copying, retrying and announcing violate no policy of a strict host', async () => {
  const { page, violations, stop } = await visit(
    STRICT.replace(' lit-html', ''),
    ['/widgets/mqtt-status.js', '/act.js'],
    { '/act.js': script(ACT) },
  )
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
  await page.waitForSelector('html[data-ready]', { state: 'attached' })
  await page.locator('#asking .main').click()
  await page.locator('#asking .yes').press('Enter')
  await page.waitForSelector('#asking:state(disconnected)')
  const region = page.locator('body > [data-mqtt-status-announcer]')
  await region.getByText('Impianto 7: disconnected').waitFor({ state: 'attached' })
  // Hidden, although the page allows no styles.
  expect((await region.first().boundingBox())?.width).toBe(1)
  await page.locator('#broken [part=details]').click()
  await page.locator('#broken').getByRole('button', { name: 'Copy details' }).click()
  await page.locator('#broken').getByRole('button', { name: 'Copied' }).waitFor()
  await page.locator('#blocked').getByRole('button', { name: 'Retry' }).click()
  await page.waitForSelector('html[data-refreshed]', { state: 'attached' })
  expect(violations).toEqual([])
  await stop()
})

/** The page's own Lit, as one module. */
async function hostLit(): Promise<string> {
  const vite = createRequire(new URL('package.json', WIDGETS)).resolve('vite')
  const { build } = (await import(pathToFileURL(vite).href)) as {
    build(options: object): Promise<{ output: { code: string }[] }>
  }
  const { output } = await build({
    logLevel: 'error',
    configFile: false,
    build: {
      write: false,
      modulePreload: false,
      rolldownOptions: {
        input: new URL('index.js', LIT).pathname,
        preserveEntrySignatures: 'strict',
        output: { format: 'es' },
      },
    },
  })
  return `${output[0]?.code ?? ''}`
}

const HOST = `
import { html, render } from '/lit.js'
const app = document.createElement('main')
document.body.append(app)
render(html\`<p id="host">\${'The host'}</p>\`, app)
`

for (const order of [
  ['/host.js', '/widgets/mqtt-status.js'],
  ['/widgets/mqtt-status.js', '/host.js'],
]) {
  test(`the bundle works beside another copy of Lit: ${order.join(', then ')}`, async () => {
    const { page, violations, stop } = await visit(STRICT, [...order, '/use.js'], {
      '/lit.js': script(await hostLit()),
      '/host.js': script(HOST),
    })
    await page.waitForSelector('html[data-ready]', { state: 'attached' })
    expect(await page.locator('#host').textContent()).toBe('The host')
    expect(violations).toEqual([])
    await stop()
  })
}

test('a second version of the elements stays unused, and the console names it', async () => {
  const other = readFileSync(BUNDLE, 'utf8').replaceAll('0.1.0', '0.0.9')
  const { page, violations, stop } = await visit(
    STRICT.replace(' lit-html', ''),
    ['/widgets/mqtt-status.js', '/other.js', '/use.js'],
    { '/other.js': script(other) },
  )
  const warnings: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'warning') warnings.push(message.text())
  })
  await page.reload()
  await page.waitForSelector('html[data-ready]', { state: 'attached' })
  expect(warnings.filter((text) => text.includes('already defined by version 0.1.0'))).toHaveLength(
    5,
  )
  expect(violations).toEqual([])
  await stop()
})

test('the console has one warning per page that the server of the script can’t be reached', async () => {
  const pages = await Pages.start(
    {},
    {
      '/page': {
        type: 'text/html',
        body: `<!doctype html><html lang="en"><title>Down</title><script type="module" src="/widgets/mqtt-status.js"></script>
<body><mqtt-status-card connection-id="a"></mqtt-status-card><mqtt-status-badge connection-id="b"></mqtt-status-badge><mqtt-status-live></mqtt-status-live></body></html>`,
      },
    },
  )
  const page = await browser.newPage()
  const warnings: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'warning') warnings.push(message.text())
  })
  await page.goto(`${pages.url}/page`)
  await page.getByText('The server can’t be reached').nth(2).waitFor()
  // A retry causes no further warning.
  await page.getByRole('button', { name: 'Retry now' }).click()
  await page.getByText(/next try in/).waitFor()
  expect(warnings).toHaveLength(1)
  expect(warnings[0]).toContain(`The server ${pages.url}/ can’t be reached.`)
  expect(warnings[0]).toContain(`allow both ${pages.url} and ${pages.url.replace('http', 'ws')}`)
  await page.close()
  await pages.stop()
})

test('the bundle can be imported where there is no document', async () => {
  for (const entry of ['index.js', 'define.js', 'define.development.js', 'define/card.js']) {
    const url = new URL(`../../packages/widgets/dist/${entry}`, import.meta.url).href
    const { stdout } = await promisify(execFile)(process.execPath, [
      '-e',
      `import(${JSON.stringify(url)}).then(() => console.log('imported'))`,
    ])
    expect(stdout.trim(), entry).toBe('imported')
  }
})

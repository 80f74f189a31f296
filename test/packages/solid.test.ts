/** The component of docs/frameworks.md for Solid: compiled by its plugin for Vite, rendered in Chromium. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createDatabase } from '@mqtt-status/testing/postgres'
import type { TestDatabase } from '@mqtt-status/testing/postgres'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { launchBrowser } from '../../scripts/browser.ts'
import { Pages } from '../e2e/pages.ts'
import { ServerProcess } from '../e2e/world.ts'
import { block } from '../samples/documented.ts'
import { Project } from './project.ts'

const FOLDER = 'solid-page'

const PAGE = `
import { createSignal } from 'solid-js'
import { render } from 'solid-js/web'
import { PlantCard } from './plant-card.solid'

const [name, setName] = createSignal('Impianto 7')
render(
  () => (
    <main>
      <PlantCard id="plant-7" name={name()} />
      <button type="button" onClick={() => setName('Impianto 8')}>rename</button>
    </main>
  ),
  document.getElementById('root') as HTMLElement,
)
`

const CONFIG = `
import solid from 'vite-plugin-solid'

export default {
  logLevel: 'warn',
  plugins: [solid()],
  build: { rolldownOptions: { input: 'page.tsx', output: { entryFileNames: '[name].js', codeSplitting: false } } },
}
`

let database: TestDatabase
let server: ServerProcess
let pages: Pages
let browser: Browser

beforeAll(async () => {
  database = await createDatabase()
  server = await ServerProcess.start({ DATABASE_URL: database.url, SUPERVISOR: 'off' })
  const project = new Project(inject('stranger'))
  const sample = block('docs/frameworks.md', 'tsx', 'Solid')
    .replace('https://status.example.com', server.url)
    // The server of this test accepts every page on loopback.
    .replace(' token-src="/mqtt-token"', '')
  project.write({
    [`${FOLDER}/plant-card.solid.tsx`]: sample,
    [`${FOLDER}/page.tsx`]: PAGE,
    [`${FOLDER}/vite.config.js`]: CONFIG,
  })
  const built = await project.runIn(FOLDER, 'vite', 'build')
  if (!built.ok) throw new Error(`The page can not be built:\n${built.output}`)
  const script = readFileSync(join(project.folder, FOLDER, 'dist/page.js'), 'utf8')
  pages = await Pages.start(
    {},
    {
      '/solid': {
        type: 'text/html; charset=utf-8',
        body: '<!doctype html><link rel="icon" href="data:,"><div id="root"></div><script type="module" src="/page.js"></script>',
      },
      '/page.js': { type: 'text/javascript', body: script },
    },
  )
  browser = await launchBrowser()
})

afterAll(async () => {
  await browser?.close()
  await pages?.stop()
  await server?.end('SIGTERM')
  await database?.drop()
})

test('its card is live, the listener hears of changes, and a new name is shown', async () => {
  await database.sql`
    insert into connections (id, site_id, name, managed, status)
    values ('plant-7', 's1', '', false, 'connected')`
  const page = await browser.newPage()
  const heard: string[] = []
  page.on('console', (message) => heard.push(message.text()))
  await page.goto(`${pages.url}/solid`)
  for (const status of ['connected', 'failed', 'disconnected']) {
    await database.sql`update connections set status = ${status}`
    await page.locator(`mqtt-status-card:state(${status}):state(link-live)`).waitFor()
  }
  await page.getByRole('group', { name: 'Impianto 7', exact: true }).waitFor()
  await page.getByRole('button', { name: 'rename' }).click()
  await page.getByRole('group', { name: 'Impianto 8', exact: true }).waitFor()
  expect(heard).toEqual(['plant-7 failed', 'plant-7 disconnected'])
  await page.close()
})

/** The samples of docs/frameworks.md for React, rendered by Node and hydrated in Chromium, and the documented route that signs their tokens. */
import { join } from 'node:path'
import { createDatabase } from '@mqtt-status/testing/postgres'
import type { TestDatabase } from '@mqtt-status/testing/postgres'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, test, vi } from 'vitest'
import { launchBrowser } from '../../scripts/browser.ts'
import { ServerProcess } from '../e2e/world.ts'
import { blocksOf } from '../samples/documented.ts'
import { Project } from './project.ts'
import { buildPage, Portal, viteConfig } from './react-portal.ts'
import type { Sign } from './react-portal.ts'

const SECRET = 'a-secret-of-at-least-thirty-two-bytes'
const FOLDER = 'react-samples'

/** The visitor of the documented route: who has a session cookie sees the site s1. */
const VIEWER_OF = [
  'return null',
  `return request.headers.get('cookie')?.includes('session=') ? { name: 'anna', sites: ['s1'], mayControl: true } : null`,
] as const

/** A page with every sample, and with cards of JSX that subscribe after hydration and after the browser has created them. */
const PORTAL = `
import { MqttStatusProvider } from '@mqtt-status/widgets/react'
import { useCallback, useState } from 'react'
import { PlantCard } from './src/plant-card'
import { PlantStatus } from './src/plant-status'
import { PlantWatch } from './src/plant-watch'
import { SiteList } from './src/site-list'

export function Portal({ src }: { src: string }) {
  const [heard, setHeard] = useState<readonly string[]>([])
  const [isCreated, setCreated] = useState(false)
  const onStatus = useCallback((status: string) => setHeard((all) => [...all, 'effect:' + status]), [])
  const onChange = (way: string) => (event: { detail: { connection: { status: string } } }) =>
    setHeard((all) => [...all, way + ':' + event.detail.connection.status])
  return (
    <>
      <div className="sample"><PlantCard id="plant-7" name="Impianto 7" /></div>
      <PlantStatus id="plant-7" />
      <SiteList site="s1" />
      <MqttStatusProvider src={src} tokenSrc="/mqtt-token">
        <div className="watch"><PlantWatch id="plant-7" name="Impianto 7" onStatus={onStatus} /></div>
        <mqtt-status-card className="hydrated" connection-id="plant-7" onmqtt-status-change={onChange('hydrated')} />
        {isCreated && <mqtt-status-card className="created" connection-id="plant-7" onmqtt-status-change={onChange('created')} />}
      </MqttStatusProvider>
      <button type="button" onClick={() => setCreated(true)}>create</button>
      <p className="heard">{heard.join(' ')}</p>
    </>
  )
}
`

let database: TestDatabase
let status: ServerProcess
let portal: Portal
let browser: Browser
let page: Page
let messages: string[]
let sockets: number

beforeAll(async () => {
  database = await createDatabase()
  portal = await Portal.start()
  status = await ServerProcess.start({
    DATABASE_URL: database.url,
    AUTH_JWT_SECRET: SECRET,
    ALLOWED_ORIGINS: portal.url,
    SUPERVISOR: 'off',
  })
  const samples = blocksOf('docs/frameworks.md').filter(
    ({ language, text }) => language === 'tsx' && !text.includes('@jsxImportSource'),
  )
  portal.src = status.url
  portal.page = await buildPage({
    folder: FOLDER,
    files: {
      'portal.tsx': PORTAL,
      ...Object.fromEntries(
        samples.map(({ file, text }) => [
          file ?? '',
          text.replaceAll('https://status.example.com', status.url),
        ]),
      ),
    },
    src: status.url,
  })
  portal.sign = await documentedRoute()
  browser = await launchBrowser()
})

afterAll(async () => {
  vi.unstubAllEnvs()
  await browser?.close()
  await status?.end('SIGTERM')
  await portal?.stop()
  await database?.drop()
})

beforeEach(async () => {
  await database.sql`delete from connections`
  await database.sql`
    insert into connections (id, site_id, name, managed, status)
    values ('plant-7', 's1', 'Impianto 7', false, 'connected')`
  messages = []
  sockets = 0
  page = await browser.newPage()
  await page.context().addCookies([{ name: 'session', value: 'anna', url: portal.url }])
  page.on('pageerror', (error) => messages.push(error.message))
  page.on('console', (message) => {
    // React names its developer tools.
    if (message.type() !== 'info') messages.push(message.text())
  })
  page.on('websocket', () => sockets++)
})

afterEach(() => page.close())

/** The handler of docs/tokens.md, built for Node. */
async function documentedRoute(): Promise<Sign> {
  vi.stubEnv('AUTH_JWT_SECRET', SECRET)
  const project = new Project(inject('stranger'))
  const blocks = blocksOf('docs/tokens.md').filter(({ language }) => language === 'ts')
  project.write({
    ...Object.fromEntries(
      blocks.map(({ file, text }) => [`${FOLDER}/${file ?? ''}`, text.replace(...VIEWER_OF)]),
    ),
    [`${FOLDER}/route.config.js`]: viteConfig({ input: 'app/mqtt-token/route.ts', ssr: true }),
  })
  const built = await project.runIn(FOLDER, 'vite', 'build', '--config', 'route.config.js')
  expect(built).toEqual({ ok: true, output: '' })
  const module = (await import(join(project.folder, FOLDER, 'dist/route.js'))) as { GET: Sign }
  return module.GET
}

async function setStatus(text: string): Promise<void> {
  await database.sql`update connections set status = ${text} where id = 'plant-7'`
}

test('a server renders each sample with its text', () => {
  const { markup } = portal.page
  expect(markup).toMatch(/<mqtt-status-card[^>]* connection-id="plant-7"[^>]*>Impianto 7</)
  expect(markup).toContain('<output>loading</output>')
  expect(markup).toContain('<p>Loading…</p>')
})

test('the documented route answers 401 without a session, and with one a token that nothing stores', async () => {
  const route = `${portal.url}/mqtt-token`
  expect((await fetch(route)).status).toBe(401)
  const answer = await fetch(route, { headers: { cookie: 'session=anna' } })
  expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'no-store'])
  const { token } = (await answer.json()) as { token: string }
  const rows = await fetch(`${status.url}/api/v1/connections`, {
    headers: { authorization: `Bearer ${token}` },
  })
  expect(await rows.json()).toMatchObject({ can: ['view', 'control'] })
})

test('after hydration the card, the status and the list are live over one socket, and the handler is called', async () => {
  await page.goto(`${portal.url}/hydrated`)
  await page.locator('.sample').getByText('Connected', { exact: true }).waitFor()
  await page.locator('output', { hasText: 'connected' }).waitFor()
  await page.locator('li', { hasText: 'Impianto 7: connected' }).waitFor()
  await setStatus('failed')
  await page.locator('.sample').getByText('Error', { exact: true }).waitFor()
  await page.locator('output', { hasText: 'failed' }).waitFor()
  await page.locator('li', { hasText: 'Impianto 7: failed' }).waitFor()
  await database.sql`delete from connections`
  await page.getByText('No connections').waitFor()
  expect(messages).toEqual(['plant-7 failed'])
  expect(sockets).toBe(1)
})

test('after hydration the documented effect sets words and hears the first change, and an attribute of JSX does not', async () => {
  await page.goto(`${portal.url}/hydrated`)
  // The documented effect also sets `strings`, in which "Connected" is "Online".
  await page.locator('.watch').getByText('Online', { exact: true }).waitFor()
  await page.locator('.hydrated').getByText('Connected', { exact: true }).waitFor()
  await setStatus('failed')
  await page.locator('.heard', { hasText: 'effect:failed' }).waitFor()
  await page.getByRole('button', { name: 'create' }).click()
  await page.locator('.created').getByText('Error', { exact: true }).waitFor()
  await setStatus('connected')
  await page.locator('.heard', { hasText: 'created:connected' }).waitFor()
  const heard = (await page.locator('.heard').textContent())?.split(' ').toSorted()
  // React attaches the listener of a hydrated element when it renders the element again with another function.
  expect(heard).toEqual([
    'created:connected',
    'effect:connected',
    'effect:failed',
    'hydrated:connected',
  ])
  expect(messages).toEqual(['plant-7 failed', 'plant-7 connected'])
})

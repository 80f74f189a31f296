/** The sample of docs/frameworks.md for Next.js: built in strict mode from the packed packages, served by Next.js, opened in Chromium. */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { freePort } from '@mqtt-status/testing/free-port'
import { createDatabase } from '@mqtt-status/testing/postgres'
import type { TestDatabase } from '@mqtt-status/testing/postgres'
import { until } from '@mqtt-status/testing/until'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { launchBrowser } from '../../scripts/browser.ts'
import { blocksOf } from '../samples/documented.ts'
import { ServerProcess } from '../e2e/world.ts'
import { Project } from './project.ts'

const FOLDER = 'next-app'
const SECRET = 'a-secret-of-at-least-thirty-two-bytes'

/** As `create-next-app` writes it, and stricter. */
const TSCONFIG = {
  compilerOptions: {
    target: 'ES2022',
    lib: ['dom', 'dom.iterable', 'esnext'],
    module: 'esnext',
    moduleResolution: 'bundler',
    jsx: 'react-jsx',
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    // The declarations of Next.js itself are not checked; those of the widgets are, in entries.test.ts.
    skipLibCheck: true,
    noEmit: true,
    allowJs: true,
    incremental: true,
    esModuleInterop: true,
    resolveJsonModule: true,
    isolatedModules: true,
    plugins: [{ name: 'next' }],
  },
  include: [
    'next-env.d.ts',
    '**/*.ts',
    '**/*.tsx',
    '.next/types/**/*.ts',
    '.next/dev/types/**/*.ts',
  ],
  exclude: ['node_modules'],
}

/** The visitor of the documented route: who has a session cookie sees the site s1. */
const VIEWER_OF = [
  'return null',
  `return request.headers.get('cookie')?.includes('session=') ? { name: 'anna', sites: ['s1'], mayControl: true } : null`,
] as const

/** A page that hears of changes by the documented effect, by JSX after hydration, and by JSX in an element that the browser creates. */
const EVENTS_PAGE = `'use client'
import { useCallback, useState } from 'react'
import { PlantWatch } from '../../src/plant-watch'

export default function Page() {
  const [heard, setHeard] = useState<readonly string[]>([])
  const [created, setCreated] = useState(false)
  const onStatus = useCallback((status: string) => setHeard((all) => [...all, 'effect:' + status]), [])
  const onChange = (way: string) => (event: { detail: { connection: { status: string } } }) =>
    setHeard((all) => [...all, way + ':' + event.detail.connection.status])
  return (
    <main>
      <PlantWatch id="plant-7" name="Impianto 7" onStatus={onStatus} />
      <mqtt-status-card className="hydrated" connection-id="plant-7" onmqtt-status-change={onChange('hydrated')} />
      {created && <mqtt-status-card className="created" connection-id="plant-7" onmqtt-status-change={onChange('created')} />}
      <button type="button" onClick={() => setCreated(true)}>create</button>
      <output>{heard.join(' ')}</output>
    </main>
  )
}
`

let database: TestDatabase
let server: ServerProcess
let next: ChildProcess | undefined
let browser: Browser
let url: string
let output = ''

beforeAll(async () => {
  database = await createDatabase()
  const port = await freePort()
  url = `http://127.0.0.1:${port}`
  server = await ServerProcess.start({
    DATABASE_URL: database.url,
    AUTH_JWT_SECRET: SECRET,
    ALLOWED_ORIGINS: url,
    SUPERVISOR: 'off',
  })
  await build()
  next = serve(port)
  await until(async () => (await fetch(url)).ok, { what: 'Next.js', timeoutMs: 60_000 })
  browser = await launchBrowser()
})

afterAll(async () => {
  await browser?.close()
  if (next !== undefined && next.exitCode === null) {
    const exit = once(next, 'exit')
    next.kill('SIGTERM')
    await exit
  }
  await server?.end('SIGTERM')
  await database?.drop()
})

async function build(): Promise<void> {
  const project = new Project(inject('stranger'))
  const samples = blocksOf('docs/frameworks.md').filter(({ language }) => language === 'tsx')
  const signing = blocksOf('docs/tokens.md').filter(({ language }) => language === 'ts')
  const files = [
    ...samples.map(({ file, text }) => ({
      file,
      text: text.replaceAll('https://status.example.com', server.url),
    })),
    ...signing.map(({ file, text }) => ({ file, text: text.replace(...VIEWER_OF) })),
  ].map(({ file, text }) => [`${FOLDER}/${file ?? ''}`, text])
  project.write({
    ...Object.fromEntries(files),
    [`${FOLDER}/app/events/page.tsx`]: EVENTS_PAGE,
    [`${FOLDER}/tsconfig.json`]: JSON.stringify(TSCONFIG),
    [`${FOLDER}/next.config.mjs`]: `export default { turbopack: { root: '${project.folder}' } }`,
  })
  const built = await project.runIn(FOLDER, 'next', 'build')
  if (!built.ok) throw new Error(`next build has failed:\n${built.output}`)
}

function serve(port: number): ChildProcess {
  const folder = inject('stranger')
  const program = join(folder, 'node_modules/next/dist/bin/next')
  const { NODE_ENV: _, ...env } = process.env
  const child = spawn(process.execPath, [program, 'start', '-H', '127.0.0.1', '-p', `${port}`], {
    cwd: join(folder, FOLDER),
    env: { ...env, NODE_ENV: 'production', NEXT_TELEMETRY_DISABLED: '1', AUTH_JWT_SECRET: SECRET },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text))
  return child
}

/** Opens a page, and fails at the end of the test if its console had an error, hydration mismatches included. */
async function open(path: string): Promise<{ page: Page; errors: string[] }> {
  await database.sql`delete from connections`
  await database.sql`
    insert into connections (id, site_id, name, managed, status)
    values ('plant-7', 's1', 'Impianto 7', false, 'connected')`
  const page = await browser.newPage()
  await page.context().addCookies([{ name: 'session', value: 'anna', url }])
  const errors: string[] = []
  page.on('pageerror', (error) => errors.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.location().url.endsWith('/favicon.ico'))
      errors.push(message.text())
  })
  await page.goto(url + path)
  return { page, errors }
}

async function setStatus(status: string): Promise<void> {
  await database.sql`update connections set status = ${status} where id = 'plant-7'`
}

test('the server renders the page with its texts, and opens no line', async () => {
  const html = await (await fetch(url)).text()
  expect(html).toMatch(/<mqtt-status-card[^>]* connection-id="plant-7"[^>]*>Impianto 7</)
  expect(html).toContain('<output>loading</output>')
  expect(output).not.toMatch(/error/i)
})

test('the documented route answers 401 without a session, and with one a token that nothing stores', async () => {
  const route = `${url}/mqtt-token`
  expect((await fetch(route)).status).toBe(401)
  const answer = await fetch(route, { headers: { cookie: 'session=anna' } })
  expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'no-store'])
  const { token } = (await answer.json()) as { token: string }
  const rows = await fetch(`${server.url}/api/v1/connections`, {
    headers: { authorization: `Bearer ${token}` },
  })
  expect(await rows.json()).toMatchObject({ can: ['view', 'control'] })
})

test('the card and the status without an element are live in the browser', async () => {
  const { page, errors } = await open('/')
  await page.locator('mqtt-status-card').getByText('Connected', { exact: true }).waitFor()
  await page.locator('output', { hasText: 'connected' }).waitFor()
  await setStatus('failed')
  await page.locator('mqtt-status-card').getByText('Error', { exact: true }).waitFor()
  await page.locator('output', { hasText: 'failed' }).waitFor()
  expect(errors).toEqual([])
  await page.close()
})

test('after hydration the documented effect sets words and hears the first change, and an attribute of JSX does not', async () => {
  const { page, errors } = await open('/events')
  // The documented effect also sets `strings`, in which "Connected" is "Online".
  await page.locator('mqtt-status-card').first().getByText('Online', { exact: true }).waitFor()
  await page.locator('.hydrated').getByText('Connected', { exact: true }).waitFor()
  await setStatus('failed')
  await page.locator('output', { hasText: 'effect:failed' }).waitFor()
  await page.getByRole('button', { name: 'create' }).click()
  await page.locator('.created').getByText('Error', { exact: true }).waitFor()
  await setStatus('connected')
  await page.locator('output', { hasText: 'created:connected' }).waitFor()
  const heard = (await page.locator('output').textContent())?.split(' ').toSorted()
  // React attaches the listener of a hydrated element when it renders the element again with another function.
  expect(heard).toEqual([
    'created:connected',
    'effect:connected',
    'effect:failed',
    'hydrated:connected',
  ])
  expect(errors).toEqual([])
  await page.close()
})

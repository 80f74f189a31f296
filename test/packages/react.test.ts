/** The components for React of the packed package: rendered by Node, hydrated and created in Chromium, by each version of React that users have, and by Preact. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createDatabase } from '@mqtt-status/testing/postgres'
import type { TestDatabase } from '@mqtt-status/testing/postgres'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest'
import { launchBrowser } from '../../scripts/browser.ts'
import { ROOT } from '../../scripts/packages.ts'
import { ServerProcess } from '../e2e/world.ts'
import { Project } from './project.ts'
import { buildPage, NO_NETWORK, Portal, viteConfig } from './react-portal.ts'

const SECRET = 'a-secret-of-at-least-thirty-two-bytes'

interface Element {
  readonly tagName: string
  readonly attributes: readonly {
    readonly name: string
    readonly type: { readonly text: string }
  }[]
}

const { modules } = JSON.parse(
  readFileSync(join(ROOT, 'packages/widgets/custom-elements.json'), 'utf8'),
) as { modules: { declarations: Element[] }[] }
const ELEMENTS = modules.flatMap(({ declarations }) => declarations)

/** Renders one component with each of its props alone, and prints the markup of each. */
const RENDER_PROPS = `${NO_NETWORK}
import { createElement } from 'react'
import { renderToString } from 'react-dom/server'
import * as components from '@mqtt-status/widgets/react'

const cases = JSON.parse(process.argv[2])
const nothing = () => undefined
const held = { strings: {}, client: {}, getToken: nothing, onMqttStatusChange: nothing, onMqttStatusCommandEnd: nothing }
console.log(JSON.stringify({
  names: Object.keys(components),
  markup: cases.map(({ component, props }) =>
    renderToString(createElement(components[component], { ...held, ...props }, 'Impianto 7'))),
}))
`

const PORTAL = `
import { createClient } from '@mqtt-status/widgets/client'
import type { OpenTransport } from '@mqtt-status/widgets/client'
import { MqttStatusBadge, MqttStatusCard, MqttStatusProvider } from '@mqtt-status/widgets/react'
import { useState } from 'react'

const open: OpenTransport = (_src, { onOpen, onMessage }) => {
  const say = (message: object) => queueMicrotask(() => onMessage(JSON.stringify(message)))
  queueMicrotask(onOpen)
  return {
    send(message) {
      if (message.type === 'hello') say({ type: 'welcome', now: new Date().toISOString(), can: ['view'] })
      if (message.type === 'watch')
        say({ type: 'snapshot', id: message.id, final: true, connections: [{ id: 'own', siteId: 's', name: 'Own client', status: 'disconnected' }] })
      return true
    },
    close() {},
  }
}
const own = createClient({ src: 'http://status.test' }, { open })

export function Portal({ src }: { src: string }) {
  const [heard, setHeard] = useState<readonly string[]>([])
  const [turn, setTurn] = useState(1)
  const [listens, setListens] = useState(true)
  const say = (word: string) => setHeard((all) => [...all, word + '@' + turn])
  return (
    <>
      <MqttStatusProvider src={src} getToken={async () => (await fetch('/mqtt-token?' + turn)).text()}>
        <MqttStatusCard
          className="words"
          connectionId="plant-7"
          strings={{ look: { connected: 'Online' } }}
          onMqttStatusReady={({ detail }) => say('ready:' + detail.connection.id)}
          onMqttStatusChange={listens ? ({ detail }) => say(detail.connection.status) : undefined}
        >
          Impianto 7
        </MqttStatusCard>
        <MqttStatusBadge connectionId="own" client={own} variant="text" ref={(badge) => void badge?.setAttribute('data-ref', badge.localName)} />
      </MqttStatusProvider>
      <button type="button" onClick={() => setTurn(turn + 1)}>render</button>
      <button type="button" onClick={() => setListens(false)}>leave</button>
      <output>{heard.join(' ')}</output>
    </>
  )
}
`

test('every element has a component, which renders each attribute and the text on a server, and opens no connection', async () => {
  const project = new Project(inject('stranger'))
  const cases = ELEMENTS.flatMap(({ tagName, attributes }) =>
    attributes.map(({ name, type: { text } }) => ({
      component: pascal(tagName),
      props: { [camel(name)]: text === 'boolean' ? true : 'x' },
      markup: `<${tagName} ${name}="${text === 'boolean' ? '' : 'x'}">Impianto 7</${tagName}>`,
    })),
  )
  project.write({ 'react-props.mjs': RENDER_PROPS })
  const { ok, output } = await project.run('node', 'react-props.mjs', JSON.stringify(cases))
  expect(ok, output).toBe(true)
  const { names, markup } = JSON.parse(output) as { names: string[]; markup: string[] }
  expect(names).toEqual(ELEMENTS.map(({ tagName }) => pascal(tagName)).toSorted())
  expect(markup).toEqual(cases.map((each) => each.markup))
  expect(cases.length).toBeGreaterThan(40)
})

test('the components are for client components, and bring only the elements that a page imports', async () => {
  const project = new Project(inject('stranger'))
  const text = readFileSync(
    join(project.folder, 'node_modules/@mqtt-status/widgets/dist/react.js'),
    'utf8',
  )
  expect(text).toMatch(/^["']use client["'];?\n/)
  const folder = 'react-badge'
  project.write({
    [`${folder}/page.js`]: `import { MqttStatusBadge } from '@mqtt-status/widgets/react'\nconsole.log(MqttStatusBadge)\n`,
    [`${folder}/vite.config.js`]: viteConfig({ input: 'page.js' }),
  })
  expect(await project.runIn(folder, 'vite', 'build')).toEqual({ ok: true, output: '' })
  const built = readFileSync(join(project.folder, folder, 'dist/page.js'), 'utf8')
  expect(built).toContain('mqtt-status-badge')
  expect(built).not.toContain('mqtt-status-card')
})

describe.each([
  ['React 19', 'react', 'react-dom'],
  ['React 18', 'react-18', 'react-dom-18'],
  ['Preact', 'preact/compat', 'preact/compat'],
])('%s', (name, react, reactDom) => {
  let database: TestDatabase
  let status: ServerProcess
  let portal: Portal
  let browser: Browser
  let page: Page
  let errors: string[]
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
    const args = ['token', '--sub', 'me', '--sites', '*', '--scope', 'view,control']
    const token = (await ServerProcess.run(args, { AUTH_JWT_SECRET: SECRET })).trim()
    portal.sign = () => Promise.resolve(new Response(token))
    portal.src = status.url
    portal.page = await buildPage({
      folder: name.toLowerCase().replace(' ', '-'),
      files: { 'portal.tsx': PORTAL },
      src: status.url,
      alias: { react, 'react-dom': reactDom },
    })
    browser = await launchBrowser()
  })

  afterAll(async () => {
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
    portal.asked.length = 0
    errors = []
    sockets = 0
    page = await browser.newPage()
    page.on('pageerror', (error) => errors.push(error.message))
    page.on('websocket', () => sockets++)
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) errors.push(message.text())
    })
  })

  afterEach(async () => {
    await page.close()
  })

  async function setStatus(status: string): Promise<void> {
    await database.sql`update connections set status = ${status} where id = 'plant-7'`
  }

  async function heard(words: string): Promise<void> {
    await page.locator('output', { hasText: new RegExp(`^${words}$`) }).waitFor()
  }

  test('the page of the server shows the text of the elements without their script', async () => {
    await page.route('**/*.js', (route) => route.abort())
    await page.goto(`${portal.url}/hydrated`)
    await page.locator('mqtt-status-card').getByText('Impianto 7').waitFor()
  })

  test.each(['hydrated', 'created'])(
    'strings, client, getToken, ref and events of a %s page arrive, over one socket with a token',
    async (way) => {
      await page.goto(`${portal.url}/${way}`)
      await page.locator('.words').getByText('Online', { exact: true }).waitFor()
      await page.locator('mqtt-status-badge').getByText('Disconnected').waitFor()
      expect(await page.locator('[data-ref=mqtt-status-badge]').count()).toBe(1)
      await heard('ready:plant-7@1')
      await setStatus('failed')
      await heard('ready:plant-7@1 failed@1')
      // The second rendering passes other functions, and other words that say the same.
      await page.getByRole('button', { name: 'render' }).click()
      await setStatus('connected')
      await heard('ready:plant-7@1 failed@1 connected@2')
      await page.getByRole('button', { name: 'leave' }).click()
      await setStatus('failed')
      await page.locator('.words').getByText('Error', { exact: true }).waitFor()
      await heard('ready:plant-7@1 failed@1 connected@2')
      expect({ errors, sockets, asked: portal.asked }).toEqual({
        errors: [],
        sockets: 1,
        asked: ['/mqtt-token?1'],
      })
    },
  )
})

function camel(name: string): string {
  return name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())
}

function pascal(tag: string): string {
  return camel(`-${tag}`)
}

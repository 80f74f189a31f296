import { rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { createDatabase } from '@mqtt-status/testing/postgres'
import type { TestDatabase } from '@mqtt-status/testing/postgres'
import { until } from '@mqtt-status/testing/until'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { launchBrowser } from '../../scripts/browser.ts'
import { embed, PortalPages, ServerProcess, startBroker } from './world.ts'
import type { AnyBroker } from './world.ts'

const ID = 'plant-7'
const CLIENT = 'plant-7-client'

let database: TestDatabase
let broker: AnyBroker
let server: ServerProcess
let portal: PortalPages
let browser: Browser

beforeAll(async () => {
  ;[database, broker, browser] = await Promise.all([
    createDatabase(),
    startBroker(),
    launchBrowser(),
  ])
  await database.sql`
    insert into connections (id, site_id, name, protocol, host, port, client_id, topics, desired)
    values (${ID}, 'site-7', 'Impianto 7', 'mqtt', '127.0.0.1', ${broker.port}, ${CLIENT}, '["plant/7/#"]', 'connected')`
  server = await ServerProcess.start({ DATABASE_URL: database.url })
  portal = await PortalPages.start(embed(server.url, ID))
})

afterEach(async () => {
  await Promise.all(browser.contexts().map((context) => context.close()))
})

afterAll(async () => {
  await browser?.close()
  await portal?.stop()
  await server?.end('SIGTERM')
  await broker?.stop()
  await database?.drop()
})

/** A page of the portal in its own browser context, as another visitor has it. */
async function open(url = portal.url): Promise<Page> {
  const context = await browser.newContext()
  const page = await context.newPage()
  await page.goto(url)
  return page
}

/** The text of the card, as one line. */
function words(page: Page): Promise<string> {
  return page
    .locator('mqtt-status-card')
    .evaluate((card) => card.shadowRoot?.textContent?.replace(/\s+/g, ' ') ?? '')
}

function card(page: Page, state: string): Promise<unknown> {
  return page.waitForSelector(`mqtt-status-card:state(${state})`, { state: 'attached' })
}

/** Writes another name into the row, and waits until the page shows it. The server keeps the status of its own connection true. */
async function rename(page: Page, name: string): Promise<void> {
  await database.sql`update connections set name = ${name} where id = ${ID}`
  await until(async () => (await words(page)).includes(name), { what: `the name ${name}` })
}

async function status(): Promise<string> {
  const [row] = await database.sql`select status from connections where id = ${ID}`
  return String(row?.['status'])
}

/** Connects the connection again by the HTTP API. */
async function connected(): Promise<void> {
  await fetch(`${server.url}/api/v1/connections/${ID}/reconnect`, { method: 'POST' })
  await until(async () => (await status()) === 'connected', { what: 'the connection to be up' })
}

test('three lines of HTML in a page on loopback make a live card with a working button, in Italian', async () => {
  await connected()
  const page = await open()
  await card(page, 'connected')
  expect(await words(page)).toContain('Connesso')
  const button = page.getByRole('button', { name: 'Disconnetti' })
  expect(await button.getAttribute('aria-disabled')).not.toBe('true')
})

test('a change of a row by another program in the database shows in the open page', async () => {
  await connected()
  const page = await open()
  await card(page, 'connected')
  await rename(page, 'Impianto 7 Nord')
})

test('a click on Disconnect is pending at once, leads to an MQTT DISCONNECT, and shows on two pages; Connect connects again', async () => {
  await connected()
  const [mine, other] = await Promise.all([open(), open()])
  await Promise.all([card(mine, 'connected'), card(other, 'connected')])
  const before = broker.disconnects(CLIENT)

  // In one task of the page: the click, and the text of the card before a response can have arrived.
  const pending = await mine.locator('mqtt-status-card').evaluate(async (element) => {
    const host = element as HTMLElement & { updateComplete: Promise<unknown> }
    host.shadowRoot?.querySelector<HTMLElement>('[part~="control"]')?.click()
    await host.updateComplete
    return host.matches(':state(pending)')
  })
  expect(pending).toBe(true)

  await Promise.all([card(mine, 'disconnected'), card(other, 'disconnected')])
  await until(() => broker.disconnects(CLIENT) === before + 1, { what: 'the DISCONNECT packet' })
  expect(await words(other)).toContain('Disconnesso')

  await other.getByRole('button', { name: 'Connetti' }).click()
  await Promise.all([card(mine, 'connected'), card(other, 'connected')])
  expect(await status()).toBe('connected')
})

test('after kill -9 of the server the page shows that it is stale, and is live with the current row after a restart', async () => {
  await connected()
  const page = await open()
  await card(page, 'connected')
  await server.end('SIGKILL')
  await card(page, 'stale')
  expect(await page.getByRole('button').getAttribute('aria-disabled')).toBe('true')

  // No server runs while this change is made; the restarted one has to read it.
  await database.sql`update connections set desired = 'disconnected', generation = generation + 1 where id = ${ID}`
  await server.launch()
  await page.waitForSelector('mqtt-status-card:state(disconnected):state(link-live)', {
    state: 'attached',
  })
  expect(await status()).toBe('disconnected')
})

test('an update arrives although the listening session was terminated', async () => {
  await connected()
  const page = await open()
  await card(page, 'connected')
  const killed = await database.sql`
    select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and application_name = 'mqtt-status-listen'`
  expect(killed.length).toBe(1)
  await rename(page, 'Impianto 7 Sud')
})

test('the card shows that the broker has died, and is connected after it has started again', async () => {
  await connected()
  const page = await open()
  await card(page, 'connected')
  await broker.kill()
  await card(page, 'reconnecting')
  await broker.restart()
  await card(page, 'connected')
})

test('in a file opened from disk the card is live and has no button', async () => {
  await connected()
  const file = join(tmpdir(), `mqtt-status-${process.pid}.html`)
  writeFileSync(file, embed(server.url, ID))
  try {
    const page = await open(pathToFileURL(file).href)
    await card(page, 'connected')
    expect(await page.getByRole('button').count()).toBe(0)
    await rename(page, 'Impianto 7 Est')
  } finally {
    rmSync(file)
  }
})

for (const transport of ['sse', 'poll']) {
  test(`over ${transport}, with the same single file, the card is live and its button works`, async () => {
    await connected()
    const page = await open('about:blank')
    const sockets: string[] = []
    page.on('websocket', (socket) => sockets.push(socket.url()))
    const within = await PortalPages.start(
      `${embed(server.url, ID).replace('<mqtt', `<mqtt-status-provider src="${server.url}" transport="${transport}"><mqtt`)}</mqtt-status-provider>`,
    )
    try {
      await page.goto(within.url)
      await card(page, 'connected')
      await page.getByRole('button', { name: 'Disconnetti' }).click()
      await card(page, 'disconnected')
      expect(sockets).toEqual([])
    } finally {
      await within.stop()
    }
  })
}

test('many cards share one socket, and an unknown id is missing', async () => {
  const page = await open('about:blank')
  const sockets: string[] = []
  page.on('websocket', (socket) => sockets.push(socket.url()))
  await page.goto(portal.url)
  await card(page, 'link-live')
  await page.evaluate(() => {
    for (const id of ['plant-7', 'plant-7', 'absent']) {
      const element = document.createElement('mqtt-status-card')
      element.setAttribute('connection-id', id)
      document.body.append(element)
    }
  })
  await card(page, 'missing')
  expect(sockets).toHaveLength(1)
})

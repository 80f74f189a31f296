/**
 * The live card in one engine, with a real server, database, broker, mouse and keyboard. Runs in Chromium;
 * `pnpm test:browsers` runs it in Firefox and WebKit, too.
 */
import { createDatabase } from '@mqtt-status/testing/postgres'
import type { TestDatabase } from '@mqtt-status/testing/postgres'
import { until } from '@mqtt-status/testing/until'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { openWindow } from './engine-window.ts'
import type { EngineWindow } from './engine-window.ts'
import { embed, PortalPages, ServerProcess, startBroker } from './world.ts'
import type { AnyBroker } from './world.ts'

const ID = 'plant-7'
const CLIENT = 'plant-7-client'
const MANY = 300

/** The buttons, once they are enabled. */
const DISCONNECT = '.disconnect:not([aria-disabled])'
const CONNECT = '.connect:not([aria-disabled])'

let database: TestDatabase
let broker: AnyBroker
let server: ServerProcess
let window: EngineWindow
const portals: PortalPages[] = []

beforeAll(async () => {
  ;[database, broker, window] = await Promise.all([createDatabase(), startBroker(), openWindow()])
  await database.sql`
    insert into connections (id, site_id, name, protocol, host, port, client_id, topics, desired)
    values (${ID}, 'site-7', 'Impianto 7', 'mqtt', '127.0.0.1', ${broker.port}, ${CLIENT}, '["plant/7/#"]', 'connected')`
  server = await ServerProcess.start({ DATABASE_URL: database.url })
})

afterEach(async () => {
  await window.go('about:blank')
  await Promise.all(portals.splice(0).map((portal) => portal.stop()))
})

afterAll(async () => {
  await window?.close()
  await server?.end('SIGTERM')
  await broker?.stop()
  await database?.drop()
})

/** Opens a page of a portal with a card for each of the connections. */
async function open(ids: readonly string[]): Promise<void> {
  const [first = ID, ...others] = ids
  const cards = others.map((id) => `<mqtt-status-card connection-id="${id}"></mqtt-status-card>`)
  const portal = await PortalPages.start(embed(server.url, first) + cards.join(''))
  portals.push(portal)
  await window.go(portal.url)
}

/** Waits until every card on the page has the state. */
async function all(state: string): Promise<void> {
  await until(
    () =>
      window.evaluate((state) => {
        const cards = [...document.querySelectorAll('mqtt-status-card')]
        return cards.length > 0 && cards.every((card) => card.matches(`:state(${state})`))
      }, state),
    { what: `every card to be ${state}`, timeoutMs: 30_000 },
  )
}

interface Box {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** The position of a part of the first card's tree; `null` if there is none. */
function box(selector: string): Promise<Box | null> {
  return window.evaluate((selector) => {
    const root = document.querySelector('mqtt-status-card')?.shadowRoot
    const found = root?.querySelector(selector)?.getBoundingClientRect()
    return found ? { x: found.x, y: found.y, width: found.width, height: found.height } : null
  }, selector)
}

async function boxOf(selector: string): Promise<Box> {
  return (await until(() => box(selector), { what: selector })) as Box
}

/** Presses the mouse in the middle of a part of the first card. */
async function click(selector: string): Promise<void> {
  const { x, y, width, height } = await boxOf(selector)
  await window.click(x + width / 2, y + height / 2)
}

/** The id of the focused node inside the first card; empty if no node has the focus. */
function focused(): Promise<string> {
  return window.evaluate(
    () => document.querySelector('mqtt-status-card')?.shadowRoot?.activeElement?.id ?? '',
  )
}

/** The text of the first card, as one line. */
function words(): Promise<string> {
  return window.evaluate(
    () =>
      document.querySelector('mqtt-status-card')?.shadowRoot?.textContent?.replace(/\s+/g, ' ') ??
      '',
  )
}

async function connected(): Promise<void> {
  await fetch(`${server.url}/api/v1/connections/${ID}/reconnect`, { method: 'POST' })
  await until(
    async () => {
      const [row] = await database.sql`select status from connections where id = ${ID}`
      return row?.['status'] === 'connected'
    },
    { what: 'the connection to be up' },
  )
}

test('the card is live and has its size, and its button makes the server send an MQTT DISCONNECT', async () => {
  await connected()
  await open([ID])
  await all('connected')
  expect(await words()).toContain('Connesso')
  expect(await boxOf('.icon svg')).toMatchObject({ width: 20, height: 20 })
  expect((await boxOf('.card')).height).toBeGreaterThan(100)
  expect((await boxOf('.main .label')).width).toBeGreaterThan(20)
  const before = broker.disconnects(CLIENT)
  await click(DISCONNECT)
  await all('disconnected')
  await until(() => broker.disconnects(CLIENT) === before + 1, { what: 'the DISCONNECT packet' })
  await click(CONNECT)
  await all('connected')
})

test('a painted card paints a row that arrives later, and its button takes a click', async () => {
  await open(['late'])
  await all('missing')
  await database.sql`
    insert into connections (id, site_id, name, protocol, host, port, client_id, topics, desired)
    values ('late', 'site-7', 'Late', 'mqtt', '127.0.0.1', ${broker.port}, 'late', '[]', 'connected')`
  await all('connected')
  expect(await boxOf('.icon svg')).toMatchObject({ width: 20, height: 20 })
  await click(DISCONNECT)
  await all('disconnected')
})

test('after kill -9 of the server the card shows stale data without a layout shift, and is live again after the restart', async () => {
  await connected()
  await open([ID])
  await all('connected')
  const before = await boxOf('.card')
  await server.end('SIGKILL')
  await all('stale')
  expect(await boxOf('.card')).toEqual(before)
  expect(await words()).toContain('Connesso')
  await server.launch()
  await all('link-live')
  await all('connected')
  expect(await boxOf('.card')).toEqual(before)
})

test('the keyboard opens details above the page, and Escape returns the focus to their button', async () => {
  await database.sql`
    insert into connections (id, site_id, name, managed, status, reason, detail, desired)
    values ('failing', 'site-7', 'Failing', false, 'failed', 'bad_credentials', 'Connection refused', null)`
  await open(['failing'])
  await all('failed')
  const before = await boxOf('.card')
  // A click gives the page the keyboard focus, and must not move the card.
  await click('#details')
  await until(async () => ((await box('#detail'))?.height ?? 0) > 0, { what: 'the details' })
  expect(await boxOf('.card')).toEqual(before)
  await window.press('Escape')
  await until(async () => (await box('#detail'))?.height === 0, { what: 'no details' })
  await window.evaluate(() => {
    const root = document.querySelector('mqtt-status-card')?.shadowRoot
    root?.querySelector<HTMLElement>('#details')?.focus()
  })
  await window.press('Enter')
  await until(async () => ((await box('#detail'))?.height ?? 0) > 0, { what: 'the details' })
  await window.press('Tab')
  expect(await focused()).toBe('copy')
  await window.press('Escape')
  await until(async () => (await box('#detail'))?.height === 0, { what: 'no details' })
  expect(await focused()).toBe('details')
})

test(`a page of ${MANY} cards keeps its height while it is scrolled, and each card in view is painted`, async () => {
  await database.sql`
    insert into connections (id, site_id, name, managed, status, desired)
    select 'many-' || n, 'site-8', 'Plant ' || n, false, 'connected', null
    from generate_series(1, ${MANY}) as n`
  await open(Array.from({ length: MANY }, (_, i) => `many-${i + 1}`))
  await all('connected')
  const { height } = await boxOf('.card')
  const pageHeight = (): Promise<number> =>
    window.evaluate(() => document.documentElement.scrollHeight)
  const before = await pageHeight()
  expect(before).toBeGreaterThan(MANY * (height - 1))
  for (const index of [50, 150, 299]) {
    await window.evaluate((index) => {
      document.querySelectorAll('mqtt-status-card')[index]?.scrollIntoView({ block: 'center' })
    }, index)
    await until(
      () =>
        window.evaluate((index) => {
          const card = document.querySelectorAll('mqtt-status-card')[index]
          const icon = card?.shadowRoot?.querySelector('.icon svg')?.getBoundingClientRect()
          if (!card || icon?.width !== 20) return false
          return document.elementFromPoint(icon.x + 10, icon.y + 10) === card
        }, index),
      { what: `card ${index} to be drawn` },
    )
    expect(Math.abs((await pageHeight()) - before)).toBeLessThanOrEqual(MANY)
  }
})

/**
 * A real Django project, the one of examples/django, with its table attached. It writes in every way that Django has, alters its
 * table, loses its database, while two nodes serve 500 clients. Afterwards every client has exactly the rows of the table,
 * and detaching leaves the database as it was.
 */
import { COMMAND_TIMEOUT_MS } from '@mqtt-status/protocol'
import { until } from '@mqtt-status/testing/until'
import type { Browser, Page } from 'playwright-core'
import postgres from 'postgres'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { launchBrowser } from '../../scripts/browser.ts'
import { embed, PortalPages, ServerProcess } from '../e2e/world.ts'
import { Cluster, embeddedPrograms, systemPrograms } from './cluster.ts'
import type { Programs } from './cluster.ts'
import { Crowd } from './crowd.ts'
import { MIGRATIONS } from './django/migrations.ts'
import { Portal } from './django/portal.ts'
import { catalogue, schemaDump } from './django/structure.ts'
import { PREAMBLE, STORM, WRITES } from './django/writes.ts'

const CLIENTS = 500
const PATIENCE_MS = 30_000
const MAIN = new URL('../../packages/server/dist/main.js', import.meta.url).pathname
const MEANINGS: Readonly<Record<string, string>> = {
  connected: 'connected',
  pending: 'connecting',
  error: 'failed',
  disconnected: 'disconnected',
}

const VERSIONS: readonly (readonly [string, () => Promise<Programs>])[] = [
  ['the Postgres of the system', systemPrograms],
  ['the Postgres of the npm package', embeddedPrograms],
]

describe.each(VERSIONS)('on %s', (_, findPrograms) => {
  let programs: Programs
  let cluster: Cluster
  let url: string
  let sql: postgres.Sql
  let portal: Portal
  let nodes: ServerProcess[] = []
  let crowd: Crowd
  let browser: Browser
  let before: { catalogue: string[]; dump: string }

  beforeAll(async () => {
    programs = await findPrograms()
    cluster = await Cluster.start(programs)
    url = await cluster.createDatabase('portal')
    sql = postgres(url, { max: 2, onnotice: () => undefined })
    portal = await Portal.copy({
      DATABASE_URL: url,
      MQTT_STATUS: `${process.execPath} ${MAIN}`,
    })
    await ServerProcess.run(['migrate'], { DATABASE_URL: url })
    await portal.manage('migrate')
    await portal.manage('loaddata', 'demo')
    before = await structure()
    await portal.script('attach')
    nodes = await Promise.all(
      [0, 1].map(() =>
        ServerProcess.start({
          DATABASE_URL: url,
          SUPERVISOR: 'off',
          SOCKETS_PER_ADDRESS: '0',
          HANDSHAKES_PER_ADDRESS: '0',
        }),
      ),
    )
    crowd = new Crowd(
      CLIENTS,
      nodes.map((node) => node.url),
    )
    await portal.python(PREAMBLE + STORM)
    browser = await launchBrowser()
  })

  afterAll(async () => {
    await browser?.close()
    crowd?.leave()
    await Promise.all(nodes.map((node) => node.end('SIGTERM')))
    await portal?.remove()
    await sql?.end({ timeout: 1 })
    await cluster?.remove()
  })

  async function structure(): Promise<{ catalogue: string[]; dump: string }> {
    const dump = programs.pgDump === null ? '' : await schemaDump(programs.pgDump, url)
    return { catalogue: await catalogue(sql), dump }
  }

  /** The rows of the portal's table as the options of the attachment map them. */
  async function mapped(): Promise<string[]> {
    const rows = await sql<
      { id: string; siteId: string; name: string; status: string }[]
    >`select id, site_id as "siteId", name, status from mqtt_mqttconnection`
    return rows
      .map(({ id, siteId, name, status }) =>
        [`django-${id}`, siteId, name, MEANINGS[status]].join(' '),
      )
      .toSorted()
  }

  test('the tests of the project pass, and its migrations have all of its models', async () => {
    await portal.manage('test')
    await portal.manage('makemigrations', '--check', '--dry-run')
  })

  test('every client has the rows that were there before', async () => {
    expect(await mapped()).toHaveLength(3)
    await crowd.has(mapped)
    expect(crowd.connected).toBe(CLIENTS)
  })

  test.each(WRITES)('%s reaches every client', async (name, program) => {
    const rows = await mapped()
    await portal.python(program)
    if (!/rolled back|beside/.test(name)) expect(await mapped()).not.toEqual(rows)
    await crowd.has(mapped)
  })

  test.each(MIGRATIONS)('the migration %s changes the attached table', async (name, text) => {
    await portal.migrate(name, text)
    await sql`update mqtt_mqttconnection set status = 'pending', name = ${`after ${name}`}`
    await crowd.has(mapped)
  })

  test('the migrations can be reversed', async () => {
    await portal.python('call_command("migrate", "mqtt", "0001", verbosity=0)')
    await sql`update mqtt_mqttconnection set status = 'connected'`
    await crowd.has(mapped)
  })

  describe('a click', () => {
    let pages: PortalPages
    let page: Page

    beforeEach(async () => {
      pages = await PortalPages.start(
        embed(nodes[0]?.url ?? '', 'django-1')
          .replace(' lang="it"', ' controls="show"')
          .replace('<title>', '<link rel="icon" href="data:,"><title>'),
      )
      page = await browser.newPage()
      await page.goto(pages.url)
    })
    afterEach(async () => {
      await page.close()
      await pages.stop()
    })

    /** Waits until the card shows this status, and no command is pending. */
    async function shows(status: string): Promise<void> {
      await page.locator(`mqtt-status-card:state(${status}):not(:state(pending))`).waitFor()
    }

    async function enabled(): Promise<boolean | undefined> {
      const [row] = await sql<{ enabled: boolean }[]>`
        select enabled from mqtt_mqttconnection where id = 1`
      return row?.enabled
    }

    test('changes the row of the portal, its worker obeys, and the card confirms it', async () => {
      const stop = portal.startWorker()
      try {
        await sql`update mqtt_mqttconnection set enabled = true where id = 1`
        await shows('connected')
        for (const [wanted, status] of [
          [false, 'disconnected'],
          [true, 'connected'],
        ] as const) {
          await page.getByRole('button').click()
          await until(async () => (await enabled()) === wanted, { what: `enabled = ${wanted}` })
          await shows(status)
        }
      } finally {
        await stop()
      }
      await crowd.has(mapped)
    })

    test('that no worker obeys ends with "No confirmation yet"', async () => {
      await shows('connected')
      await page.getByRole('button').click()
      await until(async () => (await enabled()) === false, { what: 'the wish in the row' })
      await page.getByText('Request sent').waitFor()
      // The live region of the page has the same words.
      await page
        .locator('mqtt-status-card')
        .getByText('No confirmation yet')
        .waitFor({ timeout: COMMAND_TIMEOUT_MS + PATIENCE_MS })
      await crowd.has(mapped)
    })
  })

  test('a node that is killed and replaced, and a Postgres that restarts and crashes, lose no row', async () => {
    await portal.python('storm = Storm(seed=7, writers=2)')
    await nodes[0]?.end('SIGKILL')
    await until(() => crowd.connected === CLIENTS, { what: 'all clients at the other node' })
    nodes[0]?.spawn()
    await until(async () => (await fetch(`${nodes[0]?.url}/readyz`)).ok, { timeoutMs: 60_000 })
    for (const signal of ['SIGINT', 'SIGQUIT'] as const) {
      await portal.python('seen = storm.committed')
      await cluster.restart(signal)
      await until(() => portal.python('assert storm.committed > seen + 5').then(() => true))
    }
    await portal.python('storm.end(); assert storm.broken > 0')
    await crowd.has(mapped)
  })

  test('detaching leaves the database as it was', async () => {
    expect((await structure()).catalogue).not.toEqual(before.catalogue)
    await ServerProcess.run(['detach', 'mqtt_mqttconnection'], { DATABASE_URL: url })
    expect(await structure()).toEqual(before)
    await crowd.has(async () => [])
  })
})

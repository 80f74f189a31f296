/** One example with all that it meets: a database and a server of its own, a broker with three dataloggers, a browser. */
import { Broker } from '@mqtt-status/testing/broker'
import { freePort } from '@mqtt-status/testing/free-port'
import { createDatabase } from '@mqtt-status/testing/postgres'
import type { TestDatabase } from '@mqtt-status/testing/postgres'
import { until } from '@mqtt-status/testing/until'
import type { Browser } from 'playwright-core'
import { launchBrowser } from '../../scripts/browser.ts'
import { Example } from '../../scripts/examples/example.ts'
import { PACKED_SERVER } from '../../scripts/examples/packed.ts'
import { ServerProcess } from '../e2e/world.ts'
import type { Traits } from './examples.ts'
import { FrontDoor } from './front-door.ts'

const SECRET = 'a-secret-of-at-least-thirty-two-bytes'

/** The connections that every example shows, by id. */
export const NAMES = {
  'plant-7': 'Impianto 7',
  'cascina-rossi': 'Cascina Rossi',
  'marghera-a': 'Porto Marghera, linea A',
} as const

export type Id = keyof typeof NAMES
export const IDS = Object.keys(NAMES) as Id[]

export class Stage {
  /** Where the example answers. */
  readonly url: string
  readonly server: ServerProcess
  readonly broker: Broker
  readonly browser: Browser
  /** Where pages and the example reach the server. */
  readonly door: FrontDoor
  readonly #database: TestDatabase
  readonly #undo: readonly (() => Promise<unknown>)[]

  private constructor(parts: Parts, undo: readonly (() => Promise<unknown>)[]) {
    this.url = parts.url
    this.server = parts.server
    this.broker = parts.broker
    this.browser = parts.browser
    this.door = parts.door
    this.#database = parts.database
    this.#undo = undo
  }

  /** Installs and builds the example, and starts everything. */
  static async open(name: string, traits: Traits, packed: string): Promise<Stage> {
    const undo: (() => Promise<unknown>)[] = []
    try {
      return new Stage(await assemble({ name, traits, packed, undo }), undo)
    } catch (error) {
      await reverse(undo)
      throw error
    }
  }

  async close(): Promise<void> {
    await reverse(this.#undo)
  }

  /** Writes what is asked for, as any program with a database connection does. */
  async ask(desired: 'connected' | 'disconnected', id: Id): Promise<void> {
    await this.#database.sql`
      update connections set desired = ${desired}, generation = generation + 1
      where id = ${id} and desired <> ${desired}`
  }

  async desired(id: Id): Promise<unknown> {
    const [row] = await this.#database.sql`select desired from connections where id = ${id}`
    return row?.['desired']
  }

  /** Waits until no page of a former test has a WebSocket. */
  async allClosed(): Promise<void> {
    await until(() => this.door.open === 0, { what: 'the sockets of former tests to be closed' })
  }

  /** Waits until all dataloggers are connected. */
  async allConnected(): Promise<void> {
    for (const id of IDS) await this.ask('connected', id)
    const isConnected = async (): Promise<boolean> => {
      const open = await this.#database.sql`select id from connections where status <> 'connected'`
      return open.length === 0
    }
    await until(isConnected, { what: 'all dataloggers to be connected', timeoutMs: 30_000 })
  }
}

interface Parts {
  readonly url: string
  readonly server: ServerProcess
  readonly broker: Broker
  readonly browser: Browser
  readonly door: FrontDoor
  readonly database: TestDatabase
}

interface Assembly {
  readonly name: string
  readonly traits: Traits
  readonly packed: string
  /** Gets what stops each part. */
  readonly undo: (() => Promise<unknown>)[]
}

async function assemble({ name, traits, packed, undo }: Assembly): Promise<Parts> {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const database = await createDatabase()
  undo.push(() => database.drop())
  const broker = await Broker.start()
  undo.push(() => broker.stop())
  await insertFleet(database, broker.port)
  const secret = traits.signs === true ? SECRET : undefined
  const server = await ServerProcess.prepare(
    {
      DATABASE_URL: database.url,
      ALLOWED_ORIGINS: url,
      // After a kill the restarted server waits until the lease of the killed one has ended.
      LEASE_TTL_MS: '2000',
      ...(secret === undefined ? {} : { AUTH_JWT_SECRET: secret }),
    },
    PACKED_SERVER,
  )
  // The server is ready before the build, because some frameworks render pages while they build.
  undo.push(() => server.end('SIGTERM'))
  await server.launch()
  const door = await FrontDoor.open(server.url)
  undo.push(() => door.close())
  const settings = { port, statusUrl: door.url, ...(secret === undefined ? {} : { secret }) }
  const example = new Example(name)
  await example.install(packed)
  await example.build(settings)
  const program = example.start('start', settings)
  undo.push(() => program.stop())
  await program.answers(url)
  const browser = await launchBrowser()
  undo.push(() => browser.close())
  return { url, server, broker, browser, door, database }
}

async function reverse(undo: readonly (() => Promise<unknown>)[]): Promise<void> {
  for (const each of undo.toReversed()) await each()
}

async function insertFleet({ sql }: TestDatabase, port: number): Promise<void> {
  const rows = IDS.map((id) => ({
    id,
    site_id: id,
    name: NAMES[id],
    protocol: 'mqtt',
    host: '127.0.0.1',
    port,
    client_id: id,
    topics: sql.json([`plants/${id}/#`]),
    desired: 'connected',
  }))
  await sql`insert into connections ${sql(rows)}`
}

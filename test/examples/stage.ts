/** One example with all that it meets: a database and a server of its own, three dataloggers, a browser. */
import { freePort } from '@mqtt-status/testing/free-port'
import { createDatabase } from '@mqtt-status/testing/postgres'
import type { TestDatabase } from '@mqtt-status/testing/postgres'
import { until } from '@mqtt-status/testing/until'
import type { Browser } from 'playwright-core'
import { launchBrowser } from '../../scripts/browser.ts'
import type { ExampleSettings } from '../../scripts/examples/example.ts'
import { PACKED_SERVER } from '../../scripts/examples/packed.ts'
import { ServerProcess } from '../e2e/world.ts'
import { AttachedFleet, IDS, SupervisedFleet } from './fleet.ts'
import type { Fleet, Id, Wish } from './fleet.ts'
import { FrontDoor } from './front-door.ts'

const SECRET = 'a-secret-of-at-least-thirty-two-bytes'

export interface StageOptions {
  /** The server requires tokens, which the example signs. */
  readonly signs?: boolean
  /** The dataloggers are rows of a table of the example, which is attached. */
  readonly attached?: boolean
  /** How long a page may take until it shows what a check waits for. @default 60_000 */
  readonly patienceMs?: number
  /** How often a check goes to /about and back. @default 25 */
  readonly rounds?: number
}

/** What serves the pages. */
export interface Served {
  answers(url: string): Promise<void>
  stop(): Promise<void>
}

/** Starts what serves the pages; the server of mqtt-status runs already. */
export type Serve = (settings: ExampleSettings) => Promise<Served>

export class Stage {
  /** Where the example answers. */
  readonly url: string
  readonly server: ServerProcess
  readonly fleet: Fleet
  readonly browser: Browser
  /** Where pages and the example reach the server. */
  readonly door: FrontDoor
  readonly patienceMs: number
  readonly rounds: number
  readonly #database: TestDatabase
  readonly #undo: Undo

  private constructor(parts: Parts, undo: Undo, options: StageOptions) {
    this.url = parts.url
    this.server = parts.server
    this.fleet = parts.fleet
    this.browser = parts.browser
    this.door = parts.door
    this.patienceMs = options.patienceMs ?? 60_000
    this.rounds = options.rounds ?? 25
    this.#database = parts.database
    this.#undo = undo
  }

  static async open(options: StageOptions, serve: Serve): Promise<Stage> {
    const undo: Undo = []
    try {
      return new Stage(await assemble(options, serve, undo), undo, options)
    } catch (error) {
      await reverse(undo)
      throw error
    }
  }

  async close(): Promise<void> {
    await reverse(this.#undo)
  }

  /** Closes the pages of all visitors. */
  async closePages(): Promise<void> {
    await Promise.all(this.browser.contexts().map((context) => context.close()))
  }

  /** Writes what is asked for, as any program with a database connection does. */
  async ask(wish: Wish, id: Id): Promise<void> {
    await this.fleet.ask(wish, id)
  }

  /** Waits until no page of a former test has a WebSocket. */
  async allClosed(): Promise<void> {
    await until(() => this.door.open === 0, { what: 'the sockets of former tests to be closed' })
  }

  /** Waits until a datalogger has this status. */
  async reaches(status: string, id: Id): Promise<void> {
    const connection = this.fleet.connectionId(id)
    const isReached = async (): Promise<boolean> => {
      const [row] = await this.#database.sql`
        select status from connections where id = ${connection}`
      return row?.['status'] === status
    }
    await until(isReached, { what: `${id} to be ${status}`, timeoutMs: 30_000 })
  }

  /** Waits until all dataloggers are connected. */
  async allConnected(): Promise<void> {
    for (const id of IDS) await this.ask('connected', id)
    for (const id of IDS) await this.reaches('connected', id)
  }
}

interface Parts {
  readonly url: string
  readonly server: ServerProcess
  readonly fleet: Fleet
  readonly browser: Browser
  readonly door: FrontDoor
  readonly database: TestDatabase
}

/** What stops each part, in the order of their starts. */
type Undo = (() => Promise<unknown>)[]

async function assemble(options: StageOptions, serve: Serve, undo: Undo): Promise<Parts> {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const database = await createDatabase()
  undo.push(() => database.drop())
  const isAttached = options.attached === true
  const fleet = isAttached ? new AttachedFleet(database) : await SupervisedFleet.start(database)
  undo.push(() => fleet.stop())
  const secret = options.signs === true ? { AUTH_JWT_SECRET: SECRET } : {}
  const server = await ServerProcess.prepare(
    {
      DATABASE_URL: database.url,
      ALLOWED_ORIGINS: url,
      // After a kill the restarted server waits until the lease of the killed one has ended.
      LEASE_TTL_MS: '2000',
      ...secret,
    },
    PACKED_SERVER,
  )
  // The server is ready before the build, because some frameworks render pages while they build.
  undo.push(() => server.end('SIGTERM'))
  await server.launch()
  const door = await FrontDoor.open(server.url)
  undo.push(() => door.close())
  const served = await serve({
    port,
    statusUrl: door.url,
    ...(isAttached && { databaseUrl: database.url }),
    environment: secret,
  })
  undo.push(() => served.stop())
  await served.answers(url)
  const browser = await launchBrowser()
  undo.push(() => browser.close())
  return { url, server, fleet, browser, door, database }
}

async function reverse(undo: Undo): Promise<void> {
  for (const each of undo.toReversed()) await each()
}

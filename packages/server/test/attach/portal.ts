/** A database with the table of another program, the commands that attach it, and a node that mirrors it. */
import type { Action } from '@mqtt-status/protocol'
import { createDatabase } from '@mqtt-status/testing/postgres'
import type { TestDatabase } from '@mqtt-status/testing/postgres'
import { until } from '@mqtt-status/testing/until'
import postgres from 'postgres'
import { expect } from 'vitest'
import { Mirroring } from '../../src/attach/mirroring.ts'
import { createProgram } from '../../src/cli/program.ts'
import { command } from '../../src/db/connections/commands.ts'
import type { CommandResult } from '../../src/db/connections/commands.ts'
import { Lane } from '../../src/db/postgres/lane.ts'
import { createLog } from '../../src/log.ts'

export const TABLE = `
  create table mqtt_mqttconnection (
    id serial primary key,
    site_id integer,
    name varchar(500),
    status varchar(20) not null default 'disconnected',
    error text,
    last_seen timestamptz,
    region text,
    deleted_at timestamptz,
    note text,
    enabled boolean not null default true
  )`

/** The options that most tests use. */
export const OPTIONS: Readonly<Record<string, string>> = {
  table: 'mqtt_mqttconnection',
  id: 'id',
  site: 'site_id',
  name: 'name',
  status: 'status',
  prefix: 'p-',
}
/** The column of the portal with the wish. */
export const DESIRED: readonly string[] = [
  ...[
    '--desired',
    'enabled',
    '--desired-map',
    'connected=true',
    '--desired-map',
    'disconnected=false',
  ],
]
export const MAP: readonly string[] = ['pending=connecting', 'error=failed']

export interface Result {
  readonly printed: string
  /** The sentence that the exit code 1 comes with. */
  readonly failure: string
}

export interface Seen {
  readonly id: string
  readonly site_id: string
  readonly name: string
  readonly status: string
}

export class Portal {
  readonly database: TestDatabase
  /** A session of the portal, with the search path of any client. */
  readonly sql: postgres.Sql
  readonly #stops: (() => Promise<void>)[] = []
  readonly #clicks: Lane

  private constructor(database: TestDatabase) {
    this.database = database
    this.#clicks = laneOf(database.url, 'mqtt-status')
    this.sql = postgres(database.url, {
      max: 4,
      onnotice: () => undefined,
      connection: { application_name: 'portal' },
    })
  }

  static async open(): Promise<Portal> {
    const portal = new Portal(await createDatabase())
    await portal.sql.unsafe(TABLE)
    return portal
  }

  /** Ends the nodes and detaches all tables, for the next test. */
  async reset(table: string = TABLE): Promise<void> {
    for (const stop of this.#stops.splice(0).reverse()) await stop()
    const attached = await this.database.sql<{ name: string }[]>`select name from attachments`
    for (const { name } of attached) expect((await this.run('detach', name)).failure).toBe('')
    await this.sql.unsafe(`drop table if exists mqtt_mqttconnection cascade; ${table}`)
    await this.database.sql`delete from connections`
  }

  /** Runs a command as at a prompt. */
  async run(...args: readonly string[]): Promise<Result> {
    return this.runAs(this.database.url, ...args)
  }

  async runAs(url: string, ...args: readonly string[]): Promise<Result> {
    const lines: string[] = []
    const program = createProgram({
      environment: { DATABASE_URL: url },
      version: '0.0.0',
      terminal: false,
      progress: () => undefined,
      print: (line) => lines.push(line),
      signal: () => new AbortController().signal,
    })
    const failure = await program.parseAsync(args, { from: 'user' }).then(
      () => '',
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    )
    return { printed: lines.join('\n'), failure }
  }

  /** `attach` with the usual options, which must succeed. */
  async attach(
    change: Readonly<Record<string, string | null>> = {},
    ...more: readonly string[]
  ): Promise<Result> {
    const result = await this.run('attach', ...flags(change), ...more)
    expect(result.failure).toBe('')
    return result
  }

  /** What a click on a card does, or a request of the API. */
  click(id: string, action: Action, actor: string | null = 'anna'): Promise<CommandResult> {
    return command(this.#clicks, { id, siteId: '1', action, actor, idempotencyKey: null })
  }

  /** A node that mirrors, as a server has it. */
  mirror({
    url = this.database.url,
    distrustMs = 60_000,
  }: { readonly url?: string; readonly distrustMs?: number } = {}): Mirroring {
    const lane = laneOf(url, 'mqtt-status-mirror')
    const mirroring = new Mirroring({
      lane,
      nodeId: crypto.randomUUID(),
      log: createLog({ level: 'silent', format: 'json' }),
      timing: { lookMs: 20, sightMs: 100, distrustMs },
    })
    mirroring.start()
    this.#stops.push(async () => {
      await mirroring.stop()
      await lane.stop()
    })
    return mirroring
  }

  /** What the cards show. */
  async seen(): Promise<readonly Seen[]> {
    const rows = await this.database.sql<Seen[]>`
      select id, site_id, name, status
      from connections
      where attachment is not null
      order by length(id), id`
    return [...rows]
  }

  /** Waits until the cards show what the function expects. */
  async shows(expected: unknown): Promise<void> {
    let last: unknown = null
    await until(
      async () => {
        last = await this.seen()
        try {
          expect(last).toEqual(expected)
          return true
        } catch {
          return false
        }
      },
      { what: 'the mirror to be right', timeoutMs: 15_000 },
    ).catch(() => {
      expect(last).toEqual(expected)
    })
  }

  /** The statuses by key, in the order of the keys. */
  async showsStatuses(expected: Readonly<Record<string, string>>): Promise<void> {
    let last: unknown = null
    await until(
      async () => {
        last = Object.fromEntries((await this.seen()).map(({ id, status }) => [id, status]))
        return JSON.stringify(last) === JSON.stringify(expected)
      },
      { what: 'the statuses', timeoutMs: 15_000 },
    ).catch(() => {
      expect(last).toEqual(expected)
    })
  }

  /** The error that `attachments` shows; waits for one. */
  async fault(code: string): Promise<{ readonly code: string; readonly message: string } | null> {
    return until(
      async () => {
        const [found] = await this.database.sql<
          { error: { code: string; message: string } | null }[]
        >`
          select error from attachments`
        return found?.error?.code === code ? found.error : null
      },
      { what: `the error ${code}`, timeoutMs: 15_000 },
    )
  }

  async healthy(): Promise<void> {
    await until(
      async () => {
        const [found] = await this.database.sql`select from attachments where error is null`
        return found !== undefined
      },
      { what: 'the error to end', timeoutMs: 90_000 },
    )
  }

  async close(): Promise<void> {
    for (const stop of this.#stops.splice(0).reverse()) await stop()
    await this.#clicks.stop()
    await this.sql.end({ timeout: 1 })
    await this.database.drop()
  }
}

function laneOf(address: string, applicationName: string): Lane {
  return new Lane({
    ...{ address, applicationName, schema: 'mqtt_status' },
    ...{ sessions: 1, deadlineMs: 10_000 },
  })
}

/** `--table mqtt_mqttconnection …`; `null` leaves an option out. */
export function flags(change: Readonly<Record<string, string | null>> = {}): string[] {
  const given = Object.entries({ ...OPTIONS, ...change })
  return [
    ...given.flatMap(([name, value]) => (value === null ? [] : [`--${name}`, value])),
    ...MAP.flatMap((word) => ['--map', word]),
  ]
}

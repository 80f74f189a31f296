/** The whole server over a real database, and clients that keep all messages; a resource that stays open fails the test. */
import { once } from 'node:events'
import type { Connection, ServerMessage, WatchFilter } from '@mqtt-status/protocol'
import { until } from '@mqtt-status/testing/until'
import { pino } from 'pino'
import postgres from 'postgres'
import { expect } from 'vitest'
import { WebSocket } from 'ws'
import { readConfig } from '../../src/config/config.ts'
import { migrate } from '../../src/db/schema/migrate.ts'
import { connectSql } from '../../src/db/postgres/sql.ts'
import { createLog } from '../../src/log.ts'
import { createServer } from '../../src/server.ts'
import type { StatusServer } from '../../src/server.ts'

const SETTINGS = {
  PORT: '0',
  FEED_POLL_MS: '100',
  DRAIN_MS: '3000',
  MQTT_ALLOW_CIDRS: '127.0.0.0/8',
  MQTT_ALLOW_PORTS: '1-65535',
}

type Resources = Readonly<Record<string, number>>

export class House {
  readonly server: StatusServer
  /** What the operator reads. */
  readonly log: string[] = []
  url = ''
  readonly #databaseUrl: string
  readonly #clients: Client[] = []
  readonly #before: Resources = resources()

  constructor(databaseUrl: string, environment: Readonly<Record<string, string>> = {}) {
    this.#databaseUrl = databaseUrl
    const { config } = readConfig({ ...SETTINGS, DATABASE_URL: databaseUrl, ...environment })
    const log = pino({ level: 'info' }, { write: (line: string) => this.log.push(line) })
    this.server = createServer(config, log, {
      widgetBundle: new URL('house.ts', import.meta.url),
    })
  }

  static async open(databaseUrl: string, environment = {}): Promise<House> {
    const house = new House(databaseUrl, environment)
    house.url = (await house.server.start()).url
    return house
  }

  /** A client that has had its first answer. */
  async watch(filter: WatchFilter & { cursor?: string } = { all: true }): Promise<Client> {
    const client = new Client(this.url)
    this.#clients.push(client)
    client.say({ type: 'hello' })
    client.say({ type: 'watch', id: 1, ...filter })
    await until(() => client.answers > 0, { what: 'the first answer', timeoutMs: 30_000 })
    return client
  }

  /** As `mqtt-status migrate` does. */
  async migrate(): Promise<void> {
    const sql = connectSql(this.#databaseUrl, {
      max: 1,
      applicationName: 'migrate',
    })
    await migrate(sql, createLog({ level: 'silent', format: 'json' }), { schema: null })
    await sql.end()
  }

  async unready(): Promise<readonly string[]> {
    const answer = await fetch(`${this.url}/readyz`)
    const { reasons } = (await answer.json()) as { reasons: string[] }
    expect(answer.status).toBe(reasons.length === 0 ? 200 : 503)
    return reasons
  }

  /** Ends the server; a socket, session, timer or subscriber that stays open fails the test. */
  async close(): Promise<void> {
    for (const client of this.#clients) client.socket.terminate()
    await this.server.stop()
    expect(this.server.open).toEqual({
      streams: 0,
      seats: 0,
      subscribers: 0,
      watches: 0,
      connections: 0,
    })
    const left = await sessions(this.#databaseUrl)
    expect(left, 'sessions left behind').toEqual([])
    await until(() => exceeds(this.#before) === '', { timeoutMs: 3_000 }).catch(() => {
      throw new Error(`Left behind: ${exceeds(this.#before)}`)
    })
  }
}

/** Keeps the rows as a page would, and records each row that it receives. */
export class Client {
  readonly socket: WebSocket
  readonly rows: Map<string, Connection> = new Map()
  /** Every row that was received, as `id status`. */
  readonly received: string[] = []
  readonly types: string[] = []
  readonly feed: string[] = []
  readonly closed: Promise<number>
  answers = 0
  cursor: string | null = null
  longest = 0
  readonly #opened: Promise<unknown>

  constructor(url: string) {
    this.socket = new WebSocket(`${url.replace('http', 'ws')}/ws/status`, 'mqtt-status.v1')
    this.#opened = once(this.socket, 'open')
    this.closed = once(this.socket, 'close').then(([code]) => code as number)
    this.socket.on('error', () => undefined)
    this.socket.on('message', (data) => {
      const text = (data as Buffer).toString()
      this.longest = Math.max(this.longest, Buffer.byteLength(text))
      this.#hear(JSON.parse(text) as ServerMessage)
    })
  }

  get open(): boolean {
    return this.socket.readyState === WebSocket.OPEN
  }

  say(message: unknown): void {
    void this.#opened.then(() => {
      this.socket.send(JSON.stringify(message))
    })
  }

  async sees(id: string, status: string): Promise<void> {
    await until(() => this.rows.get(id)?.status === status, {
      // A read during an outage times out after 15 s.
      timeoutMs: 25_000,
      what: `${id} to be ${status}; received: ${this.received.join(', ').slice(-300)}`,
    })
  }

  #hear(message: ServerMessage): void {
    this.types.push(message.type)
    if (message.type === 'ping') this.say({ type: 'pong' })
    if (message.type === 'feed') this.feed.push(message.state)
    if (message.type !== 'snapshot' && message.type !== 'patch') return
    for (const row of message.connections) {
      // The promise of the protocol: never back to an older revision.
      expect(row.revision).toBeGreaterThanOrEqual(this.rows.get(row.id)?.revision ?? 0)
      this.rows.set(row.id, row)
      this.received.push(`${row.id} ${row.status}`)
    }
    if (message.type === 'patch') for (const { id } of message.removed) this.rows.delete(id)
    if (message.cursor != null) this.cursor = message.cursor
    if (message.final) this.answers++
  }
}

async function sessions(url: string): Promise<string[]> {
  const sql = postgres(url, { max: 1, connect_timeout: 2 })
  try {
    return await until(async () => {
      const found = await sql<{ name: string }[]>`
        select application_name as name
        from pg_stat_activity
        where datname = current_database() and application_name like 'mqtt-status%'`
      return found.length === 0 ? [] : null
    }).then((none) => none ?? [])
  } finally {
    await sql.end({ timeout: 1 })
  }
}

function resources(): Resources {
  const counts: Record<string, number> = {}
  for (const kind of process.getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1
  return counts
}

function exceeds(before: Resources): string {
  const now = resources()
  return ['Timeout', 'TCPSocketWrap', 'TCPServerWrap']
    .filter((kind) => (now[kind] ?? 0) > (before[kind] ?? 0))
    .map((kind) => `${kind} ${before[kind] ?? 0} → ${now[kind] ?? 0}`)
    .join(', ')
}

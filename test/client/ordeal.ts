/**
 * The whole way from a transaction to the store of a page. On one side are random transactions; on the other are pages over
 * each transport, behind proxies that fail, while nodes restart and listening sessions are terminated. In the end the rows of
 * every page are those of the table; no revision ever decreased; and no link was live with rows older than the grace.
 */
import type { Connection } from '@mqtt-status/protocol'
import { FaultProxy } from '@mqtt-status/testing/fault-proxy'
import type { FaultMode } from '@mqtt-status/testing/fault-proxy'
import { createDatabase } from '@mqtt-status/testing/postgres'
import type { TestDatabase } from '@mqtt-status/testing/postgres'
import { pick, randomFrom } from '@mqtt-status/testing/random'
import { until } from '@mqtt-status/testing/until'
import { expect } from 'vitest'
import { connectSql, DEFAULT_SCHEMA, inSchema } from '../../packages/server/src/db/postgres/sql.ts'
import type { Sql } from '../../packages/server/src/db/postgres/sql.ts'
import { write } from '../../packages/server/test/db/writer.ts'
import { Node } from '../../packages/server/test/delivery/nodes.ts'
import { createClient } from '../../packages/widgets/src/client/index.ts'
import type { StatusClient, TransportName } from '../../packages/widgets/src/client/index.ts'
import { isLive } from './world.ts'

const HEARTBEAT_MS = 1_000
/** A poll is its own heartbeat. */
const POLL_MS = 5_000
/** The silence that a client may not have detected, the delay before it shows a loss, and a busy machine. */
const GRACE_MS = 10_000 + 1_000 + 2_000
const WRITERS = 4
const TRANSPORTS: readonly TransportName[] = ['ws', 'ws', 'sse', 'poll']
const MODES: readonly FaultMode[] = [
  'pass',
  'pass',
  'pass',
  'pass',
  'pass',
  'drop',
  'up-drop',
  'hold',
  'slow',
]

/** The rows of the table, and when they were read. */
interface Look {
  readonly atMs: number
  readonly revisions: ReadonlyMap<string, number>
}

type Note = (who: string, what: string) => void

class Page {
  readonly name: string
  readonly client: StatusClient
  readonly faults: string[] = []
  liveLooks = 0
  readonly #highest = new Map<string, number>()
  readonly #graceMs: number
  readonly #note: Note

  constructor(src: string, transport: TransportName, { name, note }: { name: string; note: Note }) {
    this.name = name
    this.#note = note
    this.#graceMs = GRACE_MS + (transport === 'poll' ? POLL_MS : HEARTBEAT_MS)
    this.client = createClient({ src, transport })
    this.client.onLink(() => {
      const { state, retryAt } = this.client.link
      const waits =
        retryAt === null ? '' : `, again in ${Math.round(retryAt - this.client.now())} ms`
      note(name, `${state}${waits}`)
    })
    this.client.watch({ all: true }, () => {
      for (const row of this.client.rows()) this.#hear(row)
    })
  }

  get revisions(): Map<string, number> {
    return new Map(this.client.rows().map(({ id, revision }) => [id, revision]))
  }

  /** While its link is live, a page shows no row older than the grace. */
  check(looks: readonly Look[]): void {
    if (this.client.link.state !== 'live') return
    this.liveLooks++
    const nowMs = performance.now()
    const old = looks.findLast(({ atMs }) => atMs < nowMs - this.#graceMs)
    if (!old) return
    const since = looks.slice(looks.indexOf(old))
    const shown = this.revisions
    for (const [id, revision] of old.revisions) {
      const seen = shown.get(id)
      if (seen !== undefined && seen < revision)
        this.#blame(`${id} live at ${seen}, was ${revision}`)
      // Between two checks a row may have been deleted and inserted again, with another revision.
      if (seen === undefined && since.every(({ revisions }) => revisions.get(id) === revision))
        this.#blame(`${id} live without it`)
    }
  }

  #blame(fault: string): void {
    this.faults.push(fault)
    this.#note(this.name, fault)
  }

  #hear({ id, revision }: Connection): void {
    const highest = this.#highest.get(id) ?? 0
    if (revision < highest) this.#blame(`${id} went back from ${highest} to ${revision}`)
    this.#highest.set(id, revision)
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** One run, with a database of its own. */
export class Ordeal {
  readonly seed: number
  readonly #database: TestDatabase
  readonly #sql: Sql
  readonly #nodes: readonly Node[]
  readonly #pages: Page[] = []
  readonly #proxies: FaultProxy[] = []
  /** The steps of the run, in order. A run that fails prints them. */
  readonly diary: string[] = []
  #endsAt = 0

  private constructor(seed: number, database: TestDatabase) {
    this.seed = seed
    this.#database = database
    this.#sql = inSchema(
      connectSql(database.url, {
        max: WRITERS + 2,
        applicationName: 'test-writer',
      }),
      DEFAULT_SCHEMA,
    )
    this.#nodes = [0, 1].map(
      () => new Node({ DATABASE_URL: database.url, HEARTBEAT_MS: String(HEARTBEAT_MS) }),
    )
  }

  static async prepare(seed: number): Promise<Ordeal> {
    const ordeal = new Ordeal(seed, await createDatabase())
    await Promise.all(ordeal.#nodes.map((node) => node.start()))
    for (const [i, transport] of TRANSPORTS.entries()) await ordeal.#open(transport, i)
    return ordeal
  }

  /** @throws when a page differs from the table, or has broken an invariant */
  async run(lastsMs: number): Promise<void> {
    const { seed } = this
    this.#endsAt = performance.now() + lastsMs
    await Promise.all([
      ...Array.from({ length: WRITERS }, (_, i) => this.#write(randomFrom(seed * 31 + i))),
      this.#watch(),
      this.#disturbNodes(randomFrom(seed * 7)),
      ...this.#proxies.map((_, i) => this.#disturbProxy(i, randomFrom(seed * 13 + i))),
    ])
    for (const page of this.#pages) await this.#judge(page)
  }

  /** @throws if a node leaves a socket, a subscriber or a watch behind */
  async end(): Promise<void> {
    for (const { client } of this.#pages) client.close()
    await Promise.all(this.#proxies.map((proxy) => proxy.stop()))
    await Promise.all(this.#nodes.map((node) => node.stop()))
    await this.#sql.end({ timeout: 1 })
    await this.#database.drop()
  }

  get #isOver(): boolean {
    return performance.now() > this.#endsAt
  }

  #note(who: string, what: string): void {
    this.diary.push(`${(performance.now() / 1_000).toFixed(2)} ${who}: ${what}`)
  }

  async #open(transport: TransportName, i: number): Promise<void> {
    // Nodes start again on other ports, and the proxies follow them.
    const portNow = (): number =>
      Number(new URL(this.#nodes[i % 2]?.url ?? 'http://127.0.0.1:1').port)
    const proxy = await FaultProxy.start(portNow)
    this.#proxies.push(proxy)
    const name = `${transport} ${i}`
    const note = this.#note.bind(this)
    const page = new Page(`http://127.0.0.1:${proxy.port}`, transport, { name, note })
    this.#pages.push(page)
    await isLive(page.client)
  }

  async #write(random: () => number): Promise<void> {
    while (!this.#isOver) {
      await write({ sql: this.#sql, random, transactions: 5, ballast: 0 })
      await pause(random() * 400)
    }
  }

  async #watch(): Promise<void> {
    const looks: Look[] = []
    while (!this.#isOver) {
      looks.push(await this.#look())
      for (const page of this.#pages) page.check(looks)
      await pause(50)
    }
  }

  async #look(): Promise<Look> {
    const atMs = performance.now()
    const rows = await this.#sql<{ id: string; revision: string }[]>`
      select id, revision from ${this.#sql.schema}.connections`
    return { atMs, revisions: new Map(rows.map(({ id, revision }) => [id, Number(revision)])) }
  }

  async #disturbNodes(random: () => number): Promise<void> {
    for (let i = 0; !this.#isOver; i++) {
      await pause(3_000 + random() * 6_000)
      if (random() < 0.5) {
        this.#note('nodes', 'listeners killed')
        await this.#database.sql`
          select pg_terminate_backend(pid) from pg_stat_activity
          where datname = current_database() and application_name = 'mqtt-status-listen'`
        continue
      }
      const node = this.#nodes[i % this.#nodes.length]
      this.#note(`node ${i % this.#nodes.length}`, 'stops')
      await node?.stop()
      await node?.start()
      this.#note(`node ${i % this.#nodes.length}`, 'started')
    }
  }

  async #disturbProxy(i: number, random: () => number): Promise<void> {
    const proxy = this.#proxies[i] as FaultProxy
    const name = `proxy ${i}`
    while (!this.#isOver) {
      proxy.mode = pick(random, MODES)
      this.#note(name, proxy.mode)
      // Sometimes long enough for the client to detect the silence.
      await pause(random() < 0.2 ? 13_000 : random() * 3_000)
      if (random() < 0.2) {
        this.#note(name, 'reset')
        proxy.reset()
      }
    }
    proxy.mode = 'pass'
    this.#note(name, 'over')
  }

  async #judge(page: Page): Promise<void> {
    const { name, faults, liveLooks, client } = page
    // No node supervises here. The nodes write that into the rows, so the table may still change.
    await until(
      async () => {
        const truth = [...(await this.#look()).revisions].toSorted()
        expect([...page.revisions].toSorted(), name).toEqual(truth)
        return client.link.state === 'live'
      },
      { timeoutMs: 40_000, what: `${name} to be live, with the rows of the table` },
    )
    expect(faults, name).toEqual([])
    // A run without faults would prove nothing.
    expect(liveLooks, name).toBeGreaterThan(10)
  }
}

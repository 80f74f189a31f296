/**
 * The feed ends in the store of a page: random transactions on one side; on the other pages over each wire, behind
 * proxies that break, while nodes restart and listening sessions are killed. In the end the rows of every page are the
 * table; no revision ever went back; and no page was live while what it showed was older than the grace.
 *
 * `SEED=…` repeats a run, `RUNS=20` makes twenty.
 */
import type { Connection } from '@mqtt-status/protocol'
import { FaultProxy } from '@mqtt-status/testing/fault-proxy'
import type { FaultMode } from '@mqtt-status/testing/fault-proxy'
import { createDatabase } from '@mqtt-status/testing/postgres'
import type { TestDatabase } from '@mqtt-status/testing/postgres'
import { pick, randomFrom } from '@mqtt-status/testing/random'
import { until } from '@mqtt-status/testing/until'
import { afterEach, beforeEach, expect, onTestFailed, test } from 'vitest'
import { connectSql } from '../../packages/server/src/db/sql.ts'
import type { Sql } from '../../packages/server/src/db/sql.ts'
import { write } from '../../packages/server/test/db/writer.ts'
import { Node } from '../../packages/server/test/delivery/nodes.ts'
import { createClient } from '../../packages/widgets/src/client/index.ts'
import type { StatusClient, Wire } from '../../packages/widgets/src/client/index.ts'
import { isLive, timersNow } from './world.ts'

const RUNS = Number(process.env['RUNS'] ?? 1)
const FIRST_SEED = Number(process.env['SEED'] ?? Math.floor(Math.random() * 1e9))
const HEARTBEAT_MS = 1_000
/** A poll is its own heartbeat. */
const POLL_MS = 5_000
/** Silence that is not noticed yet, a loss that is not worth a word yet, and a machine that is busy. */
const GRACE_MS = 10_000 + 1_000 + 2_000
const WRITERS = 4
const LASTS_MS = 30_000
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

let database: TestDatabase
let sql: Sql
let nodes: Node[]
let timers: number
let pages: Page[]
let proxies: FaultProxy[]
/** What happened, in order; told when a run fails. */
let diary: string[]

function note(who: string, what: string): void {
  diary.push(`${(performance.now() / 1_000).toFixed(2)} ${who}: ${what}`)
}

beforeEach(async () => {
  timers = timersNow()
  diary = []
  database = await createDatabase()
  sql = connectSql(database.url, {
    max: WRITERS + 2,
    statementTimeoutMs: 20_000,
    applicationName: 'test-writer',
  })
  nodes = [0, 1].map(
    () => new Node({ DATABASE_URL: database.url, HEARTBEAT_MS: String(HEARTBEAT_MS) }),
  )
  await Promise.all(nodes.map((node) => node.start()))
})

afterEach(async () => {
  for (const { client } of pages) client.close()
  await Promise.all(proxies.map((proxy) => proxy.stop()))
  await Promise.all(nodes.map((node) => node.stop()))
  await sql.end({ timeout: 1 })
  await database.drop()
  await until(() => timersNow() <= timers, { what: 'all timers to be gone' })
})

/** What the table said, and when it was asked. */
interface Look {
  readonly atMs: number
  readonly revisions: ReadonlyMap<string, number>
}

class Page {
  readonly name: string
  readonly client: StatusClient
  readonly faults: string[] = []
  liveLooks = 0
  readonly #highest = new Map<string, number>()
  readonly #graceMs: number

  constructor(name: string, src: string, transport: Wire) {
    this.name = name
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

  /** While it is live it shows nothing older than the grace. */
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
      // Between two looks a row may have gone and come back: then its revision is another one.
      if (seen === undefined && since.every(({ revisions }) => revisions.get(id) === revision))
        this.#blame(`${id} live without it`)
    }
  }

  #blame(fault: string): void {
    this.faults.push(fault)
    note(this.name, fault)
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

async function look(): Promise<Look> {
  const atMs = performance.now()
  const rows = await sql<{ id: string; revision: string }[]>`select id, revision from connections`
  return { atMs, revisions: new Map(rows.map(({ id, revision }) => [id, Number(revision)])) }
}

async function disturbNodes(random: () => number, over: () => boolean): Promise<void> {
  for (let i = 0; !over(); i++) {
    await pause(3_000 + random() * 6_000)
    if (random() < 0.5) {
      note('nodes', 'listeners killed')
      await database.sql`
        select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and application_name = 'mqtt-status-listen'`
      continue
    }
    const node = nodes[i % nodes.length]
    note(`node ${i % nodes.length}`, 'stops')
    await node?.stop()
    await node?.start()
    note(`node ${i % nodes.length}`, 'started')
  }
}

async function disturbProxy(
  name: string,
  proxy: FaultProxy,
  random: () => number,
  over: () => boolean,
): Promise<void> {
  while (!over()) {
    proxy.mode = pick(random, MODES)
    note(name, proxy.mode)
    // Long enough, now and then, to be found out.
    await pause(random() < 0.2 ? 13_000 : random() * 3_000)
    if (random() < 0.2) {
      note(name, 'reset')
      proxy.reset()
    }
  }
  note(name, 'over')
  proxy.mode = 'pass'
}

test.each(Array.from({ length: RUNS }, (_, i) => FIRST_SEED + i))(
  'seed %i: every page ends with the table, never went back, and was live only while it was true',
  { timeout: 150_000 },
  async (seed) => {
    // Nodes come back on ports of their own: the proxies find them.
    proxies = await Promise.all(
      [0, 1, 2, 3].map((i) =>
        FaultProxy.start(() => Number(new URL(nodes[i % 2]?.url ?? 'http://127.0.0.1:1').port)),
      ),
    )
    const wires: Wire[] = ['ws', 'ws', 'sse', 'poll']
    pages = proxies.map(
      ({ port }, i) => new Page(`${wires[i]} ${i}`, `http://127.0.0.1:${port}`, wires[i] ?? 'ws'),
    )
    for (const { client } of pages) await isLive(client)
    const looks: Look[] = []
    const endsAt = performance.now() + LASTS_MS
    const over = (): boolean => performance.now() > endsAt
    const writers = Array.from({ length: WRITERS }, async (_, i) => {
      const random = randomFrom(seed * 31 + i)
      while (!over()) {
        await write({ sql, random, transactions: 5, ballast: 0 })
        await pause(random() * 400)
      }
    })
    const watching = (async () => {
      while (!over()) {
        looks.push(await look())
        for (const page of pages) page.check(looks)
        await pause(50)
      }
    })()
    await Promise.all([
      ...writers,
      watching,
      disturbNodes(randomFrom(seed * 7), over),
      ...proxies.map((proxy, i) =>
        disturbProxy(`proxy ${i}`, proxy, randomFrom(seed * 13 + i), over),
      ),
    ])

    onTestFailed(() => {
      console.log(diary.join('\n'))
    })
    for (const page of pages) {
      // Nobody supervises here, which the nodes write down as soon as they are sure: the table may still change.
      await until(
        async () => {
          const truth = [...(await look()).revisions].toSorted()
          expect([...page.revisions].toSorted(), page.name).toEqual(truth)
          return page.client.link.state === 'live'
        },
        { timeoutMs: 40_000, what: `${page.name} to be live, with the rows of the table` },
      )
      expect(page.faults, page.name).toEqual([])
      // Otherwise nothing was tried.
      expect(page.liveLooks, page.name).toBeGreaterThan(10)
    }
  },
)

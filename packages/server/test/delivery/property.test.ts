/**
 * From any writer to any client: random transactions on one side; on the other readers that come and go, change nodes,
 * stop reading, use either wire, with and without a token; meanwhile nodes are restarted one after the other and
 * listening sessions are killed. In the end every reader holds what it may see, and no reader ever saw a row go back.
 *
 * `SEED=…` repeats a run, `RUNS=20` makes twenty.
 */
import { createDatabase } from '@mqtt-status/testing/postgres'
import type { TestDatabase } from '@mqtt-status/testing/postgres'
import { pick, randomFrom } from '@mqtt-status/testing/random'
import { until } from '@mqtt-status/testing/until'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { mintToken } from '../../src/auth/tokens.ts'
import { connectSql, DEFAULT_SCHEMA, inSchema } from '../../src/db/postgres/sql.ts'
import type { Sql } from '../../src/db/postgres/sql.ts'
import { IDS, write } from '../db/writer.ts'
import { Node } from './nodes.ts'
import { Reader } from './reader.ts'
import { eventStream, websocket } from './wires.ts'

const RUNS = Number(process.env['RUNS'] ?? 2)
const FIRST_SEED = Number(process.env['SEED'] ?? Math.floor(Math.random() * 1e9))
const WRITERS = 6
const TRANSACTIONS = 250
/** Rows of this size fill a socket's buffers within a second. */
const BALLAST = 6_000
const SECRET = 's'.repeat(32)

let database: TestDatabase
let sql: Sql
let nodes: { open: Node[]; guarded: Node[] }
let timers: number

function timersNow(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
}

beforeEach(async () => {
  timers = timersNow()
  database = await createDatabase()
  sql = inSchema(
    connectSql(database.url, {
      max: WRITERS + 2,
      applicationName: 'test-writer',
    }),
    DEFAULT_SCHEMA,
  )
  const open = { DATABASE_URL: database.url }
  const guarded = { ...open, AUTH_JWT_SECRET: SECRET }
  nodes = {
    open: [new Node(open), new Node(open)],
    guarded: [new Node(guarded), new Node(guarded)],
  }
  await Promise.all([...nodes.open, ...nodes.guarded].map((node) => node.start()))
})

afterEach(async () => {
  await Promise.all([...nodes.open, ...nodes.guarded].map((node) => node.stop()))
  const sessions = await database.sql`
    select application_name from pg_stat_activity
    where datname = current_database() and application_name like 'mqtt-status%'`
  await sql.end({ timeout: 1 })
  await database.drop()
  expect([...sessions]).toEqual([])
  await until(() => timersNow() <= timers, { what: 'all timers to be gone' })
})

interface Party {
  readonly reader: Reader
  readonly nodes: readonly Node[]
  readonly sees: (row: { id: string; siteId: string }) => boolean
}

async function parties(): Promise<Party[]> {
  const some = ['c1', 'c2', 'c3', 'c39']
  const token = (grant: { sites?: '*' | string[]; connections?: string[] }): Promise<string> =>
    mintToken(
      { kind: 'secret', maxTtlS: 604_800, secret: SECRET },
      { subject: 't', sites: [], connections: [], can: ['view'], lifetimeS: 600, ...grant },
    )
  const ofSite = await token({ sites: ['s1'], connections: ['c5'] })
  const ofAll = await token({ sites: '*' })
  const wires = { websocket, eventStream }
  return Object.entries(wires).flatMap(([name, wire]) => [
    {
      reader: new Reader(`${name}: all, no token`, wire, { token: null, watch: { all: true } }),
      nodes: nodes.open,
      sees: () => true,
    },
    {
      reader: new Reader(`${name}: a site and ids, no token`, wire, {
        token: null,
        watch: { sites: ['s0'], connections: some },
      }),
      nodes: nodes.open,
      sees: ({ id, siteId }) => siteId === 's0' || some.includes(id),
    },
    {
      reader: new Reader(`${name}: all, token of a site`, wire, {
        token: ofSite,
        watch: { all: true },
      }),
      nodes: nodes.guarded,
      sees: ({ id, siteId }) => siteId === 's1' || id === 'c5',
    },
    {
      reader: new Reader(`${name}: ids and a site, token of another`, wire, {
        token: ofSite,
        watch: { connections: [...IDS], sites: ['s2'] },
      }),
      nodes: nodes.guarded,
      sees: ({ id, siteId }) => siteId === 's1' || id === 'c5',
    },
    {
      reader: new Reader(`${name}: two sites, token of all`, wire, {
        token: ofAll,
        watch: { sites: ['s1', 's2'] },
      }),
      nodes: nodes.guarded,
      sees: ({ siteId }) => siteId !== 's0',
    },
  ])
}

function connectSomewhere({ reader, nodes: mine }: Party, random: () => number): void {
  const urls = mine.flatMap(({ url }) => (url === null ? [] : [url]))
  if (urls.length > 0) reader.connect(pick(random, urls))
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** Comes and goes, dozes off, changes nodes. */
async function live(party: Party, random: () => number, over: () => boolean): Promise<void> {
  const { reader } = party
  while (!over()) {
    const kind = random()
    if (!reader.connected || kind < 0.25) connectSomewhere(party, random)
    else if (kind < 0.45) reader.disconnect()
    else reader.pause(kind < 0.6)
    await pause(random() ** 3 * 800)
  }
  reader.pause(false)
}

/** One node after the other, with times in which no node runs. */
async function disturb(random: () => number, over: () => boolean): Promise<void> {
  const all = [...nodes.open, ...nodes.guarded]
  for (let i = 0; !over(); i++) {
    await pause(150 + random() * 200)
    if (random() < 0.5) {
      await database.sql`
        select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and application_name = 'mqtt-status-listen'`
      continue
    }
    const node = all[i % all.length]
    await node?.stop()
    await node?.start()
  }
}

test.each(Array.from({ length: RUNS }, (_, i) => FIRST_SEED + i))(
  'seed %i: every client ends with what it may see, and never went back',
  { timeout: 90_000 },
  async (seed) => {
    const everyone = await parties()
    let over = false
    const disturbance = disturb(randomFrom(seed * 7), () => over)
    const readers = everyone.map((party, i) => live(party, randomFrom(seed * 13 + i), () => over))
    await Promise.all(
      Array.from({ length: WRITERS }, (_, i) =>
        write({
          sql,
          random: randomFrom(seed * 31 + i),
          transactions: TRANSACTIONS,
          ballast: BALLAST,
        }),
      ),
    )
    over = true
    await Promise.all([disturbance, ...readers])

    const random = randomFrom(seed)
    const truth = await sql<{ id: string; siteId: string; revision: string }[]>`
      select id, site_id as "siteId", revision from ${sql.schema}.connections order by id`
    for (const party of everyone) {
      const { reader } = party
      if (!reader.connected) connectSomewhere(party, random)
      const expected = truth
        .filter(party.sees)
        .map(({ id, revision }) => `${id} ${revision}`)
        .toSorted()
      const heard = (): string[] =>
        Array.from(reader.rows.values(), ({ id, revision }) => `${id} ${revision}`).toSorted()
      await until(
        () => {
          if (!reader.connected) connectSomewhere(party, random)
          return heard().join() === expected.join()
        },
        { timeoutMs: 10_000 },
      ).catch(() => undefined)
      expect(heard(), reader.name).toEqual(expected)
      expect(reader.faults, reader.name).toEqual([])
    }
    for (const { reader } of everyone) reader.disconnect()
    // Otherwise nothing was tried.
    const tried = (kind: 'snapshot' | 'patch'): number =>
      everyone.reduce((sum, { reader }) => sum + reader.answers[kind], 0)
    expect(tried('snapshot')).toBeGreaterThanOrEqual(everyone.length)
    expect(tried('patch')).toBeGreaterThan(everyone.length)
  },
)

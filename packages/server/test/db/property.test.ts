/**
 * The feed tells the truth, whatever writers do: random transactions that sleep, roll back, delete, move and re-create
 * rows; readers that keep what the feed delivers must end up with what is in the table, and never see a revision go back.
 *
 * `SEED=…` repeats a run, `RUNS=20` makes twenty.
 */
import { createDatabase } from '@mqtt-status/testing/postgres'
import type { TestDatabase } from '@mqtt-status/testing/postgres'
import { randomFrom } from '@mqtt-status/testing/random'
import { until } from '@mqtt-status/testing/until'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ChangeFeed } from '../../src/db/feed/change-feed.ts'
import type { FeedRead } from '../../src/db/feed/change-feed.ts'
import { direct } from '../../src/db/postgres/lane.ts'
import { connectSql, DEFAULT_SCHEMA, inSchema } from '../../src/db/postgres/sql.ts'
import type { Sql } from '../../src/db/postgres/sql.ts'
import { createLog } from '../../src/log.ts'
import { SITES, write } from './writer.ts'

const RUNS = Number(process.env['RUNS'] ?? 2)
const FIRST_SEED = Number(process.env['SEED'] ?? Math.floor(Math.random() * 1e9))
const WRITERS = 8
const TRANSACTIONS = 60
/** A reader that watches one site, or all (`null`), as a client does: the highest revision wins. */
class Watcher {
  readonly site: string | null
  readonly rows = new Map<string, { siteId: string; status: string; revision: number }>()
  readonly #highest = new Map<string, number>()
  readonly faults: string[] = []

  constructor(site: string | null) {
    this.site = site
  }

  hear({ kind, rows, tombstones }: FeedRead): void {
    if (kind === 'snapshot') this.rows.clear()
    for (const { id, siteId, revision } of tombstones) {
      const known = this.rows.get(id)
      const mine = this.site === null ? known?.siteId === siteId : this.site === siteId
      if (mine && known !== undefined && revision >= known.revision) {
        this.rows.delete(id)
        this.#note(id, revision)
      }
    }
    for (const { connection } of rows) {
      const { id, siteId, status, revision } = connection
      if (this.site !== null && siteId !== this.site) continue
      // What a client ignores as old must not be what is true.
      if (revision < (this.#highest.get(id) ?? 0)) continue
      this.rows.set(id, { siteId, status, revision })
      this.#note(id, revision)
    }
  }

  #note(id: string, revision: number): void {
    if (revision < (this.#highest.get(id) ?? 0)) this.faults.push(`${id} went back to ${revision}`)
    this.#highest.set(id, revision)
  }
}

let database: TestDatabase
let sql: Sql

beforeEach(async () => {
  database = await createDatabase()
  sql = inSchema(
    connectSql(database.url, {
      max: WRITERS + 2,
      applicationName: 'test-property',
    }),
    DEFAULT_SCHEMA,
  )
})

afterEach(async () => {
  await sql.end({ timeout: 1 })
  await database.drop()
})

test.each(Array.from({ length: RUNS }, (_, i) => FIRST_SEED + i))(
  'seed %i: the changes that the feed delivers lead to the rows of the table',
  { timeout: 60_000 },
  async (seed) => {
    const watchers = [new Watcher(null), ...SITES.map((site) => new Watcher(site))]
    const feed = new ChangeFeed({
      lane: direct(sql),
      upkeep: direct(sql),
      listenAddress: database.url,
      pollMs: 1_000,
      log: createLog({ level: 'silent', format: 'json' }),
      onRead: (read) => {
        for (const watcher of watchers) watcher.hear(read)
      },
      onState: () => undefined,
    })
    await feed.start()
    try {
      await until(() => feed.listening)
      await Promise.all(
        Array.from({ length: WRITERS }, (_, i) =>
          write({ sql, random: randomFrom(seed * 31 + i), transactions: TRANSACTIONS }),
        ),
      )
      await feed.read()
      const truth = await sql<{ id: string; siteId: string; status: string }[]>`
        select id, site_id as "siteId", status
        from ${sql.schema}.connections
        order by id`
      for (const { site, rows, faults } of watchers) {
        const heard = Array.from(rows, ([id, { siteId, status }]) => ({ id, siteId, status }))
        const expected = truth.filter((row) => site === null || row.siteId === site)
        const order = (a: { id: string }, b: { id: string }) => (a.id < b.id ? -1 : 1)
        expect(heard.toSorted(order), `watcher of ${site ?? 'all'}`).toEqual(
          expected.map((row) => ({ ...row })).toSorted(order),
        )
        expect(faults).toEqual([])
      }
    } finally {
      await feed.stop()
    }
  },
)

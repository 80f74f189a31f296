/**
 * The feed tells the truth, whatever writers do: random transactions that sleep, roll back, delete, move and re-create
 * rows; readers that keep what they are told must end up with what is in the table, and never see a revision go back.
 *
 * `SEED=…` repeats a run, `RUNS=20` makes twenty.
 */
import { createDatabase } from '@mqtt-status/testing/postgres'
import type { TestDatabase } from '@mqtt-status/testing/postgres'
import { until } from '@mqtt-status/testing/until'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ChangeFeed } from '../../src/db/change-feed.ts'
import type { FeedRead } from '../../src/db/change-feed.ts'
import { connectSql } from '../../src/db/sql.ts'
import type { Sql } from '../../src/db/sql.ts'
import { createLog } from '../../src/log.ts'

const RUNS = Number(process.env['RUNS'] ?? 2)
const FIRST_SEED = Number(process.env['SEED'] ?? Math.floor(Math.random() * 1e9))
const WRITERS = 8
const TRANSACTIONS = 60
const IDS = Array.from({ length: 40 }, (_, i) => `c${i}`)
const SITES = ['s0', 's1', 's2']
const STATUSES = ['disconnected', 'connecting', 'connected', 'reconnecting', 'failed']

/** Small, seeded and good enough: mulberry32. */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

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
  sql = connectSql(database.url, {
    max: WRITERS + 2,
    statementTimeoutMs: 20_000,
    applicationName: 'test-property',
  })
})

afterEach(async () => {
  await sql.end({ timeout: 1 })
  await database.drop()
})

/** One writer: its transactions fail, sleep and roll back as they please. */
async function write(random: () => number): Promise<void> {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T
  for (let i = 0; i < TRANSACTIONS; i++) {
    const steps = 1 + Math.floor(random() * 3)
    const rollBack = random() < 0.15
    try {
      await sql.begin(async (transaction) => {
        const tx = transaction as unknown as Sql
        for (let step = 0; step < steps; step++) {
          const id = pick(IDS)
          const kind = random()
          const savepoint = random() < 0.2
          if (savepoint) await tx`savepoint s`
          if (kind < 0.3) {
            await tx`
              insert into connections (id, site_id, name)
              values (${id}, ${pick(SITES)}, ${id})
              on conflict (id) do nothing`
          } else if (kind < 0.65)
            await tx`update connections set status = ${pick(STATUSES)} where id = ${id}`
          else if (kind < 0.8)
            await tx`update connections set site_id = ${pick(SITES)} where id = ${id}`
          else await tx`delete from connections where id = ${id}`
          if (savepoint && random() < 0.5) await tx`rollback to savepoint s`
          if (random() < 0.3) await tx`select pg_sleep(${random() * 0.02})`
        }
        if (rollBack) throw new Error('rolled back on purpose')
      })
    } catch (error) {
      // Deadlocks between writers are theirs to have.
      const { code, message } = error as { code?: string; message: string }
      if (code !== '40P01' && message !== 'rolled back on purpose') throw error
    }
  }
}

test.each(Array.from({ length: RUNS }, (_, i) => FIRST_SEED + i))(
  'seed %i: what is heard is what is there',
  { timeout: 60_000 },
  async (seed) => {
    const watchers = [new Watcher(null), ...SITES.map((site) => new Watcher(site))]
    const feed = new ChangeFeed({
      sql,
      listenUrl: database.url,
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
      await Promise.all(Array.from({ length: WRITERS }, (_, i) => write(randomFrom(seed * 31 + i))))
      await feed.read()
      const truth = await sql<{ id: string; siteId: string; status: string }[]>`
        select id, site_id as "siteId", status
        from connections
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

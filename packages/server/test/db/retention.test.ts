/** What is older than it is to be kept is deleted in small batches, by one node at a time, on a real database. */
import { createDatabase } from '@mqtt-status/testing/postgres'
import type { TestDatabase } from '@mqtt-status/testing/postgres'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { direct } from '../../src/db/postgres/lane.ts'
import type { Database } from '../../src/db/postgres/lane.ts'
import { BATCH } from '../../src/db/upkeep/retention.ts'
import { connectSql, DEFAULT_SCHEMA, inSchema } from '../../src/db/postgres/sql.ts'
import type { Sql } from '../../src/db/postgres/sql.ts'
import { Upkeep } from '../../src/db/upkeep/upkeep.ts'
import { createLog } from '../../src/log.ts'

const OLD_EVENTS = 100_000
const CONNECTIONS = 100
const log = createLog({ level: 'silent', format: 'json' })

let database: TestDatabase
let sql: Sql

beforeEach(async () => {
  database = await createDatabase()
  sql = inSchema(
    connectSql(database.url, { max: 4, applicationName: 'test-retention' }),
    DEFAULT_SCHEMA,
  )
  await database.sql`
    insert into connections (id, site_id, name, since)
    select 'c' || n, 's', 'C', now() - interval '10 days' from generate_series(1, ${CONNECTIONS}) n`
  await database.sql`delete from connection_events`
})

afterEach(async () => {
  await sql.end({ timeout: 1 })
  await database.drop()
})

/** Events from 200 days ago up to the end of the period, and a recent one for each connection. */
async function fill(): Promise<void> {
  await database.sql`
    insert into connection_events (connection_id, at, status)
    select 'c' || (n % ${CONNECTIONS} + 1), now() - interval '200 days' + n * interval '1 minute', 'connected'
    from generate_series(1, ${OLD_EVENTS}) n`
  await database.sql`
    insert into connection_events (connection_id, at, status)
    select id, now() - interval '1 day', 'failed' from connections`
}

async function events(): Promise<{ old: number; recent: number }> {
  const [found] = await database.sql<{ old: number; recent: number }[]>`
    select count(*) filter (where at < now() - interval '90 days')::int as old,
      count(*) filter (where at >= now() - interval '90 days')::int as recent
    from connection_events`
  if (found === undefined) throw new Error('count answers a row')
  return found
}

function upkeep(nodeId: string, lane: Database = direct(sql)): Upkeep {
  const retention = { historyDays: 90, auditDays: 365 }
  return new Upkeep({ lane, nodeId, retention, log, everyMs: 600_000, pauseMs: 0 })
}

test('the server deletes 100,000 old events in batches, and keeps the newest of each connection', async () => {
  await fill()
  const sizes: number[] = []
  const lane: Database = {
    ...direct(sql),
    async write(work) {
      const before = await events()
      const result = await direct(sql).write(work)
      sizes.push(before.old - (await events()).old)
      return result
    },
  }
  await upkeep('a', lane).once()
  expect(await events()).toEqual({ old: CONNECTIONS, recent: CONNECTIONS })
  expect(Math.max(...sizes)).toBeLessThanOrEqual(BATCH)
  expect(sizes.filter((size) => size > 0).length).toBeGreaterThanOrEqual(OLD_EVENTS / BATCH - 1)
})

test('a second node deletes nothing while the first one has its turn, and nothing right after it', async () => {
  await fill()
  let asked = 0
  const second = upkeep('b')
  const lane: Database = {
    ...direct(sql),
    async write(work) {
      const result = await direct(sql).write(work)
      if (++asked === 5) {
        const before = await events()
        await second.once()
        expect(await events()).toEqual(before)
      }
      return result
    },
  }
  await upkeep('a', lane).once()
  expect(asked).toBeGreaterThan(5)
  await database.sql`
    insert into connection_events (connection_id, at, status) values ('c1', now() - interval '150 days', 'failed')`
  await second.once()
  expect((await events()).old).toBe(CONNECTIONS + 1)
})

test('when a node ends in the middle of its turn, another one continues after the turn is over', async () => {
  await fill()
  const lane: Database = {
    ...direct(sql),
    async write(work) {
      if ((await events()).old < OLD_EVENTS - 5 * BATCH) throw new Error('the process ends')
      return direct(sql).write(work)
    },
  }
  await expect(upkeep('a', lane).once()).rejects.toThrow('the process ends')
  await upkeep('b').once()
  expect((await events()).old).toBeGreaterThan(CONNECTIONS)
  await database.sql`update meta set upkeep_until = now()`
  await upkeep('b').once()
  expect(await events()).toEqual({ old: CONNECTIONS, recent: CONNECTIONS })
})

test('commands stay as long as the audit, and the server also deletes old tombstones, checks and leases', async () => {
  await database.sql`
    insert into commands (connection_id, action, generation, at)
    select 'c1', 'connect', 1, now() - n * interval '100 days' from generate_series(0, 9) n`
  await database.sql`
    insert into supervisors (id, lease_expires_at) values
      ('long gone', now() - interval '3 days'), ('just gone', now() - interval '1 hour')`
  await upkeep('a').once()
  const kept = await database.sql`select at from commands where at < now() - interval '365 days'`
  const all = await database.sql`select at from commands`
  const nodes = await database.sql<{ id: string }[]>`select id from supervisors`
  expect([kept.length, all.length]).toEqual([0, 4])
  expect(nodes.map(({ id }) => id)).toEqual(['just gone'])
})

/** One row that another session has locked, for example an operator's open transaction, holds up no other row. */
import { createDatabase } from '@mqtt-status/testing/postgres'
import type { TestDatabase } from '@mqtt-status/testing/postgres'
import type postgres from 'postgres'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { writeActivity } from '../../src/db/ownership/activity.ts'
import { renewLease } from '../../src/db/ownership/leases.ts'
import { markLost } from '../../src/db/ownership/lost-rows.ts'
import { claim, release } from '../../src/db/ownership/ownership.ts'
import { choresOf } from '../../src/db/upkeep/retention.ts'
import { connectSql, DEFAULT_SCHEMA, inSchema } from '../../src/db/postgres/sql.ts'
import type { Sql } from '../../src/db/postgres/sql.ts'
import { writeStatuses } from '../../src/db/ownership/status-writes.ts'
import { seen } from './seen.ts'

const IDS = Array.from({ length: 20 }, (_, n) => `c${n}`)
const LOCKED = 'c7'
/** A statement that waits for a lock fails after this time. */
const WAITS = 'set statement_timeout = 5000'

let database: TestDatabase
let sql: Sql

beforeEach(async () => {
  database = await createDatabase()
  const pool = connectSql(database.url, { max: 1, applicationName: 'test-locked-rows' })
  await pool.unsafe(WAITS)
  sql = inSchema(pool, DEFAULT_SCHEMA)
  await database.sql`
    insert into connections (id, site_id, name, desired)
    select 'c' || n, 's1', 'C', 'connected' from generate_series(0, ${IDS.length - 1}) n`
})

afterEach(async () => {
  await sql.end({ timeout: 1 })
  await database.drop()
})

async function claimAll(): Promise<void> {
  await renewLease(sql, { ownerId: 'me', ttlMs: 60_000, version: null })
  expect(await claim(sql, 'me', { limit: 100, lost: true })).toHaveLength(IDS.length)
}

async function endAllLeases(): Promise<void> {
  await database.sql`update supervisors set lease_expires_at = now() - interval '3 days'`
}

function chore(name: string): () => Promise<unknown> {
  const found = choresOf({ historyDays: 1, auditDays: 1 }).find((each) => each.name === name)
  if (found === undefined) throw new Error(`There is no chore ${name}`)
  return () => found.prune(sql)
}

interface BatchWrite {
  readonly name: string
  readonly prepare: () => Promise<unknown>
  /** Done while one row is locked, and again afterwards. */
  readonly write: (value: number) => Promise<unknown>
  /** Locks the row of one id, in a transaction of another session. */
  readonly lock: (tx: postgres.TransactionSql) => Promise<unknown>
  /** The ids of rows that are not as they have to be after the write of that value. */
  readonly undone: (value: number) => Promise<readonly { id: string }[]>
}

const lockConnection: BatchWrite['lock'] = (tx) =>
  tx`select from connections where id = ${LOCKED} for update`

const WRITES: readonly BatchWrite[] = [
  {
    name: 'statuses',
    prepare: claimAll,
    write: (value) =>
      writeStatuses(
        sql,
        'me',
        IDS.map((id) => seen(id, 1, { detail: `v${value}` })),
      ),
    lock: lockConnection,
    undone: (value) =>
      database.sql`select id from connections where detail is distinct from ${`v${value}`}`,
  },
  {
    name: 'times of messages',
    prepare: claimAll,
    write: (value) =>
      writeActivity(
        sql,
        'me',
        IDS.map((id) => ({ id, fence: 1, ageMs: 9_000 - value, lastMessageAt: null })),
      ),
    lock: lockConnection,
    undone: () => database.sql`select id from connections where last_message_at is null`,
  },
  {
    name: 'released rows',
    prepare: claimAll,
    write: () =>
      release(
        sql,
        'me',
        IDS.map((id) => ({ id, fence: 1 })),
      ),
    lock: lockConnection,
    undone: () => database.sql`select id from connections where owner_id is not null`,
  },
  {
    name: 'claimed rows',
    prepare: () => renewLease(sql, { ownerId: 'me', ttlMs: 60_000, version: null }),
    write: () => claim(sql, 'me', { limit: 100, lost: true }),
    lock: lockConnection,
    undone: () => database.sql`select id from connections where owner_id is distinct from 'me'`,
  },
  {
    name: 'lost rows',
    prepare: async () => {
      await claimAll()
      await database.sql`update connections set status = 'connected'`
      await endAllLeases()
    },
    write: () => markLost(sql),
    lock: lockConnection,
    undone: () => database.sql`select id from connections where status <> 'unknown'`,
  },
  {
    name: 'owners that ended',
    prepare: async () => {
      await claimAll()
      await endAllLeases()
    },
    write: chore('owners'),
    lock: lockConnection,
    undone: () => database.sql`select id from connections where owner_id is not null`,
  },
  {
    name: 'leases',
    prepare: async () => {
      for (const id of IDS) await renewLease(sql, { ownerId: id, ttlMs: 1, version: null })
      await endAllLeases()
    },
    write: chore('leases'),
    lock: (tx) => tx`select from supervisors where id = ${LOCKED} for update`,
    undone: () => database.sql`select id from supervisors`,
  },
  {
    name: 'tombstones',
    prepare: async () => {
      await database.sql`delete from connections`
      await database.sql`update connection_tombstones set deleted_at = now() - interval '9 days'`
    },
    write: chore('tombstones'),
    lock: (tx) => tx`select from connection_tombstones where id = ${LOCKED} for update`,
    undone: () => database.sql`select id from connection_tombstones`,
  },
  {
    name: 'events',
    prepare: async () => {
      await database.sql`delete from connection_events`
      await database.sql`
        insert into connection_events (connection_id, at, status)
        select id, now() - days * interval '1 day', 'connected'
        from connections, generate_series(2, 3) days`
    },
    write: chore('events'),
    lock: (tx) =>
      tx`select from connection_events where connection_id = ${LOCKED} order by at limit 1 for update`,
    undone: () => database.sql`
      select connection_id as id from connection_events where at < now() - interval '60 hours'`,
  },
  {
    name: 'commands',
    prepare: () => database.sql`
      insert into commands (connection_id, action, generation, at)
      select id, 'connect', 1, now() - interval '9 days' from connections`,
    write: chore('commands'),
    lock: (tx) => tx`select from commands where connection_id = ${LOCKED} for update`,
    undone: () => database.sql`select connection_id as id from commands`,
  },
  {
    name: 'checks',
    prepare: () => database.sql`
      insert into connection_checks (id, connection_id, owner_id, asked_at)
      select gen_random_uuid(), id, 'you', now() - interval '9 minutes' from connections`,
    write: chore('checks'),
    lock: (tx) => tx`select from connection_checks where connection_id = ${LOCKED} for update`,
    undone: () => database.sql`select connection_id as id from connection_checks`,
  },
]

test.each(WRITES)(
  '$name are written while one of their rows is locked, and that row afterwards',
  async ({ prepare, write, lock, undone }) => {
    await prepare()
    expect(await undone(1)).toHaveLength(IDS.length)
    await database.sql.begin(async (tx) => {
      await lock(tx)
      await write(1)
      expect([...(await undone(1))]).toEqual([{ id: LOCKED }])
    })
    await write(2)
    expect((await undone(2)).length).toBe(0)
  },
)

test('a write returns which rows are locked and which are written, and leaves out rows of another owner', async () => {
  await claimAll()
  await database.sql`update connections set owner_id = null where id = 'c3'`
  await database.sql.begin(async (tx) => {
    await tx`select from connections where id = ${LOCKED} for update`
    const writes = ['c1', 'c3', LOCKED, 'gone'].map((id) => seen(id, 1))
    const written = await writeStatuses(sql, 'me', writes)
    expect([...written.keys()].toSorted()).toEqual(['c1', LOCKED])
    expect(written.get('c1')).toMatchObject({ seen: { status: 'connected' } })
    expect(written.get(LOCKED)).toBe('locked')
    const rows = ['c1', LOCKED].map((id) => ({ id, fence: 1 }))
    expect(await release(sql, 'me', rows)).toEqual([LOCKED])
  })
})

test('while a transaction adds a secret or an event to a row, its owner can write the row', async () => {
  await claimAll()
  await database.sql.begin(async (tx) => {
    await tx`insert into connection_events (connection_id, at, status) values (${LOCKED}, now(), 'connected')`
    expect((await writeStatuses(sql, 'me', [seen(LOCKED, 1)])).get(LOCKED)).not.toBe('locked')
  })
})

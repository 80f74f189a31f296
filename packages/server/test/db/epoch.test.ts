import { createDatabase, administer, databaseUrl } from '@mqtt-status/testing/postgres'
import type { TestDatabase } from '@mqtt-status/testing/postgres'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { confirmEpoch, readEpoch } from '../../src/db/feed/epoch.ts'
import { renewLease } from '../../src/db/ownership/leases.ts'
import { claim } from '../../src/db/ownership/ownership.ts'
import { writeStatuses } from '../../src/db/ownership/status-writes.ts'
import { direct } from '../../src/db/postgres/lane.ts'
import { connectSql, DEFAULT_SCHEMA, inSchema } from '../../src/db/postgres/sql.ts'
import type { Sql } from '../../src/db/postgres/sql.ts'
import { seen } from './seen.ts'

let database: TestDatabase
let sql: Sql

beforeEach(async () => {
  database = await createDatabase()
  sql = connect(database.url)
  await database.sql`
    insert into connections (id, site_id, name, managed, desired, status, device)
    values ('kept', 's1', 'A', true, 'connected', 'connected', 'online'),
      ('off', 's1', 'B', true, 'disconnected', 'disconnected', 'unknown'),
      ('observed', 's1', 'C', false, null, 'connected', 'online')`
})

afterEach(async () => {
  await sql.end({ timeout: 1 })
  await database.drop()
})

function connect(url: string): Sql {
  return inSchema(connectSql(url, { max: 3, applicationName: 'test-epoch' }), DEFAULT_SCHEMA)
}

/** As if it had been restored elsewhere. */
async function move(): Promise<void> {
  await database.sql`update meta set system_identifier = system_identifier - 1`
}

test('a database that was made here is its own, and needs no adoption', async () => {
  expect(await readEpoch(sql)).toMatchObject({ own: true, adopted: true })
  expect(await confirmEpoch(direct(sql))).toBe(false)
})

test('in a copy the rows that a node kept are unknown, and all others are as in the original', async () => {
  await move()
  expect(await confirmEpoch(direct(sql))).toBe(true)
  expect(await readEpoch(sql)).toMatchObject({ own: true, adopted: false })
  const rows = await database.sql`select id, status, reason, device from connections order by id`
  expect([...rows]).toEqual([
    { id: 'kept', status: 'unknown', reason: 'supervisor_lost', device: 'stale' },
    { id: 'observed', status: 'connected', reason: null, device: 'online' },
    { id: 'off', status: 'disconnected', reason: null, device: 'unknown' },
  ])
})

async function claimAll(): Promise<readonly string[]> {
  await renewLease(sql, { ownerId: 'me', ttlMs: 60_000, version: null })
  return (await claim(sql, 'me', { limit: 10, lost: true })).map(({ id }) => id)
}

test('no node claims a row of a copy until it is adopted, whether or not a node has noticed the copy', async () => {
  await move()
  expect(await claimAll()).toEqual([])
  await confirmEpoch(direct(sql))
  expect(await claimAll()).toEqual([])
  expect(await confirmEpoch(direct(sql), true)).toBe(false)
  expect(await claimAll()).toEqual(['kept'])
})

test('a late write of an owner in the original changes no row of the copy', async () => {
  await renewLease(sql, { ownerId: 'me', ttlMs: 60_000, version: null })
  const [claimed] = await claim(sql, 'me', { limit: 10, lost: true })
  await move()
  await confirmEpoch(direct(sql), true)
  expect(await database.sql`select from supervisors`, 'leases of the original').toHaveLength(0)
  const written = await writeStatuses(sql, 'me', [seen('kept', claimed?.fence ?? 0)])
  expect(written.size).toBe(0)
})

test('twenty instances that find a copy at once take one new epoch', async () => {
  await move()
  const pools = Array.from({ length: 20 }, () => connect(database.url))
  const taken = await Promise.all(pools.map((pool) => confirmEpoch(direct(pool))))
  await Promise.all(pools.map((pool) => pool.end({ timeout: 1 })))
  expect(taken.filter(Boolean)).toHaveLength(1)
})

test('a database made from this one as a template is a copy, on the same server', async () => {
  const name = `${new URL(database.url).pathname.slice(1)}_clone`
  await sql.end({ timeout: 1 })
  await database.sql.end({ timeout: 1 })
  const template = new URL(database.url).pathname.slice(1)
  await administer(databaseUrl(database.url, 'postgres'), (admin) =>
    admin.unsafe(`create database ${name} template ${template}`),
  )
  const clone = connect(databaseUrl(database.url, name))
  expect(await readEpoch(clone)).toMatchObject({ own: false })
  await clone.end({ timeout: 1 })
  await administer(databaseUrl(database.url, 'postgres'), (admin) =>
    admin.unsafe(`drop database ${name} with (force)`),
  )
})

test('a dump that is restored over its original counts as a copy, because its history has gone back', async () => {
  const [{ rows } = { rows: '' }] = await database.sql<{ rows: string }[]>`
    select json_agg(meta)::text as rows from meta`
  await database.sql`create table restored (like meta including all)`
  await database.sql`
    insert into restored select * from json_populate_recordset(null::restored, ${rows}::text::json)`
  await database.sql`drop table meta`
  await database.sql`alter table restored rename to meta`
  expect(await readEpoch(sql)).toMatchObject({ own: false, adopted: true })
})

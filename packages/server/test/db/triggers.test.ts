import { createDatabase, databaseUrl } from '@mqtt-status/testing/postgres'
import type { TestDatabase } from '@mqtt-status/testing/postgres'
import { until } from '@mqtt-status/testing/until'
import postgres from 'postgres'
import { afterEach, beforeEach, expect, test } from 'vitest'

let database: TestDatabase
let sql: postgres.Sql
let pokes: number
let fences: number

beforeEach(async () => {
  database = await createDatabase()
  sql = database.sql
  await sql`insert into connections (id, site_id, name) values ('a', 's1', 'A')`
  pokes = fences = 0
  await sql.listen('mqtt_status', (payload) => {
    if (payload === 'fence') fences++
    else pokes++
  })
})

afterEach(async () => {
  await database.drop()
})

interface Row {
  readonly revision: string
  readonly generation: string
  readonly since: Date
}

async function row(id = 'a'): Promise<Row> {
  const [found] = await sql<
    Row[]
  >`select revision, generation, since from connections where id = ${id}`
  if (found === undefined) throw new Error(`There is no row ${id}`)
  return found
}

/** Whatever was notified before this one has arrived when it has. */
async function heard(): Promise<number> {
  const before = fences
  await sql`select pg_notify('mqtt_status', 'fence')`
  await until(() => fences > before)
  return pokes
}

test('a row needs no more than an id, a site and a name', async () => {
  const [found] = await sql`select status, desired, generation, managed, device from connections`
  expect(found).toEqual({
    status: 'disconnected',
    desired: 'disconnected',
    generation: '0',
    managed: true,
    device: 'unknown',
  })
})

test('a watched column raises the revision, another one does not, and the same value does not', async () => {
  const { revision } = await row()
  await sql`update connections set owner_id = 'me', mqtt_reason_code = 4, subscriptions_ok = true where id = 'a'`
  await sql`update connections set name = 'A', status = 'disconnected' where id = 'a'`
  expect((await row()).revision).toBe(revision)
  expect(await heard()).toBe(0)
  for (const change of [
    { name: 'B' },
    { labels: sql.json({ x: '1' }) },
    { reason: 'quota' },
    { device: 'stale' },
  ]) {
    const before = await row()
    await sql`update connections set ${sql(change as { name: string })} where id = 'a'`
    expect(Number((await row()).revision)).toBeGreaterThan(Number(before.revision))
  }
})

test('a transaction pokes once, however many rows it changes', async () => {
  await sql.begin(async (tx) => {
    await tx`insert into connections (id, site_id, name) select 'b' || i, 's', 'B' from generate_series(1, 100) i`
    await tx`update connections set status = 'connected'`
    await tx`delete from connections where id = 'b7'`
  })
  expect(await heard()).toBe(1)
})

test('a changed dial column raises the generation, and the feed delivers it', async () => {
  const before = await row()
  await sql`update connections set host = 'broker.example', port = 1883 where id = 'a'`
  const after = await row()
  expect(after.generation).toBe('1')
  expect(Number(after.revision)).toBeGreaterThan(Number(before.revision))
})

test('a changed secret raises the generation', async () => {
  await sql`
    insert into connection_secrets (connection_id, field, key_id, nonce, ciphertext, tag)
    values ('a', 'password', 'k', '', '', '')`
  expect((await row()).generation).toBe('1')
})

test('since follows the status, unless the writer says otherwise', async () => {
  const before = await row()
  await sql`update connections set status = 'connected' where id = 'a'`
  expect((await row()).since.getTime()).toBeGreaterThan(before.since.getTime())
  await sql`update connections set status = 'failed', since = '2020-01-01' where id = 'a'`
  expect((await row()).since.getUTCFullYear()).toBe(2020)
})

test('values outside of the vocabulary are refused', async () => {
  await expect(sql`update connections set status = 'fine'`).rejects.toThrow('check')
  await expect(sql`update connections set desired = 'on'`).rejects.toThrow('check')
  await expect(
    sql`insert into connections (id, site_id, name) values ('a b', 's', 'n')`,
  ).rejects.toThrow('check')
})

test('an impossible dial column is not refused: it becomes config_invalid later', async () => {
  await sql`update connections set protocol = 'gopher', port = -1, keepalive_s = 99999999 where id = 'a'`
})

test('a row that is inserted again is newer than its tombstone, which is deleted', async () => {
  await sql`delete from connections where id = 'a'`
  const [stone] = await sql`select site_id, revision from connection_tombstones where id = 'a'`
  expect(stone).toMatchObject({ site_id: 's1' })
  await sql`insert into connections (id, site_id, name) values ('a', 's1', 'A')`
  expect(Number((await row()).revision)).toBeGreaterThan(Number(stone?.['revision']))
  expect(await sql`select from connection_tombstones`).toHaveLength(0)
})

test('a row that moves leaves a tombstone at the old place only', async () => {
  await sql`update connections set site_id = 's2' where id = 'a'`
  await sql`update connections set id = 'z' where id = 'a'`
  const stones = await sql`select id, site_id from connection_tombstones order by id, site_id`
  expect(stones.map(({ id, site_id }) => `${String(id)}@${String(site_id)}`)).toEqual([
    'a@s1',
    'a@s2',
  ])
})

test('the timeline has an event for each change of status or reason, and for no other', async () => {
  await sql`update connections set status = 'connected' where id = 'a'`
  await sql`update connections set name = 'B' where id = 'a'`
  await sql`update connections set reason = 'subscription_denied' where id = 'a'`
  const events = await sql`select status, reason from connection_events order by at`
  expect(events.map(({ status, reason }) => `${String(status)}/${String(reason)}`)).toEqual([
    'disconnected/null',
    'connected/null',
    'connected/subscription_denied',
  ])
})

test('truncate is refused with an error that says what to do instead', async () => {
  await expect(sql`truncate connections cascade`).rejects.toMatchObject({
    hint: expect.stringContaining('delete') as string,
  })
})

test('a role that has no right but UPDATE on the table can update it', async () => {
  await sql.unsafe(`create role test_writer login password 'w'`).catch(() => undefined)
  await sql.unsafe('grant usage on schema mqtt_status to test_writer')
  await sql.unsafe('grant select, insert, update, delete on connections to test_writer')
  const url = new URL(databaseUrl(database.url, new URL(database.url).pathname.slice(1)))
  url.username = 'test_writer'
  url.password = 'w'
  const writer = postgres(url.href, { max: 1 })
  await writer`update mqtt_status.connections set status = 'connected', site_id = 's5' where id = 'a'`
  await writer`insert into mqtt_status.connections (id, site_id, name) values ('b', 's', 'B')`
  await writer`delete from mqtt_status.connections where id = 'b'`
  await writer.end()
  expect(await heard()).toBe(3)
})

/** Rows that come by logical replication from another cluster, and by two-phase commit. */
import { readFileSync } from 'node:fs'
import { until } from '@mqtt-status/testing/until'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { House } from './house.ts'
import type { Client } from './house.ts'
import { OwnPostgres } from './own-postgres.ts'

/** So long that only a notification can have made the server read. */
const NEVER_MS = '600000'

let publisher: OwnPostgres
let subscriber: OwnPostgres
const houses: House[] = []

beforeEach(async () => {
  publisher = await OwnPostgres.create()
  subscriber = await OwnPostgres.create()
  await publisher.configure({ wal_level: 'logical', max_prepared_transactions: '10' })
  await subscriber.configure({ max_prepared_transactions: '10' })
})

afterEach(async () => {
  for (const house of houses.splice(0).toReversed()) await house.close()
  await subscriber.remove()
  await publisher.remove()
})

async function open(own: OwnPostgres, environment = {}): Promise<House> {
  const house = await House.open(own.url, environment)
  houses.push(house)
  return house
}

async function subscribe(options = ''): Promise<void> {
  const { hostname, port, username, password, pathname } = new URL(publisher.url)
  const address = `host=${hostname} port=${port} user=${username} password=${password} dbname=${pathname.slice(1)}`
  await subscriber.sql.unsafe(
    `create subscription plant connection '${address}' publication plant ${options}`,
  )
}

/** A table of another system, with the columns that it has. */
async function publishPlainTable(): Promise<void> {
  // A subscription goes by the names of schema and table.
  await publisher.sql`create schema if not exists mqtt_status`
  await publisher.sql`
    create table connections (
      id text primary key, site_id text, name text, managed boolean, status text, since timestamptz
    )`
  await publisher.sql`
    insert into connections values ('a', 's1', 'A', false, 'connected', now() - interval '1 day')`
  await publisher.sql`create publication plant for table connections`
}

async function shows(client: Client, expected: Readonly<Record<string, string>>): Promise<void> {
  const rows = (): Record<string, string> =>
    Object.fromEntries(
      Array.from(client.rows.values(), ({ id, siteId, name, status }) => [
        id,
        `${siteId} ${name} ${status}`,
      ]),
    )
  await until(() => JSON.stringify(rows()) === JSON.stringify(expected), {
    what: `${JSON.stringify(expected)}; shown: ${JSON.stringify(rows())}`,
    timeoutMs: 20_000,
  })
}

test('every change that a subscription applies is shown at once', async () => {
  const house = await open(subscriber, { FEED_POLL_MS: NEVER_MS })
  const client = await house.watch()
  await publishPlainTable()
  await subscribe()
  await shows(client, { a: 's1 A connected' })

  await publisher.sql`update connections set status = 'failed', since = now() where id = 'a'`
  await shows(client, { a: 's1 A failed' })
  await publisher.sql`insert into connections values ('b', 's2', 'B', false, 'connecting', now())`
  await shows(client, { a: 's1 A failed', b: 's2 B connecting' })
  await publisher.sql`update connections set site_id = 's9' where id = 'b'`
  await shows(client, { a: 's1 A failed', b: 's9 B connecting' })
  await publisher.sql`delete from connections where id = 'a'`
  await shows(client, { b: 's9 B connecting' })
  await publisher.sql.begin(async (tx) => {
    await tx`delete from connections where id = 'b'`
    await tx`insert into connections values ('b', 's1', 'again', false, 'connected', now())`
  })
  await shows(client, { b: 's1 again connected' })

  const timeline = await subscriber.sql`
    select status from connection_events where connection_id = 'b' order by at`
  expect(timeline.map(({ status }) => String(status))).toEqual(['connected'])
})

test('a publisher with the same triggers does not bring its revisions, its owners or its fences', async () => {
  await new House(publisher.url).migrate()
  const house = await open(subscriber, { FEED_POLL_MS: NEVER_MS, SUPERVISOR: 'off' })
  // A node at the publisher, as its rows show it; a copy that only delivers needs its lease to believe them.
  await publisher.sql`
    insert into supervisors (id, lease_expires_at) values ('node', now() + interval '1 hour')`
  await publisher.sql`
    insert into connections (id, site_id, name, desired) values ('a', 's1', 'A', 'connected')`
  await publisher.sql`create publication plant for table connections, supervisors`
  // The subscriber's revisions are ahead of the publisher's.
  await subscriber.sql`select setval('connection_revisions', 1000000)`
  await subscribe()
  const client = await house.watch()
  await shows(client, { a: 's1 A disconnected' })
  await publisher.sql`update connections set owner_id = 'node' where id = 'a'`
  await publisher.sql`update connections set status = 'connected' where id = 'a'`
  await client.sees('a', 'connected')
  const connected = client.rows.get('a')?.revision ?? 0
  expect(connected).toBeGreaterThan(1_000_000)
  // What is silent at the publisher.
  await publisher.sql`update connections set mqtt_reason_code = 7, epoch = 5 where id = 'a'`
  await publisher.sql`update connections set name = 'new' where id = 'a'`
  await until(() => client.rows.get('a')?.name === 'new')
  expect(client.rows.get('a')?.revision).toBeGreaterThan(connected)
  const [row] = await subscriber.sql`select owner_id, epoch from connections`
  expect({ ...row }).toEqual({ owner_id: null, epoch: '0' })
})

/** The example of the docs, statement by statement. */
function example(): string[] {
  const page = readFileSync(new URL('../../../../docs/database.md', import.meta.url), 'utf8')
  const [, block = ''] = /^```psql\n(begin;.*?)^```/ms.exec(page) ?? []
  return block.split(';').filter((statement) => statement.trim() !== '')
}

test('a transaction that notifies can not be prepared; the one in the docs can, and the timer delivers its changes', async () => {
  const house = await open(subscriber)
  const client = await house.watch()
  await subscriber.sql`
    insert into mqtt_status.connections (id, site_id, name) values ('plant-7', 's1', 'A')`
  await shows(client, { 'plant-7': 's1 A disconnected' })
  const [begin = '', setting, update = '', prepare = '', commit = '', ...rest] = example()
  expect([setting, rest]).toEqual([expect.stringContaining('mqtt_status.notify'), []])
  const session = subscriber.sql
  for (const statement of [begin, update]) await session.unsafe(statement)
  await expect(session.unsafe(prepare)).rejects.toThrow('NOTIFY')
  await session.unsafe('rollback')
  for (const statement of [begin, setting ?? '', update, prepare]) await session.unsafe(statement)
  expect(client.rows.get('plant-7')?.name).toBe('A')
  await session.unsafe(commit)
  await shows(client, { 'plant-7': 's1 Impianto 7 disconnected' })
})

test('a subscription that prepares needs a role that does not notify', async () => {
  await publishPlainTable()
  const house = await open(subscriber)
  const client = await house.watch()
  await subscriber.sql`alter role postgres set mqtt_status.notify = off`
  await subscribe('with (two_phase = true)')
  await shows(client, { a: 's1 A connected' })
  // Until it has copied all tables, a subscription sends a prepared transaction only with its commit.
  await until(async () => {
    const [found] = await subscriber.sql`select subtwophasestate as state from pg_subscription`
    return found?.['state'] === 'e'
  })
  await publisher.sql.unsafe('begin')
  await publisher.sql`update connections set name = 'prepared' where id = 'a'`
  await publisher.sql.unsafe(`prepare transaction 'plant'`)
  await until(async () => (await subscriber.sql`select from pg_prepared_xacts`).length === 1)
  expect(client.rows.get('a')?.name).toBe('A')
  await publisher.sql.unsafe(`commit prepared 'plant'`)
  await shows(client, { a: 's1 prepared connected' })
})

import { until } from '@mqtt-status/testing/until'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { Portal, TABLE } from './portal.ts'

let portal: Portal

beforeAll(async () => {
  portal = await Portal.open()
})

afterEach(async () => {
  await portal.reset()
})

afterAll(async () => {
  await portal.close()
})

async function row(id: number): Promise<Record<string, unknown>> {
  const [found] = await portal.database.sql`
    select id, site_id, name, labels, managed, desired, status, reason, detail, last_message_at
    from connections where id = ${`p-${id}`}`
  return { ...found }
}

test('what is there is copied, with every column that an option names', async () => {
  await portal.sql`
    insert into mqtt_mqttconnection (site_id, name, status, error, last_seen, region)
    values (3, 'Impianto 7', 'error', 'bad_credentials', '2026-11-01 10:00+00', 'nord')`
  const { printed } = await portal.attach(
    { reason: 'error', detail: 'note', 'last-message': 'last_seen' },
    ...['--label', 'area=region', '--label', 'note=note'],
  )
  expect(printed).toContain('1 connections mirror its rows')
  expect(await row(1)).toEqual({
    id: 'p-1',
    site_id: '3',
    name: 'Impianto 7',
    labels: { area: 'nord' },
    managed: false,
    desired: null,
    status: 'failed',
    reason: 'bad_credentials',
    detail: null,
    last_message_at: new Date('2026-11-01T10:00:00Z'),
  })
})

test.each([
  ['connected', 'connected'],
  ['pending', 'connecting'],
  ['error', 'failed'],
  ['disconnected', 'disconnected'],
  ['half-open', 'unknown'],
  ['Connected', 'unknown'],
  ['', 'unknown'],
])('the word "%s" becomes the status %s', async (word, status) => {
  await portal.sql`insert into mqtt_mqttconnection (site_id, name, status) values (1, 'A', ${word})`
  await portal.attach()
  expect(await portal.seen()).toMatchObject([{ status }])
})

describe('a node mirrors', () => {
  beforeEach(async () => {
    await portal.sql`
      insert into mqtt_mqttconnection (site_id, name, status)
      select 1, 'N' || i, 'connected' from generate_series(1, 3) i`
    await portal.attach()
    portal.mirror()
    await portal.showsStatuses({ 'p-1': 'connected', 'p-2': 'connected', 'p-3': 'connected' })
  })

  test('an insert, an update, a key change and a delete', async () => {
    await portal.sql`insert into mqtt_mqttconnection (site_id, name, status) values (4, 'New', 'pending')`
    await portal.showsStatuses({
      ...{ 'p-1': 'connected', 'p-2': 'connected', 'p-3': 'connected' },
      'p-4': 'connecting',
    })
    await portal.sql`update mqtt_mqttconnection set status = 'error', site_id = 9 where id = 2`
    await portal.sql`update mqtt_mqttconnection set id = 30 where id = 3`
    await portal.sql`delete from mqtt_mqttconnection where id = 1`
    await portal.shows([
      { id: 'p-2', site_id: '9', name: 'N2', status: 'failed' },
      { id: 'p-4', site_id: '4', name: 'New', status: 'connecting' },
      { id: 'p-30', site_id: '1', name: 'N3', status: 'connected' },
    ])
  })

  test('keys that change places', async () => {
    await portal.sql`update mqtt_mqttconnection set name = 'First' where id = 1`
    await portal.sql.begin(async (tx) => {
      await tx`update mqtt_mqttconnection set id = 99 where id = 1`
      await tx`update mqtt_mqttconnection set id = 1 where id = 2`
      await tx`update mqtt_mqttconnection set id = 2 where id = 99`
    })
    await portal.shows([
      { id: 'p-1', site_id: '1', name: 'N2', status: 'connected' },
      { id: 'p-2', site_id: '1', name: 'First', status: 'connected' },
      { id: 'p-3', site_id: '1', name: 'N3', status: 'connected' },
    ])
  })

  test('TRUNCATE, and what is inserted after it', async () => {
    await portal.sql`truncate mqtt_mqttconnection`
    await portal.shows([])
    await portal.sql`insert into mqtt_mqttconnection (site_id, name) values (1, 'Again')`
    await portal.showsStatuses({ 'p-4': 'disconnected' })
  })

  test('nothing of a transaction that is rolled back, nor of a savepoint', async () => {
    await portal.sql
      .begin(async (tx) => {
        await tx`update mqtt_mqttconnection set status = 'error'`
        throw new Error('rolled back')
      })
      .catch(() => undefined)
    await portal.sql.begin(async (tx) => {
      await tx
        .savepoint(async (savepoint) => {
          await savepoint`delete from mqtt_mqttconnection`
          throw new Error('rolled back')
        })
        .catch(() => undefined)
      await tx`update mqtt_mqttconnection set status = 'pending' where id = 1`
    })
    await portal.showsStatuses({ 'p-1': 'connecting', 'p-2': 'connected', 'p-3': 'connected' })
    const events = await portal.database.sql`select from connection_events where status = 'failed'`
    expect(events).toHaveLength(0)
  })

  test('a savepoint that notes more than one transaction may, and is rolled back', async () => {
    await portal.sql.begin(async (tx) => {
      await tx
        .savepoint(async (savepoint) => {
          await savepoint`
            insert into mqtt_mqttconnection (site_id, name)
            select 1, 'Never' from generate_series(1, 100)`
          throw new Error('rolled back')
        })
        .catch(() => undefined)
      await tx`update mqtt_mqttconnection set status = 'pending' where id = 2`
    })
    await portal.showsStatuses({ 'p-1': 'connected', 'p-2': 'connecting', 'p-3': 'connected' })
  })

  test('10,000 rows of one statement, and 10,000 of a COPY', async () => {
    await portal.sql`
      insert into mqtt_mqttconnection (id, site_id, name, status)
      select 1000 + i, 1, 'Bulk', 'connected' from generate_series(1, 10000) i`
    const copy =
      await portal.sql`copy mqtt_mqttconnection (id, site_id, name) from stdin`.writable()
    const lines = Array.from({ length: 10_000 }, (_, i) => `${30_000 + i}\t1\tCopied\n`)
    await new Promise((resolve) => copy.on('finish', resolve).end(lines.join('')))
    await countIs(10_003, 'connected')
    await countIs(10_000, 'disconnected')
    await portal.sql`delete from mqtt_mqttconnection where id > 1000`
    await countIs(0, 'disconnected')
  })

  test('more rows in one transaction than it may note: it notes 32 keys and a comparison', async () => {
    await portal.reset()
    await portal.attach()
    await portal.sql`delete from mqtt_status.attachment_changes`
    await portal.sql`
      insert into mqtt_mqttconnection (site_id, name)
      select 1, 'Bulk' from generate_series(1, 500) i`
    expect(
      await portal.database.sql`
        select count(key)::int as keys, count(*)::int as notes from attachment_changes`,
    ).toEqual([{ keys: 32, notes: 33 }])
  })

  test('with half a second of open transactions, none is lost', async () => {
    const slow = portal.sql.begin(async (tx) => {
      await tx`update mqtt_mqttconnection set status = 'error' where id = 1`
      await portal.sql`update mqtt_mqttconnection set status = 'pending' where id = 2`
      await portal.showsStatuses({ 'p-1': 'connected', 'p-2': 'connecting', 'p-3': 'connected' })
    })
    await slow
    await portal.showsStatuses({ 'p-1': 'failed', 'p-2': 'connecting', 'p-3': 'connected' })
  })

  test('rows that arrive with session_replication_role = replica', async () => {
    await portal.database.sql.begin(async (tx) => {
      await tx`set local session_replication_role = replica`
      await tx`update public.mqtt_mqttconnection set status = 'error' where id = 1`
    })
    await portal.showsStatuses({ 'p-1': 'failed', 'p-2': 'connected', 'p-3': 'connected' })
  })

  test('what another program has written to a mirrored connection is written over', async () => {
    await portal.database.sql`update connections set status = 'failed', desired = 'connected'`
    await portal.sql`update mqtt_mqttconnection set name = 'Renamed' where id = 1`
    await until(async () => (await row(1))['name'] === 'Renamed')
    expect(await row(1)).toMatchObject({ status: 'connected', desired: null })
  })

  test('a change of a column that is not mirrored is not noted', async () => {
    await portal.reset()
    await portal.sql`insert into mqtt_mqttconnection (site_id, name) values (1, 'A')`
    await portal.attach()
    await portal.sql`delete from mqtt_status.attachment_changes`
    await portal.sql`update mqtt_mqttconnection set note = 'other', last_seen = now()`
    expect(await portal.database.sql`select from attachment_changes`).toHaveLength(0)
  })

  test('while one connection is locked, the others', async () => {
    await portal.database.sql.begin(async (tx) => {
      await tx`select from connections where id = 'p-1' for update`
      await portal.sql`update mqtt_mqttconnection set status = 'pending' where id in (1, 2)`
      await portal.showsStatuses({ 'p-1': 'connected', 'p-2': 'connecting', 'p-3': 'connected' })
    })
    await portal.showsStatuses({ 'p-1': 'connecting', 'p-2': 'connecting', 'p-3': 'connected' })
  })
})

async function countIs(count: number, status: string): Promise<void> {
  await until(
    async () => {
      const [found] = await portal.database.sql<{ count: number }[]>`
        select count(*)::int as count from connections where status = ${status}`
      return found?.count === count
    },
    { what: `${count} rows that are ${status}`, timeoutMs: 30_000 },
  )
}

test('two nodes share the work, and one that ends leaves it to the other', async () => {
  await portal.sql`insert into mqtt_mqttconnection (site_id, name) values (1, 'A')`
  await portal.attach()
  const first = portal.mirror()
  portal.mirror()
  await portal.sql`update mqtt_mqttconnection set status = 'pending'`
  await portal.showsStatuses({ 'p-1': 'connecting' })
  await first.stop()
  await portal.sql`update mqtt_mqttconnection set status = 'error'`
  await portal.showsStatuses({ 'p-1': 'failed' })
})

test('a partitioned table: its partitions, later ones, and those that come and go', async () => {
  await portal.reset(`
    ${TABLE.replace('serial primary key', 'integer primary key')} partition by range (id);
    create table low partition of mqtt_mqttconnection for values from (0) to (100);
    create table high partition of mqtt_mqttconnection for values from (100) to (200)`)
  await portal.sql`insert into mqtt_mqttconnection (id, site_id, name) values (1, 1, 'Low'), (101, 1, 'High')`
  await portal.attach()
  portal.mirror()
  await portal.showsStatuses({ 'p-1': 'disconnected', 'p-101': 'disconnected' })
  await portal.sql`update low set status = 'connected'`
  await portal.sql`update mqtt_mqttconnection set id = 102 where id = 1`
  await portal.showsStatuses({ 'p-101': 'disconnected', 'p-102': 'connected' })
  await portal.sql`create table later partition of mqtt_mqttconnection for values from (200) to (300)`
  await portal.sql`insert into later (id, site_id, name, status) values (201, 1, 'Later', 'error')`
  await portal.showsStatuses({ 'p-101': 'disconnected', 'p-102': 'connected', 'p-201': 'failed' })
  await portal.sql`truncate later`
  await portal.showsStatuses({ 'p-101': 'disconnected', 'p-102': 'connected' })
  await portal.sql`alter table mqtt_mqttconnection detach partition high`
  await portal.showsStatuses({})
  await portal.sql`alter table mqtt_mqttconnection attach partition high for values from (100) to (200)`
  await portal.showsStatuses({ 'p-101': 'disconnected', 'p-102': 'connected' })
})

test('a table in another schema, with names that need quotes', async () => {
  await portal.sql.unsafe(`
    create schema "Shop Floor";
    create table "Shop Floor"."My Links" ("Key" uuid primary key, "Site Id" text, "Title" text, "State" text);
    insert into "Shop Floor"."My Links" values ('6a3f3c1e-0000-4000-8000-000000000001', 's', 'Ä "b"', 'up')`)
  const { failure } = await portal.run(
    ...['attach', '--table', '"Shop Floor"."My Links"', '--id', '"Key"', '--site', '"Site Id"'],
    ...['--name', 'Title', '--status', 'State', '--map', 'up=connected', '--prefix', 'q-'],
  )
  expect(failure).toBe('')
  portal.mirror()
  await portal.sql`update "Shop Floor"."My Links" set "Title" = 'Neu'`
  await portal.shows([
    {
      id: 'q-6a3f3c1e-0000-4000-8000-000000000001',
      site_id: 's',
      name: 'Neu',
      status: 'connected',
    },
  ])
})

test('keys of any text become ids without a loss', async () => {
  const keys = ['a b', 'è', '~', '', 'x'.repeat(300), 'ok_1.2-3', '日本', "o'clock\\"]
  await portal.reset(TABLE.replace('serial primary key', 'text primary key'))
  for (const key of keys)
    await portal.sql`insert into mqtt_mqttconnection (id, site_id, name) values (${key}, 1, ${key})`
  const { printed } = await portal.attach()
  expect(printed).toContain('characters that ids can not have')
  const ids = (await portal.seen()).map(({ id }) => id)
  expect(ids).toHaveLength(keys.length)
  expect(ids).toEqual(
    expect.arrayContaining([
      'p-a~20b',
      'p-~C3~A8',
      'p-~7E',
      'p-~',
      'p-ok_1.2-3',
      'p-~E6~97~A5~E6~9C~AC',
    ]),
  )
  for (const id of ids) expect(id).toMatch(/^[A-Za-z0-9._~-]{1,128}$/)
  portal.mirror()
  await portal.sql`update mqtt_mqttconnection set status = 'connected'`
  await portal.showsStatuses(Object.fromEntries(ids.map((id) => [id, 'connected'])))
  await portal.sql`delete from mqtt_mqttconnection where id <> ''`
  await portal.showsStatuses({ 'p-~': 'connected' })
})

test('names, sites and statuses at and over their limits', async () => {
  await portal.sql.unsafe('alter table mqtt_mqttconnection alter column status type text')
  const rows = [
    ['N'.repeat(200), 'N'.repeat(200)],
    ['N'.repeat(201), `${'N'.repeat(199)}…`],
    ['  two\nlines\t ', 'two lines'],
    ['', '4'],
    [null, '5'],
  ] as const
  for (const [name] of rows)
    await portal.sql`insert into mqtt_mqttconnection (name, status) values (${name}, ${'s'.repeat(5_000)})`
  const { printed } = await portal.attach()
  expect(printed).toContain('5 rows have no site')
  expect(printed).toContain('1 names are longer than 200 characters')
  expect(printed).toContain('2 rows have no name')
  expect(await portal.seen()).toEqual(
    rows.map(([, name], i) => ({ id: `p-${i + 1}`, site_id: '', name, status: 'unknown' })),
  )
})

test('rows that a condition leaves out come and go with it', async () => {
  await portal.sql`insert into mqtt_mqttconnection (site_id, name) values (1, 'A'), (1, 'B')`
  await portal.attach({ where: 'deleted_at is null' })
  portal.mirror()
  await portal.sql`update mqtt_mqttconnection set deleted_at = now() where id = 1`
  await portal.showsStatuses({ 'p-2': 'disconnected' })
  await portal.sql`update mqtt_mqttconnection set deleted_at = null`
  await portal.showsStatuses({ 'p-1': 'disconnected', 'p-2': 'disconnected' })
})

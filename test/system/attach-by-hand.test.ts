/** The SQL of docs/attach-by-hand.md, as it stands there, on a real database. */
import { createDatabase } from '@mqtt-status/testing/postgres'
import type { TestDatabase } from '@mqtt-status/testing/postgres'
import postgres from 'postgres'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { blocksOf } from '../samples/documented.ts'

const sqlBlocks = blocksOf('docs/attach-by-hand.md').filter(({ language }) => language === 'sql')
const [
  table = '',
  grants = '',
  mirror = '',
  forget = '',
  buttons = '',
  conditional = '',
  detach = '',
] = sqlBlocks.map(({ text }) => text)

let database: TestDatabase
/** A session with the search path of any client, as the portal has it. */
let sql: postgres.Sql

beforeEach(async () => {
  database = await createDatabase()
  sql = postgres(database.url, { max: 1, onnotice: () => undefined })
  await sql.unsafe(table)
  await sql.unsafe(`create role app; ${grants}; drop owned by app; drop role app`)
  await sql`insert into mqtt_mqttconnection (site, name, status) values (3, 'Before', 'error')`
  await sql.unsafe(mirror)
  await sql.unsafe(forget)
})

afterEach(async () => {
  await sql.end({ timeout: 1 })
  await database.drop()
})

async function mirrored(): Promise<readonly unknown[]> {
  return sql`
    select id, site_id, name, status, managed, desired from mqtt_status.connections order by id`
}

test('the page has the blocks that the tests run', () => {
  expect(sqlBlocks.map(({ heading }) => heading)).toEqual([
    'Attach a table by hand',
    'Before',
    'The mirror',
    'The mirror',
    'Buttons',
    'Your writes depend on the schema',
    'Detach',
  ])
})

test('rows that were there before are mirrored', async () => {
  expect(await mirrored()).toEqual([
    {
      id: 'django-1',
      site_id: '3',
      name: 'Before',
      status: 'failed',
      managed: false,
      desired: null,
    },
  ])
})

test.each([
  ['connected', 'connected'],
  ['pending', 'connecting'],
  ['error', 'failed'],
  ['disconnected', 'disconnected'],
  ['half-open', 'unknown'],
])('the word %s becomes the status %s', async (word, status) => {
  await sql`update mqtt_mqttconnection set status = ${word}`
  expect(await mirrored()).toMatchObject([{ status }])
})

test('an old cause does not outlive its error', async () => {
  await sql`update mqtt_status.connections set reason = 'bad_credentials', detail = 'of before'`
  await sql`update mqtt_mqttconnection set status = 'connected'`
  await sql`update mqtt_mqttconnection set status = 'error'`
  expect(await sql`select status, reason, detail from mqtt_status.connections`).toEqual([
    { status: 'failed', reason: null, detail: null },
  ])
})

test('inserts, moves, key changes and deletes follow', async () => {
  await sql`insert into mqtt_mqttconnection (site, name, status) values (4, 'Second', 'connected')`
  await sql`update mqtt_mqttconnection set site = 5, name = 'Renamed' where id = 2`
  expect(await mirrored()).toMatchObject([{ id: 'django-1' }, { site_id: '5', name: 'Renamed' }])
  await sql`update mqtt_mqttconnection set id = 20 where id = 2`
  expect(await mirrored()).toMatchObject([{ id: 'django-1' }, { id: 'django-20' }])
  await sql`delete from mqtt_mqttconnection where id = 1`
  expect(await mirrored()).toMatchObject([{ id: 'django-20' }])
})

test('rows that arrive by replication are mirrored', async () => {
  await sql.begin(async (transaction) => {
    await transaction`set local session_replication_role = replica`
    await transaction`insert into mqtt_mqttconnection (site, name) values (9, 'Replicated')`
  })
  expect(await mirrored()).toMatchObject([{ id: 'django-1' }, { name: 'Replicated' }])
})

test('a writer without rights on the schema of the server is mirrored too', async () => {
  await sql.begin(async (transaction) => {
    await transaction`create role portal_writer`
    await transaction`grant select, update on mqtt_mqttconnection to portal_writer`
    await transaction`set local role portal_writer`
    await transaction`update mqtt_mqttconnection set status = 'connected'`
    await transaction`reset role`
    await transaction`drop owned by portal_writer`
    await transaction`drop role portal_writer`
  })
  expect(await mirrored()).toMatchObject([{ status: 'connected' }])
})

test('truncate empties the mirror, and detaching leaves no trace', async () => {
  await sql`insert into mqtt_status.connections (id, site_id, name) values ('own', 's', 'Own')`
  await sql`truncate mqtt_mqttconnection`
  expect(await mirrored()).toMatchObject([{ id: 'own' }])
  await sql`insert into mqtt_mqttconnection (site, name) values (1, 'Again')`
  await sql.unsafe(detach)
  expect(await mirrored()).toMatchObject([{ id: 'own' }])
  await sql`update mqtt_mqttconnection set name = 'Unseen'`
  expect(await mirrored()).toMatchObject([{ id: 'own' }])
  const left = await sql`select proname from pg_proc where proname like '%mqttconnection%'`
  expect(left).toHaveLength(0)
})

/** The function of the mirror, without the statements after it. */
const mirrorFunction = mirror.slice(0, mirror.indexOf('create trigger'))

test('the conditional triggers are created where the schema is there, and mirror', async () => {
  await sql.unsafe(detach)
  await sql.unsafe(mirrorFunction)
  await sql.unsafe(conditional)
  await sql`insert into mqtt_mqttconnection (site, name) values (4, 'Second')`
  expect(await mirrored()).toMatchObject([{ id: 'django-1' }, { id: 'django-2' }])
})

test('where the schema is missing, the migration and its reverse succeed, and rows can be written', async () => {
  await sql.unsafe(detach)
  await sql.unsafe('drop schema mqtt_status cascade')
  await sql.unsafe(mirrorFunction)
  await sql.unsafe(forget)
  await sql.unsafe(conditional)
  await sql`insert into mqtt_mqttconnection (site, name) values (4, 'Second')`
  await sql.unsafe(detach)
  await sql.unsafe(detach)
  expect(await sql`select name from mqtt_mqttconnection order by id`).toMatchObject([
    { name: 'Before' },
    { name: 'Second' },
  ])
})

test('with buttons, a click outlives the next write of the program', async () => {
  await sql.unsafe(
    mirror
      .replace('false, null,', "false, 'connected',")
      .split('create trigger')[0]
      ?.replace('create function', 'create or replace function') ?? '',
  )
  await sql.unsafe(buttons)
  expect(await mirrored()).toMatchObject([{ id: 'django-1', desired: 'connected' }])
  await sql`update mqtt_status.connections set desired = 'disconnected'`
  await sql`update mqtt_mqttconnection set status = 'connected'`
  await sql`insert into mqtt_mqttconnection (site, name) values (4, 'Second')`
  expect(await mirrored()).toMatchObject([{ desired: 'disconnected' }, { desired: 'connected' }])
})

test('an operator that another role creates in public is not called with the rights of the owner', async () => {
  await sql.unsafe(`
    create role intruder;
    grant create on schema public to intruder;
    set role intruder;
    create function public.stolen(text, integer) returns text language plpgsql as $$
    begin
      raise exception 'the operator of the intruder was called as %', current_user;
    end $$;
    create operator public.|| (leftarg = text, rightarg = integer, function = public.stolen);
    reset role`)
  try {
    await sql`update mqtt_mqttconnection set status = 'connected'`
    expect(await mirrored()).toMatchObject([{ status: 'connected' }])
  } finally {
    await sql.unsafe('drop owned by intruder; drop role intruder')
  }
})

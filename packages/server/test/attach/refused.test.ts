/** What `attach` refuses, with what to do; and that nothing is changed then. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { DESIRED, flags, Portal } from './portal.ts'

let portal: Portal

beforeAll(async () => {
  portal = await Portal.open()
  await portal.sql.unsafe(`
    create schema shop;
    create table shop.links (id integer primary key, name text);
    create table loose (id integer, ref integer unique, code text not null, half integer not null, name text, status text);
    create unique index on loose (half) where name is not null;
    create table moments (at timestamptz primary key, name text, status text);
    create table together (a integer, b integer, name text, status text, primary key (a, b));
    create table parent (id integer primary key, name text, status text);
    create table child () inherits (parent);
    create view a_view as select * from mqtt_mqttconnection;
    create materialized view a_matview as select * from mqtt_mqttconnection;
    create table sites (id integer, title text);
    alter table mqtt_mqttconnection add column wanted varchar(4),
      add column doubled text generated always as (status || status) stored;
    create table no_columns (key integer, requested_at timestamptz);
    create table odd_types (key timestamptz, action integer, requested_at text, requested_by jsonb, generation text);
    create table short (key integer, action varchar(9), requested_at timestamptz, requested_by text, generation bigint);
    create table more (
      key integer, action text, requested_at timestamptz, requested_by text, generation bigint, site integer not null
    );
    create table by_uuid (key uuid, action text, requested_at timestamptz, requested_by text, generation bigint);
    insert into mqtt_mqttconnection (site_id, name, status) values (1, 'A', 'pending'), (1, 'B', 'odd');
    insert into sites values (1, 'One'), (1, 'One again')`)
})

afterAll(async () => {
  await portal.close()
})

async function objects(): Promise<unknown> {
  const [found] = await portal.database.sql`
    select
      (select count(*)::int from attachments) as attachments,
      (select count(*)::int from connections) as connections,
      (select count(*)::int from pg_trigger t where not tgisinternal and tgname like '%attachment%'
        and tgrelid <> 'connections'::regclass) as triggers,
      (select count(*)::int from pg_proc where proname ~ '^attachment_\d') as functions`
  return found
}

test.each<[what: string, change: Record<string, string | null>, message: RegExp]>([
  [
    'a missing --table',
    { table: null },
    /--table is missing: the table whose rows are connections/,
  ],
  ['a missing --status', { status: null }, /--status is missing/],
  [
    'several missing options',
    { site: null, name: null },
    /2 faults.*--site is missing.*--name is missing/s,
  ],
  ['a table that is not there', { table: 'nowhere' }, /there is no table "nowhere".*DATABASE_URL/s],
  ['a table of another schema', { table: 'links' }, /no table "links".*Did you mean shop\.links/s],
  ['a name of three parts', { table: 'a.b.c' }, /--table: found "a\.b\.c", expected a name like/],
  ['a broken name', { id: '"id' }, /--id: found ""id", expected a name/],
  ['a view', { table: 'a_view' }, /a view: attach the table that it reads/],
  ['a materialized view', { table: 'a_matview' }, /a materialized view/],
  ['a table of ours', { table: 'mqtt_status.connections' }, /a table of mqtt-status itself/],
  ['a table of Postgres', { table: 'pg_catalog.pg_class' }, /a table of Postgres itself/],
  ['a table with heirs', { table: 'parent', site: 'id' }, /other tables inherit.*child/],
  [
    'a column that is not there',
    { status: 'state' },
    /--status: .* has no column "state"; it has id, site_id,/,
  ],
  ['several such columns', { status: 'x', site: 'y' }, /2 faults.*--site.*--status/s],
  [
    'a key that may be null',
    { table: 'loose', id: 'ref', site: 'name' },
    /may be null.*alter column ref set not null/s,
  ],
  [
    'a key that is not unique',
    { table: 'loose', id: 'code', site: 'name' },
    /no unique index says that "code" differs.*create unique index/s,
  ],
  [
    'a key that is unique for some rows',
    { table: 'loose', id: 'half', site: 'name' },
    /no unique index says that "half"/,
  ],
  [
    'a part of a key',
    { table: 'together', id: 'a', site: 'b' },
    /"a" is unique only together with b/,
  ],
  [
    'a key that is a time',
    { table: 'moments', id: 'at', site: 'name' },
    /is of the type timestamp with time zone; expected/,
  ],
  [
    'a time that is none',
    { 'last-message': 'name' },
    /--last-message: "name" is of the type character varying\(500\); expected a timestamp/,
  ],
  [
    'a status that there is not',
    { map: 'up=online' },
    /--map: found "up=online", expected word=status, where status is one of disconnected, connecting/,
  ],
  ['a word without a status', { map: 'up' }, /--map: found "up", expected word=status/],
  [
    'two meanings of a word',
    { map: 'error=connected' },
    /--map: "error" means connected and failed/,
  ],
  ['a label without a column', { label: 'area' }, /--label: found "area", expected label=column/],
  [
    'a label of a column that is not there',
    { label: 'area=zone' },
    /--label area: .* has no column "zone"/,
  ],
  ['an odd prefix', { prefix: 'a/b' }, /--prefix: found "a\/b", expected at most 64 letters/],
  ['a long prefix', { prefix: 'p'.repeat(65) }, /--prefix: .* at most 64/],
  [
    'a condition with an error',
    { where: 'deleted is null' },
    /--where: Postgres refuses the condition \(column "deleted" does not exist\)/,
  ],
  [
    'a condition that is two',
    { where: 'true; drop table sites' },
    /--where: .* expected one condition/,
  ],
  ['an empty condition', { where: ' ' }, /--where: found nothing/],
  ['a condition that is a number', { where: '1 + 1' }, /--where: Postgres refuses/],
  [
    'a join that is none',
    { join: 'sites' },
    /--join: found "sites", expected a table, an alias and a condition/,
  ],
  [
    'an alias that there is not',
    { name: 'x.title' },
    /--name: there is no table with the alias "x"; there is t/,
  ],
])('%s', async (_what, change, message) => {
  const before = await objects()
  const { failure } = await portal.run('attach', ...flags(change))
  expect(failure).toMatch(message)
  expect(failure).not.toMatch(/\n {4}at /)
  expect(await objects()).toEqual(before)
})

const WORDS = DESIRED.slice(2)
const words = (connected: string, disconnected: string): string[] => [
  ...['--desired-map', `connected=${connected}`, '--desired-map', `disconnected=${disconnected}`],
]

test.each<[what: string, options: readonly string[], message: RegExp]>([
  [
    'a wish without its words',
    ['--desired', 'enabled'],
    /connected and disconnected is missing.*connected=true/,
  ],
  [
    'one word of two',
    ['--desired', 'enabled', ...WORDS.slice(0, 2)],
    /--desired-map: disconnected is missing/,
  ],
  ['words without a wish', WORDS, /--desired-map: --desired is missing/],
  [
    'a wish that there is not',
    ['--desired', 'enabled', ...WORDS, '--desired-map', 'failed=x'],
    /found "failed=x", expected connected=word or disconnected=word/,
  ],
  [
    'a word without a wish',
    ['--desired', 'enabled', ...WORDS, '--desired-map', 'on'],
    /found "on", expected/,
  ],
  [
    'two words of a wish',
    ['--desired', 'enabled', ...WORDS, '--desired-map', 'connected=yes'],
    /connected is "true" and "yes"; leave one out/,
  ],
  ['one word for both wishes', ['--desired', 'wanted', ...words('on', 'on')], /are both "on"/],
  [
    'one value for both wishes',
    ['--desired', 'enabled', ...words('yes', 'true')],
    /are both "true"/,
  ],
  [
    'a word that is no value',
    ['--desired', 'enabled', ...words('on', 'never')],
    /"enabled" is of the type boolean, and "never" is no value of it/,
  ],
  [
    'a word that is too long',
    ['--desired', 'wanted', ...words('on', 'never')],
    /character varying\(4\), and "never" is too long/,
  ],
  [
    'a wish that is not there',
    ['--desired', 'wish', ...WORDS],
    /--desired: .* has no column "wish"; it has id, site_id/,
  ],
  ['a wish that is computed', ['--desired', 'doubled', ...WORDS], /Postgres computes "doubled"/],
  [
    'a wish that is the key',
    ['--desired', 'id', ...words('1', '2')],
    /"id" is the column of --id or --status/,
  ],
  [
    'a wish that is the status',
    ['--desired', 't.status', ...words('a', 'b')],
    /"status" is the column of --id or --status/,
  ],
  [
    'a broken name of a wish',
    ['--desired', 'a.b.c', ...WORDS],
    /--desired: found "a\.b\.c", expected a name like enabled/,
  ],
  [
    'a command table that is not there',
    ['--command-table', 'commands'],
    /--command-table: there is no table "commands"/,
  ],
  [
    'a command table of ours',
    ['--command-table', 'mqtt_status.commands'],
    /is no table of your program/,
  ],
  ['a view of commands', ['--command-table', 'a_view'], /is no table of your program/],
  [
    'a command table without columns',
    ['--command-table', 'no_columns'],
    /has no column action, requested_by, generation\. It needs key \(integer\), action \(text\)/,
  ],
  [
    'a command table with other types',
    ['--command-table', 'odd_types'],
    /5 faults.*\.key is of the type timestamp.*\.action is of the type integer.*\.requested_at.*\.requested_by.*\.generation is of the type text; expected bigint/s,
  ],
  [
    'a command table with short words',
    ['--command-table', 'short'],
    /"disconnect" needs 10 characters/,
  ],
  [
    'a command table that needs more',
    ['--command-table', 'more'],
    /needs a value for site, and a command has none/,
  ],
  [
    'a command table with another key',
    ['--command-table', 'by_uuid'],
    /\.key is of the type uuid; expected integer, as "id", or text/,
  ],
])('clicks: %s', async (_what, options, message) => {
  const before = await objects()
  const { failure } = await portal.run('attach', ...flags(), ...options)
  expect(failure).toMatch(message)
  expect(failure).not.toMatch(/\n {4}at /)
  expect(await objects()).toEqual(before)
})

test('a join to a column that is not unique', async () => {
  const join = ['--join', 'sites s on s.id = t.site_id']
  const { failure } = await portal.run('attach', ...flags({ name: 's.title' }), ...join)
  expect(failure).toMatch(/--join: .*unique/s)
})

test('words that no mapping knows are listed with their counts, and none is guessed', async () => {
  const { printed, failure } = await portal.run('attach', ...flags(), '--dry-run')
  expect(failure).toBe('')
  expect(printed).toMatch(/pending +→ connecting +1 rows/)
  expect(printed).toMatch(/odd +→ unknown +1 rows, not mapped/)
  expect(printed).toMatch(/error +→ failed +no row has it now/)
  expect(printed).toContain('--map "odd=connecting"')
})

test('--dry-run prints SQL that can be run, and changes nothing', async () => {
  const before = await objects()
  const { printed, failure } = await portal.run('attach', ...flags(), '--dry-run')
  expect(failure).toBe('')
  expect(await objects()).toEqual(before)
  const rolledBack = portal.database.sql.begin(async (tx) => {
    await tx.unsafe(printed)
    throw new Error('rolled back')
  })
  await expect(rolledBack).rejects.toThrow('rolled back')
})

test('a role that does not own the table, and one without rights on the schema', async () => {
  const { sql, url } = portal.database
  const role = `guest_${crypto.randomUUID().slice(0, 8)}`
  await sql.unsafe(`create role ${role} login password 'x'`)
  const address = new URL(url)
  address.username = role
  address.password = 'x'
  try {
    for (const grant of ['usage on schema', 'select on all tables in schema']) {
      const { failure } = await portal.runAs(address.href, 'attach', ...flags())
      expect(failure).toMatch(/permission denied for .*let that role grant usage on their schema/s)
      await sql.unsafe(`grant ${grant} mqtt_status to ${role}`)
    }
    const stranger = await portal.runAs(address.href, 'attach', ...flags())
    expect(stranger.failure).toMatch(
      /belongs to the role .* only its owner may create the trigger.*grant/s,
    )
    await sql.unsafe(`alter table public.mqtt_mqttconnection owner to ${role}`)
    const owner = await portal.runAs(address.href, 'attach', ...flags())
    expect(owner.failure).toContain(`grant usage, create on schema mqtt_status to ${role};`)
    expect(owner.failure).toContain(
      `grant select, insert, update, delete on mqtt_status.connections to ${role};`,
    )
    // The statements that the error names are enough.
    for (const [statement] of owner.failure.matchAll(/grant .*;/g)) await sql.unsafe(statement)
    const granted = await portal.runAs(address.href, 'attach', ...flags())
    expect(granted.failure).toBe('')
    portal.mirror()
    await portal.sql`update public.mqtt_mqttconnection set status = 'error' where id = 1`
    await portal.showsStatuses({ 'p-1': 'failed', 'p-2': 'unknown' })
    expect((await portal.runAs(address.href, 'detach', 'mqtt_mqttconnection')).failure).toBe('')
  } finally {
    await sql.unsafe(
      `reassign owned by ${role} to current_user; drop owned by ${role}; drop role ${role}`,
    )
  }
})

test('while a long transaction writes, the command names it, and other writers wait for half a second at most', async () => {
  await portal.sql.begin(async (tx) => {
    await tx`update mqtt_mqttconnection set name = 'Long' where id = 1`
    const { attach } = await import('../../src/attach/attaching.ts')
    const { prepare } = await import('../../src/attach/prepare.ts')
    const { parseRequest } = await import('../../src/attach/request.ts')
    const { connectSql, inSchema } = await import('../../src/db/postgres/sql.ts')
    const pool = connectSql(portal.database.url, { max: 1, applicationName: 'attach' })
    const sql = inSchema(pool, 'mqtt_status')
    const column = { id: 'id', site: 'site_id', name: 'name', status: 'status' }
    const { plan } = await prepare(sql, parseRequest({ table: 'mqtt_mqttconnection', ...column }))
    await expect(attach(sql, plan, { tries: 2, pauseMs: 10 })).rejects.toThrow(
      /another session holds the table.*\(portal\), .*transaction/s,
    )
    await pool.end()
  })
})

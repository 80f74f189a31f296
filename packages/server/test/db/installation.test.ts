import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { createDatabase } from '@mqtt-status/testing/postgres'
import type { TestDatabase } from '@mqtt-status/testing/postgres'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { findPlace, readChannels } from '../../src/db/schema/installation.ts'
import { lock } from '../../src/db/postgres/lock.ts'
import { migrate } from '../../src/db/schema/migrate.ts'
import { connectSql, inSchema } from '../../src/db/postgres/sql.ts'
import type { Pool, Sql } from '../../src/db/postgres/sql.ts'
import { transaction } from '../../src/db/postgres/transaction.ts'
import { SetupError } from '../../src/errors.ts'
import { createLog } from '../../src/log.ts'

const log = createLog({ level: 'silent', format: 'json' })
const MIGRATIONS = new URL('../../migrations/', import.meta.url)

let database: TestDatabase
let pool: Pool
let former: string

beforeEach(async () => {
  database = await createDatabase()
  await database.sql`drop schema mqtt_status cascade`
  pool = connect()
  former = mkdtempSync(join(tmpdir(), 'former-'))
  for (const name of readdirSync(MIGRATIONS).filter((file) => file < '0011'))
    cpSync(fileURLToPath(new URL(name, MIGRATIONS)), join(former, name))
})

afterEach(async () => {
  await pool.end({ timeout: 1 })
  rmSync(former, { recursive: true })
  await database.drop()
})

function connect(url = database.url): Pool {
  return connectSql(url, { max: 4, applicationName: 'test-place' })
}

/** The tables as the last version without DATABASE_SCHEMA has made them. */
async function migrateFormerly(schema: string): Promise<void> {
  await migrate(pool, log, { schema, folder: pathToFileURL(`${former}/`) })
}

async function schemasWithTables(): Promise<string[]> {
  const found = await pool<{ name: string }[]>`
    select distinct schemaname::text as name from pg_tables
    where schemaname not in ('pg_catalog', 'information_schema')
    order by 1`
  return found.map(({ name }) => name)
}

/** Everything in a schema, as `kind name`. */
async function contents(schema: string): Promise<string[]> {
  const found = await pool<{ item: string }[]>`
    select relkind::text || ' ' || relname as item from pg_class where relnamespace = ${schema}::text::regnamespace
    union all
    select 'function ' || oid::regprocedure from pg_proc where pronamespace = ${schema}::text::regnamespace
    union all
    select 'type ' || typname from pg_type where typnamespace = ${schema}::text::regnamespace
    order by 1`
  return found.map(({ item }) => item)
}

test('a new database gets a schema of its own, and nothing else is touched', async () => {
  const { sql, applied } = await migrate(pool, log, { schema: null })
  expect(sql.schemaName).toBe('mqtt_status')
  expect(applied.length).toBe(readdirSync(MIGRATIONS).length)
  expect(await schemasWithTables()).toEqual(['mqtt_status'])
  expect(await contents('public')).toEqual([])
  expect(await readChannels(sql)).toEqual({ changes: 'mqtt_status', calls: 'mqtt_status_calls' })
})

test.each(['public', 'portal', 'Portal-2', 'select', 'è'])(
  'an installation of a former version in "%s" keeps its schema and its channels without any setting',
  async (schema) => {
    await migrateFormerly(schema)
    await pool.unsafe(
      `insert into "${schema}".connections (id, site_id, name) values ('a', 's', 'A')`,
    )
    const { sql, applied } = await migrate(pool, log, { schema: null })
    expect(sql.schemaName).toBe(schema)
    expect(applied).not.toContain('0001_connections.sql')
    expect(await schemasWithTables()).toEqual([schema])
    expect(await readChannels(sql)).toEqual({ changes: 'mqtt_status', calls: 'mqtt_status_calls' })
    expect(await sql`select id from ${sql.schema}.connections`).toHaveLength(1)
  },
)

test('tables of other programs with the same names are no installation', async () => {
  await pool.unsafe(`
    create table public.migrations (id serial primary key, migration text not null, batch int not null);
    create table public.connections (id serial primary key, name text, revision int);
    create table public.meta (key text primary key, value text)`)
  expect(await findPlace(pool, null)).toEqual({ schema: 'mqtt_status', exists: false, others: [] })
  await migrate(pool, log, { schema: null })
  expect(await pool`select from public.migrations`).toHaveLength(0)
})

test('without DATABASE_SCHEMA a server uses the installation that was there first', async () => {
  await migrate(pool, log, { schema: null })
  await migrate(pool, log, { schema: 'another' })
  await migrate(pool, log, { schema: 'public' })
  expect(await findPlace(pool, null)).toMatchObject({
    schema: 'mqtt_status',
    others: [{ name: 'another' }, { name: 'public' }],
  })
  expect(await findPlace(pool, 'another')).toMatchObject({ schema: 'another', exists: true })
})

test('an installation of a former version comes first where the search_path leads to it', async () => {
  await migrateFormerly('elsewhere')
  await migrateFormerly('public')
  await migrate(pool, log, { schema: 'mqtt_status' })
  expect((await findPlace(pool, null)).schema).toBe('public')
  const { schemaName } = (await migrate(pool, log, { schema: null })).sql
  expect(schemaName).toBe('public')
  expect((await findPlace(pool, null)).schema).toBe('public')
})

test('a server whose role may not read an installation does not use it', async () => {
  await migrateFormerly('public')
  const url = await createRole('create on database')
  const theirs = connect(url)
  await pool.unsafe('create schema mine authorization test_tenant')
  await migrate(theirs, log, { schema: 'mine' })
  expect((await findPlace(theirs, null)).schema).toBe('mine')
  await theirs.end({ timeout: 1 })
})

/** A role of its own for this test, with a right on this database or schema. */
async function createRole(...grants: string[]): Promise<string> {
  const name = new URL(database.url).pathname.slice(1)
  await pool.unsafe('drop role if exists test_tenant').catch(() => undefined)
  await pool.unsafe(`create role test_tenant login password 'w'`).catch(() => undefined)
  for (const grant of grants)
    await pool.unsafe(`grant ${grant.replace('on database', `on database ${name}`)} to test_tenant`)
  const url = new URL(database.url)
  url.username = 'test_tenant'
  url.password = 'w'
  return url.href
}

test('installations in one database get no notifications of each other, in whichever order they were made', async () => {
  await migrateFormerly('public')
  const LONG = 'x'.repeat(63)
  const schemas = ['public', 'mqtt_status', 'calls', 'b', LONG]
  const installations: Sql[] = []
  for (const schema of schemas) installations.push((await migrate(connect(), log, { schema })).sql)
  const channels = await Promise.all(installations.map(readChannels))
  expect(channels[0]).toEqual({ changes: 'mqtt_status', calls: 'mqtt_status_calls' })
  const names = channels.flatMap(({ changes, calls }) => [changes, calls])
  expect(new Set(names).size).toBe(2 * schemas.length)
  expect(names.filter((name) => Buffer.byteLength(name) > 63)).toEqual([])

  const heard: string[] = []
  for (const name of [...names, 'fence']) await database.sql.listen(name, () => heard.push(name))
  for (const [i, sql] of installations.entries()) {
    heard.length = 0
    await sql`insert into ${sql.schema}.connections (id, site_id, name) values ('a', 's', 'A')`
    await sql`update ${sql.schema}.connections set status = 'connected'`
    await sql`delete from ${sql.schema}.connections`
    // Notifications of one session arrive in their order, so this one is the last.
    await sql`select pg_notify('fence', '')`
    await expect.poll(() => heard.at(-1)).toBe('fence')
    const own = channels[i]?.changes ?? ''
    expect(heard.slice(0, -1), own).toEqual([own, own, own])
  }
  for (const sql of installations) await sql.end({ timeout: 1 })
})

test('installations in one database do not wait for the locks of each other; two nodes of one do', async () => {
  const [a, b] = [inSchema(connect(), 'a'), inSchema(connect(), 'public')]
  await transaction(a, async (tx) => {
    await lock(tx, 'migrate')
    await lock(tx, 'epoch')
    await transaction(b, async (other) => {
      await lock(other, 'migrate')
      await lock(other, 'epoch')
    })
    const again = inSchema(pool, 'a')
    const waits = transaction(again, async (other) => {
      await other`set local lock_timeout = '100ms'`
      await lock(other, 'migrate')
    })
    await expect(waits).rejects.toMatchObject({ code: '55P03' })
  })
  for (const sql of [a, b]) await sql.end({ timeout: 1 })
})

// Hundreds of schemas are migrated, each from the beginning.
test(
  'each name that another object has is an error that names it, or is of no consequence; nothing is changed',
  { timeout: 300_000 },
  async () => {
    await migrate(pool, log, { schema: 'reference' })
    const relations = await pool<{ name: string }[]>`
    select relname::text as name from pg_class where relnamespace = 'reference'::regnamespace`
    const functions = await pool<{ name: string; args: string }[]>`
    select proname::text as name, pg_get_function_identity_arguments(oid) as args
    from pg_proc where pronamespace = 'reference'::regnamespace and prokind = 'f'`
    const trials = [
      ...relations.flatMap(({ name }) => [
        { name, kind: 'table', create: `create table S."${name}" (id int)` },
        { name, kind: 'view', create: `create view S."${name}" as select 1 as id` },
        { name, kind: 'sequence', create: `create sequence S."${name}"` },
        { name, kind: 'type', create: `create type S."${name}" as enum ('x')` },
        { name, kind: 'type', create: `create domain S."${name}" as int` },
        { name, kind: 'type', create: `create type S."${name}" as (x int)` },
      ]),
      ...functions.map(({ name, args }) => ({
        name,
        kind: 'function',
        create: `create function S.${name}(${args.replace(/OUT [^,]+,? ?/g, '')}) returns bytea language sql as 'select null::bytea'`,
      })),
    ]
    expect(relations.length).toBeGreaterThan(25)
    expect(functions.length).toBeGreaterThan(12)
    let refused = 0
    for (const [i, { name, kind, create }] of trials.entries()) {
      const schema = `taken_${i}`
      await pool.unsafe(`create schema ${schema}; ${create.replace('S.', `${schema}.`)}`)
      const before = await contents(schema)
      const outcome = await migrate(pool, log, { schema }).catch((error: unknown) => error)
      if (outcome instanceof SetupError) {
        refused++
        expect(outcome.message, create).toContain(`${kind} "${name}"`)
        expect(outcome.message, create).toMatch(/set DATABASE_SCHEMA to a schema of its own/i)
        expect(await contents(schema), create).toEqual(before)
      } else {
        // Postgres chooses names of indexes of keys and of implicit sequences, and passes over those that are taken.
        expect(outcome, create).toMatchObject({ sql: expect.anything() as unknown })
        expect(name, create).toMatch(/_p?key$|_seq$/)
        expect(await contents(schema), create).toEqual(expect.arrayContaining(before))
      }
      await pool.unsafe(`drop schema ${schema} cascade`)
    }
    expect(refused).toBeGreaterThan(120)
  },
)

test('all names that are taken are listed at once', async () => {
  await pool.unsafe(
    'create table public.migrations (id int); create view public.meta as select 1 as x; create function public.meta_home() returns int language sql as $$select 1$$',
  )
  await expect(migrate(pool, log, { schema: 'public' })).rejects.toThrow(
    'The schema "public" has names that this server needs for itself: the function "meta_home", the table "migrations", the view "meta".\n' +
      '  Set DATABASE_SCHEMA to a schema of its own, for example mqtt_status; the server creates it. Nothing was changed.',
  )
})

test('the server checks the names that an upgrade needs before it begins', async () => {
  await migrateFormerly('public')
  const upgrade = mkdtempSync(join(tmpdir(), 'upgrade-'))
  cpSync(former, upgrade, { recursive: true })
  const { writeFileSync } = await import('node:fs')
  writeFileSync(join(upgrade, '0099_more.sql'), 'create table addresses (id int);')
  await pool.unsafe('create table public.addresses (street text)')
  const folder = pathToFileURL(`${upgrade}/`)
  await expect(migrate(pool, log, { schema: null, folder })).rejects.toThrow(
    /the table "addresses"\.\n {2}Rename them/,
  )
  rmSync(upgrade, { recursive: true })
})

test('the error for a role that may not create the schema has the statement, and with it the server starts', async () => {
  const theirs = connect(await createRole('connect on database'))
  const refusal = await migrate(theirs, log, { schema: null }).catch((error: unknown) => error)
  expect(refusal).toBeInstanceOf(SetupError)
  const { message } = refusal as SetupError
  expect(message).toContain('The schema "mqtt_status" is not there')
  const statement = /(create schema .*;)$/.exec(message)?.[1] ?? ''
  expect(statement).toBe('create schema mqtt_status authorization test_tenant;')
  await pool.unsafe(statement)
  expect((await migrate(theirs, log, { schema: null })).sql.schemaName).toBe('mqtt_status')
  await theirs.end({ timeout: 1 })
})

test('the error for a role that may not create tables in the schema has the statement, and with it the server starts', async () => {
  await pool.unsafe('create schema "Odd-One"')
  const theirs = connect(await createRole('connect on database'))
  const refusal = await migrate(theirs, log, { schema: 'Odd-One' }).catch((error: unknown) => error)
  const statement = /(grant .*;)$/.exec((refusal as SetupError).message)?.[1] ?? ''
  expect(statement).toBe('grant usage, create on schema "Odd-One" to test_tenant;')
  await pool.unsafe(statement)
  expect((await migrate(theirs, log, { schema: 'Odd-One' })).applied.length).toBeGreaterThan(0)
  await theirs.end({ timeout: 1 })
})

test('twenty processes that start at once in an empty database make one installation', async () => {
  const pools = Array.from({ length: 20 }, () => connect())
  const migrated = await Promise.all(pools.map((each) => migrate(each, log, { schema: null })))
  expect(new Set(migrated.map(({ sql }) => sql.schemaName))).toEqual(new Set(['mqtt_status']))
  expect(migrated.filter(({ applied }) => applied.length > 0)).toHaveLength(1)
  await Promise.all(pools.map((each) => each.end({ timeout: 1 })))
})

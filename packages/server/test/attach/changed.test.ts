/** Attaching again, several tables, joined tables, and detaching. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { Portal } from './portal.ts'

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

/** Everything that can be created: relations, columns, functions, triggers, constraints, rights. */
async function catalogue(): Promise<unknown> {
  return portal.database.sql`
    select 'relation' as kind, c.oid::regclass::text as name, coalesce(c.relacl::text, '') as more
    from pg_class c where c.relnamespace::regnamespace::text not in ('pg_catalog', 'information_schema', 'pg_toast')
    union all
    select 'column', attrelid::regclass::text || '.' || attname, atttypid::regtype::text
    from pg_attribute join pg_class c on c.oid = attrelid
    where c.relnamespace::regnamespace::text not in ('pg_catalog', 'information_schema', 'pg_toast') and attnum > 0
    union all
    select 'function', oid::regprocedure::text, coalesce(proacl::text, '')
    from pg_proc where pronamespace::regnamespace::text not in ('pg_catalog', 'information_schema')
    union all
    select 'trigger', tgrelid::regclass::text || '.' || tgname, tgenabled::text
    from pg_trigger where not tgisinternal
    union all
    select 'constraint', conrelid::regclass::text || '.' || conname, contype::text
    from pg_constraint where conrelid <> 0
    order by 1, 2, 3`
}

test('attach, changes of it, and detach leave no object and no row behind', async () => {
  await portal.sql`create table sites (id integer primary key, title text)`
  await portal.sql`insert into mqtt_mqttconnection (site_id, name) values (1, 'A')`
  const before = await catalogue()
  await portal.attach()
  await portal.attach(
    { name: 's.title', where: 'deleted_at is null' },
    '--join',
    'sites s on s.id = t.site_id',
  )
  await portal.attach({ prefix: 'q-' })
  expect(await catalogue()).not.toEqual(before)
  const { printed, failure } = await portal.run('detach', 'mqtt_mqttconnection')
  expect(failure).toBe('')
  expect(printed).toContain('1 connections are gone')
  expect(await catalogue()).toEqual(before)
  expect(await portal.database.sql`select from connections`).toHaveLength(0)
  expect(await portal.database.sql`select from attachments`).toHaveLength(0)
  expect(await portal.database.sql`select from attachment_changes`).toHaveLength(0)
  expect((await portal.run('detach', 'mqtt_mqttconnection')).failure).toMatch(
    /No table .* is attached/,
  )
  await portal.sql`drop table sites`
})

test('attached again with other options, the connections keep their history', async () => {
  await portal.sql`insert into mqtt_mqttconnection (site_id, name, status) values (1, 'A', 'up')`
  await portal.attach()
  const { printed } = await portal.attach({ name: 'status' }, '--map', 'up=connected')
  expect(printed).toContain('the mirror is changed in place')
  expect(await portal.seen()).toMatchObject([{ name: 'up', status: 'connected' }])
  const events = await portal.database.sql`select status from connection_events order by at`
  expect(events.map(({ status }) => String(status))).toEqual(['unknown', 'connected'])
  await portal.attach({ prefix: 'other-' })
  expect((await portal.seen()).map(({ id }) => id)).toEqual([expect.stringMatching(/^other-\d+$/)])
})

test('two tables, each with its prefix; the same prefix is refused', async () => {
  await portal.sql`create table second (code text primary key, site text, title text, state text)`
  await portal.sql`insert into second values ('x', 's', 'X', 'connected')`
  await portal.sql`insert into mqtt_mqttconnection (site_id, name) values (1, 'A')`
  await portal.attach()
  const second = { table: 'second', id: 'code', site: 'site', name: 'title', status: 'state' }
  const same = await portal.run(
    'attach',
    ...Object.entries({ ...second, prefix: 'p-' }).flatMap(([k, v]) => [`--${k}`, v]),
  )
  expect(same.failure).toMatch(/"p-" is the prefix of public\.mqtt_mqttconnection/)
  await portal.attach({ ...second, prefix: 's-' })
  portal.mirror()
  await portal.sql`update second set state = 'failed'`
  await portal.sql`update mqtt_mqttconnection set status = 'connected'`
  const [{ id }] = (await portal.sql`select id from mqtt_mqttconnection`) as unknown as [
    { id: number },
  ]
  await portal.showsStatuses({ 's-x': 'failed', [`p-${id}`]: 'connected' })
  expect((await portal.run('detach', 'second')).failure).toBe('')
  await portal.showsStatuses({ [`p-${id}`]: 'connected' })
  await portal.sql`drop table second`
})

test('names from a joined table follow that table', async () => {
  await portal.sql`create table sites (id integer primary key, title text)`
  await portal.sql`insert into sites values (1, 'One'), (2, 'Two')`
  await portal.sql`insert into mqtt_mqttconnection (site_id, name) values (1, 'A'), (3, 'B')`
  await portal.attach({ name: 's.title' }, '--join', 'sites s on s.id = t.site_id')
  const names = async (): Promise<string[]> => (await portal.seen()).map(({ name }) => name)
  const [first, second] =
    (await portal.sql`select id from mqtt_mqttconnection order by id`) as unknown as {
      id: number
    }[]
  expect(await names()).toEqual(['One', String(second?.id)])
  portal.mirror()
  await portal.sql`update sites set title = 'Uno' where id = 1`
  await portal.sql`insert into sites values (3, 'Three')`
  await portal.shows([
    { id: `p-${first?.id}`, site_id: '1', name: 'Uno', status: 'disconnected' },
    { id: `p-${second?.id}`, site_id: '3', name: 'Three', status: 'disconnected' },
  ])
  expect((await portal.run('detach', 'mqtt_mqttconnection')).failure).toBe('')
  await portal.sql`drop table sites`
})

test('attachments lists what is attached, as lines and as JSON; doctor says that it is mirrored', async () => {
  expect((await portal.run('attachments')).printed).toBe('No table is attached.')
  await portal.sql`insert into mqtt_mqttconnection (site_id, name) values (1, 'A')`
  await portal.attach()
  const { printed } = await portal.run('attachments')
  expect(printed).toMatch(/TABLE +PREFIX +CONNECTIONS +BACKLOG +CLICKS +COMPARED +STATE\n/)
  expect(printed).toMatch(/public\.mqtt_mqttconnection +p- +1 +0 +0 .* ok/)
  const json = JSON.parse((await portal.run('attachments', '--json')).printed) as unknown
  expect(json).toMatchObject([{ name: 'public.mqtt_mqttconnection', connections: 1, error: null }])
  expect((await portal.run('doctor')).printed).toContain(
    '✓ attachments: 1 connections mirror the rows of public.mqtt_mqttconnection',
  )
  await portal.sql`alter table mqtt_mqttconnection disable trigger user`
  const doctor = await portal.run('doctor')
  expect(doctor.failure).toContain('attachments')
  expect(doctor.printed).toMatch(
    /the trigger on public\.mqtt_mqttconnection is missing or disabled/,
  )
  await portal.attach()
  expect((await portal.run('doctor')).printed).toContain('✓ attachments')
})

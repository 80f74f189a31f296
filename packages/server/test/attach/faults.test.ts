/** Whatever happens to the mirror, the write of the other program commits; the error is recorded, and ends with its cause. */
import { until } from '@mqtt-status/testing/until'
import postgres from 'postgres'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { DESIRED, Portal } from './portal.ts'

let portal: Portal

beforeAll(async () => {
  portal = await Portal.open()
})

beforeEach(async () => {
  await portal.sql`insert into mqtt_mqttconnection (site_id, name) values (1, 'A'), (1, 'B')`
  await portal.attach()
})

afterEach(async () => {
  await portal.reset()
})

afterAll(async () => {
  await portal.close()
})

/** Each kind of write, in one transaction. */
async function write(): Promise<void> {
  await portal.sql.begin(async (tx) => {
    await tx`update mqtt_mqttconnection set site_id = 2 where id = (select min(id) from mqtt_mqttconnection)`
    await tx`insert into mqtt_mqttconnection (site_id, name) values (2, 'C')`
    await tx`delete from mqtt_mqttconnection where name = 'B'`
    await tx`insert into mqtt_mqttconnection (site_id, name) select 2, 'Bulk' from generate_series(1, 100)`
    await tx`delete from mqtt_mqttconnection where name = 'Bulk'`
  })
}

/** The rows as the other program has them. */
async function isMirrored(): Promise<void> {
  await until(
    async () => {
      const rows = await portal.sql<{ id: string; site: string }[]>`
        select 'p-' || id as id, site_id::text as site from mqtt_mqttconnection order by mqtt_mqttconnection.id`
      const seen = (await portal.seen()).map(({ id, site_id: site }) => ({ id, site }))
      return JSON.stringify(seen) === JSON.stringify([...rows])
    },
    { what: 'the mirror to be right', timeoutMs: 80_000 },
  )
}

test.each<[what: string, wound: string, cure: string, code: string]>([
  [
    'the table of notes is away',
    'alter table mqtt_status.attachment_changes rename to away',
    'alter table mqtt_status.away rename to attachment_changes',
    '42P01',
  ],
  [
    'neither a note nor its loss can be written',
    'alter table mqtt_status.attachment_changes rename to away; alter function mqtt_status.attachment_lost() rename to lost',
    'alter table mqtt_status.away rename to attachment_changes; alter function mqtt_status.lost() rename to attachment_lost',
    '42P01',
  ],
  [
    'a mirrored column is renamed',
    'alter table mqtt_mqttconnection rename column status to state',
    'alter table mqtt_mqttconnection rename column state to status',
    '42703',
  ],
  [
    'a mirrored column is dropped',
    'alter table mqtt_mqttconnection drop column status',
    `alter table mqtt_mqttconnection add column status varchar(20) not null default 'connected'`,
    '42703',
  ],
  [
    'the column of the status has another type',
    'alter table mqtt_mqttconnection alter column status drop default, alter column status type integer using 1, alter column status set default 1',
    `alter table mqtt_mqttconnection alter column status drop default, alter column status type text using 'connected', alter column status set default 'connected'`,
    '',
  ],
  [
    'the key has a wider type',
    'alter table mqtt_mqttconnection alter column id type bigint',
    'select',
    '',
  ],
])('while %s, writes commit; afterwards the mirror is right', async (_what, wound, cure, code) => {
  portal.mirror()
  await portal.sql.unsafe(wound)
  await write()
  if (code !== '') await portal.fault(code)
  await write()
  await portal.sql.unsafe(cure)
  await isMirrored()
  await portal.healthy()
})

test('ordinary writes lose no note, so they cost no comparison of all rows', async () => {
  const losses = async (): Promise<unknown> =>
    (await portal.database.sql`select last_value, is_called from attachment_losses`)[0]
  const before = await losses()
  await write()
  await portal.sql`update mqtt_mqttconnection set status = 'error'`
  await portal.sql`update mqtt_mqttconnection set id = id + 1000000`
  expect(await losses()).toEqual(before)
  expect(await portal.database.sql`select from attachment_changes where key is null`).toHaveLength(
    1,
  )
})

test.each<[what: string, alter: string]>([
  ['the status gets another type', 'alter column status type text'],
  ['the key gets a wider type', 'alter column id type bigint'],
  ['the site becomes a text', 'alter column site_id type text'],
  ['a column gets a shorter type', 'alter column name type varchar(100)'],
  ['a column is added', 'add column more text'],
  ['a column that is not mirrored is dropped', 'drop column region'],
  ['a mirrored column is dropped', 'drop column status'],
])('a session that was there before %s notes the rows that it writes', async (_what, alter) => {
  await portal.sql`truncate mqtt_mqttconnection`
  await portal.sql`insert into mqtt_mqttconnection (id, site_id, name) values (1, 1, 'A'), (2, 1, 'B')`
  const old = postgres(portal.database.url, { max: 1, onnotice: () => undefined })
  try {
    // Its plans are made before the migration. Names of columns stay what the statement says.
    await old`update mqtt_mqttconnection set site_id = 2 where id = 1`
    await old`insert into mqtt_mqttconnection (id, site_id, name) values (3, 1, 'C')`
    await old`delete from mqtt_mqttconnection where id = 3`
    await portal.sql.unsafe(`alter table mqtt_mqttconnection ${alter}`)
    await portal.sql`delete from mqtt_status.attachment_changes`
    const losses = async (): Promise<unknown> =>
      (await portal.database.sql`select last_value, is_called from attachment_losses`)[0]
    const before = await losses()
    await old.unsafe(`update mqtt_mqttconnection set name = 'New' where id = 1`)
    await old.unsafe(`insert into mqtt_mqttconnection (id, name) values (4, 'D')`)
    await old.unsafe(`delete from mqtt_mqttconnection where id = 2`)
    await old.unsafe(`update mqtt_mqttconnection set id = 40 where id = 4`)
    const notes = await portal.database.sql<{ key: string | null }[]>`
      select key from attachment_changes`
    expect([...new Set(notes.map(({ key }) => key))].toSorted()).toEqual(['1', '2', '4', '40'])
    expect(await losses()).toEqual(before)
  } finally {
    await old.end({ timeout: 1 })
  }
})

test('while the table of notes is locked, writes commit without waiting for it', async () => {
  portal.mirror()
  await portal.database.sql.begin(async (tx) => {
    await tx`lock table attachment_changes in access exclusive mode`
    // It does not end before the write has.
    await write()
  })
  await isMirrored()
  await portal.healthy()
})

test('without rights on the table of notes, writes commit', async () => {
  const { sql } = portal.database
  const role = `owner_${crypto.randomUUID().slice(0, 8)}`
  await sql.unsafe(`create role ${role}; grant usage on schema mqtt_status to ${role};
    grant execute on function attachment_lost() to ${role};
    do $$ begin
      execute format('alter function attachment_%s_changed() owner to ${role}', (select id from attachments));
    end $$`)
  try {
    portal.mirror()
    await write()
    await isMirrored()
  } finally {
    await sql.unsafe(
      `reassign owned by ${role} to current_user; drop owned by ${role}; drop role ${role}`,
    )
  }
})

test('a writer without any rights on the schema of the server is mirrored', async () => {
  const role = `writer_${crypto.randomUUID().slice(0, 8)}`
  portal.mirror()
  await portal.sql.begin(async (tx) => {
    await tx.unsafe(
      `create role ${role}; grant select, insert, update on mqtt_mqttconnection to ${role}; set local role ${role}`,
    )
    await tx`update mqtt_mqttconnection set site_id = 7`
    await tx.unsafe(`reset role; drop owned by ${role}; drop role ${role}`)
  })
  await isMirrored()
})

test('an operator that a writer puts before those of Postgres is not called with the rights of the owner', async () => {
  await portal.sql.begin(async (tx) => {
    await tx.unsafe(`
      create schema evil;
      create function evil.stolen(text, text) returns boolean language plpgsql as $$
      begin
        raise exception 'the operator was called as %', current_user;
      end $$;
      create operator evil.= (leftarg = text, rightarg = text, function = evil.stolen);
      create operator evil.<> (leftarg = text, rightarg = text, function = evil.stolen);
      set local search_path = evil, pg_catalog, public`)
    await tx`update public.mqtt_mqttconnection set site_id = 8`
    await tx.unsafe('set local search_path = public; drop schema evil cascade')
  })
  const notes = await portal.database.sql`select key from attachment_changes where key is not null`
  expect(notes).toHaveLength(2)
})

test('one row that a condition can not read is left out and named; its neighbours are mirrored', async () => {
  await portal.sql`alter table mqtt_mqttconnection add column divisor integer not null default 1`
  await portal.attach({ where: '10 / divisor > 0' })
  portal.mirror()
  await portal.sql`insert into mqtt_mqttconnection (site_id, name, divisor) values (3, 'Odd', 0), (3, 'Even', 2)`
  await until(async () => (await portal.seen()).some(({ name }) => name === 'Even'))
  await until(async () => {
    const [found] = await portal.database.sql<{ count: number; first: { code: string } }[]>`
      select refused_count as count, refused -> 0 as first from attachments`
    return found?.count === 1 && found.first.code === '22012'
  })
  expect((await portal.seen()).map(({ name }) => name)).toEqual(['A', 'B', 'Even'])
  const { printed } = await portal.run('attachments')
  expect(printed).toMatch(/1 rows left out/)
  expect(printed).toMatch(/division by zero/)
  await portal.sql`update mqtt_mqttconnection set divisor = 1`
  await portal.sql`update mqtt_mqttconnection set site_id = 4`
  await isMirrored()
})

test('a row that was left out is listed until it is read, or gone; what its card showed becomes unknown', async () => {
  const leftOut = async (keys: readonly string[]): Promise<void> => {
    await until(
      async () => {
        const [found] = await portal.database.sql<{ refused: { key: string }[]; count: number }[]>`
          select refused, refused_count as count from attachments`
        const named = found?.refused.map(({ key }) => key).toSorted() ?? []
        return found?.count === keys.length && named.join() === keys.join()
      },
      { what: `${keys.join()} to be left out`, timeoutMs: 15_000 },
    )
  }
  await portal.sql`alter table mqtt_mqttconnection add column divisor integer not null default 1`
  await portal.attach({ where: '10 / divisor > 0' })
  portal.mirror()
  await portal.sql`
    insert into mqtt_mqttconnection (id, site_id, name, status, divisor)
    values (501, 1, 'X', 'connected', 1), (502, 1, 'Y', 'connected', 1), (503, 1, 'Z', 'connected', 1)`
  await until(async () => (await portal.seen()).length === 5)
  await portal.sql`update mqtt_mqttconnection set divisor = 0 where id in (501, 502)`
  await leftOut(['501', '502'])
  expect(
    await portal.database.sql`select status, reason, detail from connections where id = 'p-501'`,
  ).toEqual([
    {
      ...{ status: 'unknown', reason: 'supervisor_lost' },
      detail: 'Its row in the attached table can not be read (22012).',
    },
  ])
  await portal.sql`update mqtt_mqttconnection set divisor = 1 where id = 501`
  await leftOut(['502'])
  await portal.sql`delete from mqtt_mqttconnection where id = 502`
  await leftOut([])
  await isMirrored()
  expect(
    await portal.database.sql`select status, reason, detail from connections where id = 'p-501'`,
  ).toEqual([{ status: 'connected', reason: null, detail: null }])
})

test.each<[what: string, wound: string, cure: string]>([
  [
    'a mirrored column is away',
    'alter table mqtt_mqttconnection rename column status to state',
    'alter table mqtt_mqttconnection rename column state to status',
  ],
  [
    'the table is away',
    'alter table mqtt_mqttconnection rename to elsewhere',
    'alter table elsewhere rename to mqtt_mqttconnection',
  ],
  [
    'the function that reads is away',
    `do $$ begin execute format('alter function mqtt_status.attachment_%s_rows(jsonb) rename to away', (select id from mqtt_status.attachments)); end $$`,
    `do $$ begin execute format('alter function mqtt_status.away(jsonb) rename to attachment_%s_rows', (select id from mqtt_status.attachments)); end $$`,
  ],
  [
    'the notes are away',
    'alter table mqtt_status.attachment_changes rename to away',
    'alter table mqtt_status.away rename to attachment_changes',
  ],
])(
  'while %s for longer than the limit, no card shows a status of before',
  async (_what, wound, cure) => {
    await portal.sql`update mqtt_mqttconnection set status = 'connected'`
    await portal.attach()
    portal.mirror({ distrustMs: 1_500 })
    await until(async () => (await portal.seen()).every(({ status }) => status === 'connected'))
    await portal.sql.unsafe(wound)
    await until(async () => (await portal.seen()).every(({ status }) => status === 'unknown'), {
      ...{ what: 'all connections to be unknown', timeoutMs: 20_000 },
    })
    expect(await portal.database.sql`select distinct reason, detail from connections`).toEqual([
      {
        reason: 'supervisor_lost',
        detail:
          'The table public.mqtt_mqttconnection could not be read for 2 s; "mqtt-status attachments" says why.',
      },
    ])
    await portal.sql.unsafe(cure)
    await until(async () => (await portal.seen()).every(({ status }) => status === 'connected'), {
      ...{ what: 'all connections to be connected', timeoutMs: 80_000 },
    })
    await portal.healthy()
  },
)

test('while the mirror fails, notes do not pile up', async () => {
  portal.mirror()
  await portal.sql`alter table mqtt_mqttconnection rename column status to state`
  await portal.fault('42703')
  for (let i = 0; i < 20; i++) await portal.sql`update mqtt_mqttconnection set site_id = ${i}`
  await until(
    async () => (await portal.database.sql`select from attachment_changes`).length === 0,
    { timeoutMs: 30_000 },
  )
  expect(await portal.database.sql`select from attachments where error is null`).toHaveLength(0)
  await portal.sql`alter table mqtt_mqttconnection rename column state to status`
  await isMirrored()
})

test.each<[what: string, wound: string]>([
  ['has lost a column', 'alter table second rename column state to lost'],
  ['is locked', 'lock table second in access exclusive mode'],
])(
  'while one attached table %s, another one is mirrored, and its clicks are written',
  async (_what, wound) => {
    await portal.sql`create table second (code text primary key, site text, title text, state text)`
    await portal.sql`insert into second values ('x', 's', 'X', 'connected')`
    const second = { table: 'second', id: 'code', site: 'site', name: 'title', status: 'state' }
    await portal.attach({ ...second, prefix: 's-' })
    await portal.attach({}, ...DESIRED)
    portal.mirror()
    const [row] = await portal.sql<{ id: number }[]>`select min(id) as id from mqtt_mqttconnection`
    const id = row?.id ?? 0
    await portal.sql.begin(async (tx) => {
      await tx.unsafe(wound)
      for (const status of ['connected', 'error', 'connected']) {
        await portal.sql`update mqtt_mqttconnection set status = ${status} where id = ${id}`
        await until(async () => {
          const found = (await portal.seen()).find((seen) => seen.id === `p-${id}`)
          return found?.status === (status === 'error' ? 'failed' : status)
        })
      }
      await portal.click(`p-${id}`, 'disconnect')
      await until(async () => {
        const found = await portal.sql`
        select from mqtt_mqttconnection where id = ${id} and not enabled`
        return found.length === 1
      })
    })
    await portal.reset()
    await portal.sql`drop table second`
  },
)

test('a row whose id another connection has is left out and named; that connection stays as it is', async () => {
  const { sql } = portal.database
  await sql`insert into connections (id, site_id, name) values ('p-777', 's', 'Own')`
  portal.mirror()
  await portal.sql`insert into mqtt_mqttconnection (id, site_id, name) values (777, 1, 'Taken'), (778, 1, 'Free')`
  await until(async () => (await portal.seen()).some(({ name }) => name === 'Free'))
  await until(async () => (await sql`select from attachments where refused_count = 1`).length === 1)
  expect(await sql`select name, managed from connections where id = 'p-777'`).toEqual([
    { name: 'Own', managed: true },
  ])
})

test('no function that runs in transactions of the other program notifies, so that they can be prepared', async () => {
  const notifying = await portal.database.sql`
    select p.proname
    from pg_proc p
    join pg_namespace n on n.oid = p.pronamespace
    where n.nspname = 'mqtt_status' and p.proname like 'attachment%' and p.prosrc ~ 'notify'`
  expect(notifying).toHaveLength(0)
})

test('the schema of the server is dropped: its triggers go with it, and writes commit', async () => {
  const other = await Portal.open()
  try {
    await other.sql`insert into mqtt_mqttconnection (site_id, name) values (1, 'A')`
    await other.attach()
    await other.sql`drop schema mqtt_status cascade`
    await other.sql`update mqtt_mqttconnection set status = 'error'`
    await other.sql`truncate mqtt_mqttconnection`
    const left = await other.sql`select from pg_trigger where not tgisinternal`
    expect(left).toHaveLength(0)
  } finally {
    await other.close()
  }
})

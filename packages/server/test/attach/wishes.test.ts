/** Clicks on cards of attached rows: how they reach the portal, what confirms them, and what becomes of those that can't be written. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Action } from '@mqtt-status/protocol'
import { until } from '@mqtt-status/testing/until'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { DESIRED, flags, Portal } from './portal.ts'

const COMMANDS = `
  create table commands (
    number serial, key integer, action text, requested_at timestamptz, requested_by varchar(10), generation bigint
  )`
const COMMAND_TABLE = ['--command-table', 'commands']

let portal: Portal

beforeAll(async () => {
  portal = await Portal.open()
})

beforeEach(async () => {
  await portal.sql`
    insert into mqtt_mqttconnection (id, site_id, name, status)
    values (1, 1, 'A', 'connected'), (2, 1, 'B', 'connected')`
  await portal.sql.unsafe(COMMANDS)
})

afterEach(async () => {
  await portal.reset()
  await portal.sql`drop table if exists commands`
})

afterAll(async () => {
  await portal.close()
})

interface Wish {
  readonly desired: string | null
  readonly status: string
  readonly generation: number
  readonly observed: number
  /** Whether the portal has it. */
  readonly handed: boolean
}

async function wish(id = 'p-1'): Promise<Wish> {
  const [found] = await portal.database.sql<Wish[]>`
    select desired, status, generation::int, observed_generation::int as observed,
      attachment_generation = generation as handed
    from connections where id = ${id}`
  if (found === undefined) throw new Error(`${id} is not there`)
  return found
}

/** Waits until the connection is as expected. */
async function becomes(expected: Partial<Wish>, id = 'p-1'): Promise<void> {
  let last: unknown = null
  await until(
    async () => {
      last = await wish(id)
      return Object.entries(expected).every(
        ([name, value]) => (last as Wish)[name as keyof Wish] === value,
      )
    },
    { what: `the wish ${JSON.stringify(expected)}`, timeoutMs: 20_000 },
  ).catch(() => {
    expect(last).toMatchObject(expected)
  })
}

async function enabled(id = 1): Promise<boolean | undefined> {
  const [row] = await portal.sql<{ enabled: boolean }[]>`
    select enabled from mqtt_mqttconnection where id = ${id}`
  return row?.enabled
}

/** A mark that the mirror has passed: what was written before is mirrored. */
async function mirrored(): Promise<void> {
  const name = crypto.randomUUID()
  await portal.sql`update mqtt_mqttconnection set name = ${name} where id = 2`
  await until(async () => (await portal.seen()).some((row) => row.name === name))
}

async function errorIs(code: string | null): Promise<void> {
  await until(
    async () => {
      const [found] = await portal.database.sql<{ error: { code: string } | null }[]>`
        select wish_error as error from attachments`
      return (found?.error?.code ?? null) === code
    },
    { what: `the error ${code ?? 'to end'}`, timeoutMs: 30_000 },
  )
}

test('without options for clicks, cards have no button, and a command is refused', async () => {
  await portal.attach()
  expect(await wish()).toMatchObject({ desired: null })
  expect(await portal.click('p-1', 'disconnect')).toEqual({ kind: 'not_controllable' })
})

describe('with --desired', () => {
  beforeEach(async () => {
    await portal.attach({}, ...DESIRED)
    portal.mirror()
  })

  test('the column of the portal is the wish', async () => {
    expect(await wish()).toMatchObject({ desired: 'connected' })
    await portal.sql`update mqtt_mqttconnection set enabled = false where id = 1`
    await becomes({ desired: 'disconnected', generation: 0, observed: 0 })
    await portal.sql`update mqtt_mqttconnection set enabled = true where id = 1`
    await becomes({ desired: 'connected' })
  })

  test('a click is written into the column; a portal that does nothing about it leaves it without confirmation', async () => {
    expect(await portal.click('p-1', 'disconnect')).toMatchObject({
      kind: 'accepted',
      generation: 1,
    })
    await becomes({ handed: true })
    expect(await enabled()).toBe(false)
    await mirrored()
    await portal.sql`update mqtt_mqttconnection set name = 'Renamed' where id = 1`
    await until(async () => (await portal.seen())[0]?.name === 'Renamed')
    expect(await wish()).toEqual({
      ...{ desired: 'disconnected', status: 'connected', handed: true },
      ...{ generation: 1, observed: 0 },
    })
  })

  test('a portal that obeys confirms', async () => {
    await portal.click('p-1', 'disconnect')
    await until(async () => (await enabled()) === false)
    await portal.sql`update mqtt_mqttconnection set status = 'disconnected' where not enabled`
    await becomes({ status: 'disconnected', generation: 1, observed: 1 })
    await portal.click('p-1', 'connect')
    await until(async () => (await enabled()) === true)
    await portal.sql`update mqtt_mqttconnection set status = 'pending' where id = 1`
    await becomes({ status: 'connecting', generation: 2, observed: 2 })
  })

  test('a click is confirmed by a status that agrees, or changes that way', async () => {
    const cases: readonly (readonly [string, Action, string, boolean])[] = [
      ['connected', 'connect', 'connected', true],
      ['disconnected', 'disconnect', 'disconnected', true],
      ['connected', 'disconnect', 'connected', false],
      ['error', 'connect', 'error', false],
      ['pending', 'connect', 'pending', false],
      ['odd', 'connect', 'odd', false],
      ['disconnected', 'connect', 'error', true],
      ['disconnected', 'connect', 'pending', true],
      ['error', 'connect', 'pending', true],
      ['pending', 'disconnect', 'disconnected', true],
      ['pending', 'disconnect', 'connected', false],
      ['connected', 'disconnect', 'pending', false],
      ['connected', 'disconnect', 'odd', false],
    ]
    for (const [i, [before]] of cases.entries())
      await portal.sql`
        insert into mqtt_mqttconnection (id, site_id, name, status) values (${100 + i}, 1, 'N', ${before})`
    await until(async () => (await portal.seen()).length === cases.length + 2)
    for (const [i, [, action]] of cases.entries()) await portal.click(`p-${100 + i}`, action)
    for (const i of cases.keys()) await becomes({ handed: true }, `p-${100 + i}`)
    for (const [i, [, , after]] of cases.entries())
      await portal.sql`update mqtt_mqttconnection set status = ${after} where id = ${100 + i}`
    await mirrored()
    const seen = await Promise.all(
      cases.map(async ([before, action, after], i) => {
        const { generation, observed } = await wish(`p-${100 + i}`)
        return [before, action, after, observed === generation]
      }),
    )
    expect(seen).toEqual(cases)
  })

  test('the last writer wins: a portal that changes its column after the click has answered it', async () => {
    await portal.click('p-1', 'disconnect')
    await becomes({ handed: true })
    await portal.sql`update mqtt_mqttconnection set enabled = true where id = 1`
    await becomes({ desired: 'connected', generation: 1, observed: 1 })
    await portal.click('p-1', 'disconnect')
    await until(async () => (await enabled()) === false)
    await becomes({ desired: 'disconnected', generation: 2, handed: true })
  })

  test('a wish that the portal has not yet is not overwritten by the mirror', async () => {
    await portal.sql`alter table mqtt_mqttconnection add constraint always_on check (enabled)`
    await portal.click('p-1', 'disconnect')
    await errorIs('23514')
    await portal.sql`update mqtt_mqttconnection set name = 'Renamed', enabled = true where id = 1`
    await until(async () => (await portal.seen())[0]?.name === 'Renamed')
    expect(await wish()).toMatchObject({ desired: 'disconnected', handed: false })
    await portal.sql`alter table mqtt_mqttconnection drop constraint always_on`
    await becomes({ handed: true })
    expect(await enabled()).toBe(false)
  })

  test('a reconnect can not be written into a column, and is refused', async () => {
    expect(await portal.click('p-1', 'reconnect')).toEqual({
      ...{ kind: 'no_reconnect', table: 'public.mqtt_mqttconnection' },
    })
  })

  test('a value that no map names leaves the row without a wish', async () => {
    await portal.sql`alter table mqtt_mqttconnection alter column enabled drop not null`
    await portal.sql`update mqtt_mqttconnection set enabled = null where id = 1`
    await becomes({ desired: null })
  })

  test('attached again without the option, connections take no commands', async () => {
    await portal.click('p-1', 'disconnect')
    await becomes({ handed: true })
    await portal.attach()
    expect(await wish()).toMatchObject({ desired: null })
    await portal.attach({}, ...DESIRED)
    expect(await wish()).toMatchObject({ desired: 'disconnected', handed: true })
  })

  test('while a transaction of the portal holds the row, the command, other clicks and that transaction go on', async () => {
    await portal.sql.begin(async (tx) => {
      await tx`update mqtt_mqttconnection set status = 'pending' where id = 1`
      await portal.click('p-1', 'disconnect')
      await portal.click('p-2', 'disconnect')
      await becomes({ handed: true }, 'p-2')
      await errorIs('55P03')
      expect(await wish()).toMatchObject({ desired: 'disconnected', handed: false })
      expect((await portal.run('attachments')).printed).toMatch(
        /clicks are not written: row 1: another transaction has locked the row \(55P03/,
      )
      await tx`update mqtt_mqttconnection set status = 'connected' where id in (1, 2)`
    })
    await becomes({ handed: true })
    expect(await enabled()).toBe(false)
    await errorIs(null)
  })

  test('triggers of the portal run with the search path of its role', async () => {
    await portal.sql.unsafe(`
      create table journal (line text);
      create function journal() returns trigger language plpgsql as $$
      begin
        insert into journal values (new.id || ' ' || new.enabled);
        return new;
      end $$;
      create trigger journal before update of enabled on mqtt_mqttconnection for each row execute function journal()`)
    await portal.click('p-1', 'disconnect')
    await becomes({ handed: true })
    expect(await portal.sql`select line from journal`).toEqual([{ line: '1 false' }])
    await portal.sql`drop table journal; drop function journal() cascade`.simple()
  })

  test('a row that is deleted takes its wish along', async () => {
    await portal.sql.begin(async (tx) => {
      await tx`delete from mqtt_mqttconnection where id = 1`
      await portal.click('p-1', 'disconnect')
      await errorIs('55P03')
    })
    await portal.showsStatuses({ 'p-2': 'connected' })
    await errorIs(null)
  })
})

/** Faults of writing, each with its cure; `isOfRow`: the click on another row is written meanwhile. */
test.each<[what: string, wound: string, cure: string, code: string, isOfRow: boolean]>([
  [
    'the column is gone',
    'alter table mqtt_mqttconnection rename column enabled to on_or_off',
    'alter table mqtt_mqttconnection rename column on_or_off to enabled',
    '42703',
    false,
  ],
  [
    'a constraint refuses the value of one row',
    'alter table mqtt_mqttconnection add constraint only_two check (enabled or id <> 1)',
    'alter table mqtt_mqttconnection drop constraint only_two',
    '23514',
    true,
  ],
  [
    'a trigger of the portal refuses one row',
    `create function refuse() returns trigger language plpgsql as $$
     begin
       if new.id = 1 then raise exception 'no'; end if;
       return new;
     end $$;
     create trigger refuse before update of enabled on mqtt_mqttconnection for each row execute function refuse()`,
    'drop function refuse() cascade',
    'P0001',
    true,
  ],
  [
    'the table for commands is gone',
    'alter table commands rename to elsewhere',
    'alter table elsewhere rename to commands',
    '42P01',
    false,
  ],
  [
    'the table for commands needs one more value',
    'alter table commands add column why text not null',
    'alter table commands drop column why',
    '23502',
    false,
  ],
])(
  'while %s, the click waits, is named, and is written afterwards',
  async (_what, wound, cure, code, isOfRow) => {
    await portal.attach({}, ...DESIRED, ...COMMAND_TABLE)
    portal.mirror()
    await portal.sql.unsafe(wound)
    await portal.click('p-1', 'disconnect')
    await errorIs(code)
    expect(await portal.click('p-2', 'disconnect')).toMatchObject({ kind: 'accepted' })
    if (isOfRow) await becomes({ handed: true }, 'p-2')
    expect(await wish()).toMatchObject({ desired: 'disconnected', handed: false })
    expect((await portal.run('attachments')).printed).toMatch(/, clicks are not written: .*since/)
    const doctor = await portal.run('doctor')
    expect(doctor.printed).toMatch(/clicks on cards of public\.mqtt_mqttconnection are not written/)
    await portal.sql.unsafe(cure)
    await becomes({ handed: true })
    await becomes({ handed: true }, 'p-2')
    await errorIs(null)
    expect(await portal.sql`select key, action from commands order by key`).toEqual([
      { key: 1, action: 'disconnect' },
      { key: 2, action: 'disconnect' },
    ])
  },
)

test('while the table of the portal is locked, the click waits, and commands are answered', async () => {
  await portal.attach({}, ...DESIRED)
  portal.mirror()
  await portal.sql.begin(async (tx) => {
    await tx`lock table mqtt_mqttconnection in access exclusive mode`
    expect(await portal.click('p-1', 'disconnect')).toMatchObject({ kind: 'accepted' })
    await errorIs('55P03')
    expect(await portal.click('p-2', 'disconnect')).toMatchObject({ kind: 'accepted' })
  })
  await becomes({ handed: true })
  await becomes({ handed: true }, 'p-2')
  await errorIs(null)
})

describe('with --command-table', () => {
  async function rows(): Promise<unknown> {
    return [
      ...(await portal.sql`
        select key, action, requested_by, generation::int, requested_at > now() - interval '1 minute' as recent
        from commands order by number`),
    ]
  }

  test('each click is a row; the wish follows the status of a portal that has no column for it', async () => {
    await portal.attach({}, ...COMMAND_TABLE)
    portal.mirror()
    expect(await wish()).toMatchObject({ desired: 'connected' })
    await portal.click('p-1', 'disconnect', 'anna.of.the.night.shift')
    await becomes({ desired: 'disconnected', handed: true, observed: 0 })
    await mirrored()
    expect(await wish()).toMatchObject({ desired: 'disconnected', observed: 0 })
    await portal.sql`update mqtt_mqttconnection set status = 'disconnected' where id = 1`
    await becomes({ status: 'disconnected', observed: 1 })
    await portal.click('p-1', 'connect', null)
    await becomes({ handed: true })
    expect(await rows()).toEqual([
      { key: 1, action: 'disconnect', requested_by: 'anna.of.th', generation: 1, recent: true },
      { key: 1, action: 'connect', requested_by: null, generation: 2, recent: true },
    ])
    // The portal decides otherwise, without a click.
    await portal.sql`update mqtt_mqttconnection set status = 'connected' where id = 1`
    await becomes({ status: 'connected', desired: 'connected', observed: 2 })
    await portal.sql`update mqtt_mqttconnection set status = 'disconnected' where id = 1`
    await becomes({ status: 'disconnected', desired: 'disconnected' })
  })

  test.each<[what: string, statuses: readonly string[]]>([
    ['leaves and comes back', ['disconnected', 'connected']],
    ['is written once more', ['connected']],
  ])('a reconnect is a row, and is confirmed when the status %s', async (_what, statuses) => {
    await portal.attach({}, ...DESIRED, ...COMMAND_TABLE)
    portal.mirror()
    await portal.click('p-1', 'reconnect')
    await becomes({ handed: true })
    expect(await rows()).toMatchObject([{ action: 'reconnect' }])
    await mirrored()
    expect(await wish()).toMatchObject({ desired: 'connected', observed: 0 })
    for (const status of statuses)
      await portal.sql`update mqtt_mqttconnection set status = ${status}, name = name || '!' where id = 1`
    await becomes({ status: 'connected', observed: 1 })
    // A later click is no reconnect.
    await portal.click('p-1', 'connect')
    await becomes({ handed: true, observed: 2 })
    expect(await rows()).toMatchObject([{ action: 'reconnect' }, { action: 'connect' }])
  })

  test('a table with references, keys as text, and a name that may not be null', async () => {
    await portal.sql.unsafe(`
      drop table commands;
      create table commands (
        id serial primary key, key text not null, action varchar(10) not null, requested_at timestamp not null,
        requested_by varchar(150) not null, generation numeric not null, done boolean not null default false
      )`)
    await portal.attach({}, ...COMMAND_TABLE)
    portal.mirror()
    await portal.click('p-1', 'disconnect', null)
    await becomes({ handed: true })
    expect(await portal.sql`select key, action, requested_by, done from commands`).toEqual([
      { key: '1', action: 'disconnect', requested_by: '', done: false },
    ])
  })

  test('column and row are written together or not at all', async () => {
    await portal.sql`alter table commands add constraint never check (action <> 'disconnect')`
    await portal.attach({}, ...DESIRED, ...COMMAND_TABLE)
    portal.mirror()
    await portal.click('p-1', 'disconnect')
    await errorIs('23514')
    expect(await enabled()).toBe(true)
    await portal.sql`alter table commands drop constraint never`
    await becomes({ handed: true })
    expect(await enabled()).toBe(false)
    expect(await rows()).toHaveLength(1)
  })
})

test('clicks before a node starts are written when it does', async () => {
  await portal.attach({}, ...DESIRED, ...COMMAND_TABLE)
  for (const action of ['disconnect', 'connect', 'disconnect'] as const)
    await portal.click('p-1', action)
  portal.mirror()
  await becomes({ handed: true, generation: 3 })
  expect(await enabled()).toBe(false)
  // The last wish is written, not each on the way to it.
  expect(await portal.sql`select action, generation::int from commands`).toEqual([
    { action: 'disconnect', generation: 3 },
  ])
})

test('a node that is killed with kill -9 while it writes a click loses none, and none is written twice', async () => {
  await portal.attach({}, ...DESIRED, ...COMMAND_TABLE)
  // The node stands still in the middle of its transaction.
  await portal.sql.unsafe(`
    create function wait() returns trigger language plpgsql as $$
    begin
      perform pg_advisory_xact_lock(4711);
      return new;
    end $$;
    create trigger wait before insert on commands for each row execute function wait()`)
  const node = spawn(process.execPath, [
    new URL('node.ts', import.meta.url).pathname,
    portal.database.url,
  ])
  try {
    await portal.sql.begin(async (tx) => {
      await tx`select pg_advisory_xact_lock(4711)`
      await portal.click('p-1', 'disconnect')
      await until(async () => {
        const waiting = await portal.database.sql`
          select from pg_stat_activity
          where application_name = 'mqtt-status-killed' and wait_event = 'advisory'`
        return waiting.length === 1
      })
      node.kill('SIGKILL')
      await once(node, 'exit')
    })
    await until(async () => {
      const left = await portal.database.sql`
        select from pg_stat_activity where application_name = 'mqtt-status-killed'`
      return left.length === 0
    })
    portal.mirror()
    await becomes({ handed: true })
    expect(await enabled()).toBe(false)
    expect(await portal.sql`select action, generation::int from commands`).toEqual([
      { action: 'disconnect', generation: 1 },
    ])
  } finally {
    node.kill('SIGKILL')
    await portal.sql`drop function wait() cascade`
  }
})

test('the role that attaches is not that of the server: clicks are written with its rights only', async () => {
  const { sql, url } = portal.database
  const suffix = crypto.randomUUID().slice(0, 8)
  const [owner, server] = [`owner_${suffix}`, `server_${suffix}`]
  const as = (role: string): string => {
    const address = new URL(url)
    address.username = role
    address.password = 'x'
    return address.href
  }
  await sql.unsafe(`
    create role ${owner} login password 'x';
    create role ${server} login password 'x';
    grant usage on schema mqtt_status to ${owner}, ${server};
    grant select on all tables in schema mqtt_status to ${owner};
    grant select, insert, update, delete on all tables in schema mqtt_status to ${server};
    grant usage, select on all sequences in schema mqtt_status to ${server};
    alter table public.mqtt_mqttconnection owner to ${owner}`)
  try {
    const attach = ['attach', ...flags(), ...DESIRED]
    const refused = await portal.runAs(as(owner), ...attach)
    for (const [statement] of refused.failure.matchAll(/grant .*;/g)) await sql.unsafe(statement)
    const noTable = await portal.runAs(as(owner), ...attach, ...COMMAND_TABLE)
    expect(noTable.failure).toMatch(
      /--command-table: the role ".*" may not insert into public\.commands.*grant insert on/s,
    )
    expect((await portal.runAs(as(owner), ...attach)).failure).toBe('')
    portal.mirror({ url: as(server) })
    await portal.click('p-1', 'disconnect')
    await becomes({ handed: true })
    expect(await enabled()).toBe(false)
    // The owner loses the right to write its own table.
    await sql.unsafe(`revoke update on public.mqtt_mqttconnection from ${owner}`)
    await portal.click('p-1', 'connect')
    await errorIs('42501')
    expect(await wish()).toMatchObject({ handed: false })
    await sql.unsafe(`grant update on public.mqtt_mqttconnection to ${owner}`)
    await becomes({ handed: true })
    await errorIs(null)
    await portal.reset()
  } finally {
    for (const role of [owner, server])
      await sql.unsafe(
        `reassign owned by ${role} to current_user; drop owned by ${role}; drop role ${role}`,
      )
  }
})

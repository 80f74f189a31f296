/**
 * A row says what is so of the session that it describes, whatever another program writes to it: every observed column,
 * in every state of the session, found by each of the three ways in which the owner can find it.
 */
import { createDatabase } from '@mqtt-status/testing/postgres'
import type { TestDatabase } from '@mqtt-status/testing/postgres'
import { Broker } from '@mqtt-status/testing/broker'
import { freePort } from '@mqtt-status/testing/free-port'
import { until } from '@mqtt-status/testing/until'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { House } from '../faults/house.ts'

let database: TestDatabase
let broker: Broker
let house: House | null = null

beforeEach(async () => {
  database = await createDatabase()
  // Open before sockets are counted.
  await Promise.all(Array.from({ length: 4 }, () => database.sql`select pg_sleep(0.05)`))
  broker = await Broker.start()
})

afterEach(async () => {
  await house?.close()
  house = null
  await database.drop()
  await broker.stop()
})

const STATES = ['connected', 'reconnecting', 'failed', 'disconnected'] as const

/** What another program may put there, by column; the first value is the one that `check` has to undo. */
const FOREIGN: Readonly<Record<string, readonly string[]>> = {
  status: [
    `'unknown'`,
    `'connecting'`,
    `'connected'`,
    `'reconnecting'`,
    `'disconnecting'`,
    `'failed'`,
    `'disconnected'`,
  ],
  reason: [`'bad_credentials'`, `'no_such_reason'`, `''`, `null`],
  detail: [`'by hand'`, `repeat('x', 5000)`, `null`],
  mqtt_reason_code: [`135`, `-1`, `null`],
  since: [
    `'2001-01-01'`,
    `'infinity'`,
    `'-infinity'`,
    `now() + interval '1 day'`,
    `'0044-03-15 BC'`,
  ],
  observed_generation: [`99`, `-1`, `9007199254740993`],
  subscriptions_ok: [`not coalesce(subscriptions_ok, false)`, `null`],
  last_message_at: [`now()`, `'infinity'`, `'2001-01-01'`, `now() + interval '1 day'`],
  device: [`'offline'`, `'online'`, `'stale'`],
  device_since: [`'2001-01-01'`, `'infinity'`, `now() + interval '1 day'`],
  // Fencing: the session goes on, with another fence.
  owner_id: [`'no-such-node'`, `(select id from supervisors limit 1)`],
  epoch: [`epoch + 1`, `0`, `-1`, `9223372036854775807`],
}

interface Case {
  readonly id: string
  readonly change: string
}

function cases(every: boolean): readonly Case[] {
  const changes = Object.entries(FOREIGN).flatMap(([column, values]) =>
    (every ? values : values.slice(0, 1)).map((value) => `${column} = ${value}`),
  )
  const all = Object.entries(FOREIGN).map(([column, [value]]) => `${column} = ${value ?? 'null'}`)
  return STATES.flatMap((state) =>
    [...changes, all.join(', ')].map((change, number) => ({ id: `${state}-${number}`, change })),
  )
}

/** What has to be so, as text; the id names the state. */
async function observed(): Promise<Record<string, string>> {
  const rows = await database.sql<{ id: string; seen: string }[]>`
    select id, concat_ws(' ', status, coalesce(reason, '-'), coalesce(detail, '-'),
      coalesce(mqtt_reason_code, -2), since, observed_generation, coalesce(subscriptions_ok::text, '-'),
      coalesce(last_message_at::text, '-'), device, coalesce(device_since::text, '-'),
      case when owner_id in (select id from supervisors) then 'owned' else 'orphan' end) as seen
    from connections
    order by id`
  return Object.fromEntries(rows.map(({ id, seen }) => [id, seen]))
}

/** Rows in all states; no write is under way or due, so that only the test writes to them. */
async function settle(rows: readonly Case[], environment: Record<string, string>): Promise<void> {
  const closed = await freePort()
  for (const { id } of rows) {
    const port = id.startsWith('reconnecting') ? closed : broker.port
    const protocol = id.startsWith('failed') ? 'gopher' : 'mqtt'
    await database.sql`
      insert into connections (id, site_id, name, protocol, host, port, desired)
      values (${id}, 's', ${id}, ${protocol}, '127.0.0.1', ${port}, 'connected')`
  }
  house = await House.open(database.url, { MQTT_DIAL_CONCURRENCY: '500', ...environment })
  const are = async (status: string, prefix: string): Promise<boolean> => {
    const [found] = await database.sql`
      select coalesce(bool_and(status = ${status}), true) as are from connections where id like ${`${prefix}-%`}`
    return found?.['are'] === true
  }
  await until(() => are('connected', 'disconnected'), { timeoutMs: 30_000, what: 'connections' })
  await database.sql`
    update connections set desired = 'disconnected', generation = generation + 1
    where id like 'disconnected-%'`
  for (const state of STATES)
    await until(() => are(state, state), { timeoutMs: 30_000, what: `${state} rows` })
}

async function write(rows: readonly Case[], silently: boolean): Promise<void> {
  await database.sql.begin(async (tx) => {
    if (silently) await tx`set local mqtt_status.notify = off`
    for (const { id, change } of rows)
      await tx.unsafe(`update connections set ${change} where id = '${id}'`)
  })
}

async function becomes(truth: Record<string, string>): Promise<void> {
  await until(
    async () => {
      expect(await observed()).toEqual(truth)
      return true
    },
    { timeoutMs: 30_000, what: 'the rows to say what is so' },
  )
}

const NEVER_MS = '600000'

describe.each([
  { way: 'the feed', silently: false, environment: { LEASE_TTL_MS: NEVER_MS } },
  {
    way: 'the renewal of the lease',
    silently: true,
    environment: { LEASE_TTL_MS: '1500', FEED_POLL_MS: NEVER_MS },
  },
])('by $way', ({ way, silently, environment }) => {
  // The feed does not deliver columns that are not watched; a renewal of the lease finds their changes.
  const isTold = ({ change }: Case): boolean =>
    way !== 'the feed' ||
    !/mqtt_reason|subscriptions|owner_id|epoch/.test(change.split(' ')[0] ?? '')

  test('whatever was written, the rows end up true, and no connection is dialled anew', async () => {
    const rows = cases(true).filter(isTold)
    await settle(rows, environment)
    const truth = await observed()
    const sockets = broker.sockets
    await write(rows, silently)
    await becomes(truth)
    expect(broker.sockets, 'one socket for each that is connected').toBe(sockets)
    expect(sockets).toBe(rows.filter(({ id }) => id.startsWith('connected-')).length)
    for (const { id } of rows.filter((row) => row.id.startsWith('connected-'))) {
      const [row] = await database.sql`select left(epoch::text, 8) as epoch from meta`
      expect(broker.connects(`mqtt-status-${String(row?.['epoch'])}-${id}`), id).toBe(1)
    }
    const lines = house?.log.filter((line) => line.includes('another program has written')) ?? []
    expect(lines, 'one line a minute names the fault').toHaveLength(1)
  }, 90_000)
})

test('by check', async () => {
  const rows = cases(false)
  await settle(rows, { LEASE_TTL_MS: NEVER_MS, FEED_POLL_MS: NEVER_MS })
  const truth = await observed()
  await write(rows, true)
  expect(await observed()).not.toEqual(truth)
  for (const { id } of rows) {
    const answer = await fetch(`${house?.url ?? ''}/api/v1/connections/${id}/check`, {
      method: 'POST',
    })
    expect(await answer.json()).toMatchObject({ ok: id.startsWith('connected') })
  }
  expect(await observed()).toEqual(truth)
}, 90_000)

test('the owner corrects a row that another program keeps writing once in two seconds, and the row ends as the owner wrote it', async () => {
  await settle([{ id: 'connected-1', change: '' }], { LEASE_TTL_MS: '1500' })
  const truth = await observed()
  const [before] = await database.sql`select last_value from connection_revisions`
  for (let i = 0; i < 300; i++)
    await database.sql`update connections set status = 'failed', detail = ${`no. ${i}`}`
  await becomes(truth)
  const [after] = await database.sql`select last_value from connection_revisions`
  const corrections = Number(after?.['last_value']) - Number(before?.['last_value']) - 300
  expect(corrections).toBeGreaterThan(0)
  expect(corrections, 'far fewer than what was written').toBeLessThan(30)
}, 60_000)

describe('what else may be done to the row of a live connection', () => {
  beforeEach(() => settle([{ id: 'connected-1', change: '' }], { LEASE_TTL_MS: '1500' }))

  async function row(id = 'connected-1'): Promise<Record<string, unknown>> {
    const [found] = await database.sql`
      select status, desired, generation::int as generation, observed_generation::int as observed,
        owner_id in (select id from supervisors) as owned
      from connections where id = ${id}`
    return { ...found }
  }

  const is = (expected: Record<string, unknown>, id?: string): Promise<unknown> =>
    until(
      async () => {
        expect(await row(id)).toMatchObject(expected)
        return true
      },
      { timeoutMs: 20_000, what: JSON.stringify(expected) },
    )

  test.each([
    [`generation = 7`, { status: 'connected', generation: 7, observed: 7 }, 1],
    [`generation = -5`, { status: 'connected', generation: -5, observed: -5 }, 1],
    [`desired = 'disconnected'`, { status: 'disconnected' }, 0],
    [`desired = 'disconnected', generation = -5`, { status: 'disconnected', observed: -5 }, 0],
    [`desired = null`, { status: 'disconnected' }, 0],
    [`owner_id = null`, { status: 'connected', owned: true }, 1],
    [`owner_id = null, epoch = 0`, { status: 'connected', owned: true }, 1],
    [`restart_generation = 5`, { status: 'connected' }, 1],
    [`restart_generation = -5`, { status: 'connected' }, 1],
    [`status = 'failed', desired = 'disconnected'`, { status: 'disconnected' }, 0],
    [`site_id = 'elsewhere'`, { status: 'connected', owned: true }, 1],
  ])('set %s', async (change, expected, sockets) => {
    await database.sql.unsafe(`update connections set ${change}`)
    await is(expected)
    await until(() => broker.sockets === sockets)
    const restarted = change.startsWith('restart_generation = 5')
    if (restarted) {
      const [meta] = await database.sql`select left(epoch::text, 8) as epoch from meta`
      const client = `mqtt-status-${String(meta?.['epoch'])}-connected-1`
      await until(() => broker.connects(client) === 2, { what: 'a new dial' })
      await is(expected)
    }
    // A command of later is obeyed.
    const answer = await fetch(`${house?.url ?? ''}/api/v1/connections/connected-1/disconnect`, {
      method: 'POST',
    })
    if (change === 'desired = null') expect(answer.status).toBe(409)
    else await until(async () => (await row())['status'] === 'disconnected')
  })

  test('managed off and on again', async () => {
    await database.sql`update connections set managed = false`
    await database.sql`update connections set managed = true`
    await is({ status: 'connected', owned: true })
    await until(() => broker.sockets === 1)
    await database.sql`update connections set managed = false`
    await until(() => broker.sockets === 0)
    await database.sql`update connections set status = 'failed'`
    expect(await row()).toMatchObject({ status: 'failed' })
  })

  // The server reads both changes at once.
  test('managed off and on again in one transaction', async () => {
    await database.sql.begin(async (tx) => {
      await tx`update connections set managed = false`
      await tx`update connections set managed = true`
    })
    await is({ status: 'connected', owned: true })
    await until(() => broker.sockets === 1)
  })

  test('another id', async () => {
    await database.sql`update connections set id = 'renamed'`
    await is({ status: 'connected', owned: true }, 'renamed')
    await until(() => broker.sockets === 1)
  })

  test.each([
    [
      'with the columns that a new row needs',
      `insert into connections (id, site_id, name) values ('connected-1', 's', 'N')`,
      'disconnected',
    ],
    ['as it was', `insert into connections select * from saved`, 'connected'],
    [
      'as it was, with a status of another time',
      `insert into connections select * from saved; update connections set status = 'failed'`,
      'connected',
    ],
  ])('deleted and inserted again in one transaction, %s', async (_, insert, status) => {
    await database.sql.begin(async (tx) => {
      await tx`create temporary table saved on commit drop as select * from connections`
      await tx`delete from connections`
      await tx.unsafe(insert)
    })
    await is({ status })
    await until(() => broker.sockets === (status === 'connected' ? 1 : 0))
    await is({ status })
  })
})

test.each(['for update', 'for no key update', 'for share'])(
  'a row without an owner that another transaction has locked %s when the node starts is claimed after it has ended',
  async (lock) => {
    await database.sql`
      insert into connections (id, site_id, name, host, port, desired)
      values ('locked', 's', 'N', '127.0.0.1', ${broker.port}, 'connected'),
        ('other', 's', 'N', '127.0.0.1', ${broker.port}, 'connected')`
    await database.sql.begin(async (tx) => {
      await tx.unsafe(`select from connections where id = 'locked' ${lock}`)
      house = await House.open(database.url, { LEASE_TTL_MS: '1500' })
      await until(() => broker.sockets > 0)
    })
    await until(() => broker.sockets === 2, { timeoutMs: 10_000 })
  },
)

test('a node claims a row that a foreign key of another table has locked, and carries out its commands', async () => {
  await database.sql`
    insert into connections (id, site_id, name, host, port, desired)
    values ('referenced', 's', 'N', '127.0.0.1', ${broker.port}, 'connected')`
  await database.sql`create table public.notes (about text references connections (id))`
  await database.sql.begin(async (tx) => {
    await tx`insert into public.notes values ('referenced')`
    house = await House.open(database.url, {})
    await until(() => broker.sockets === 1)
    const url = `${house.url}/api/v1/connections/referenced/disconnect`
    const answer = await fetch(url, { method: 'POST', signal: AbortSignal.timeout(10_000) })
    expect(answer.status).toBe(202)
    await until(() => broker.sockets === 0)
  })
})

test('times that can not be true are corrected when a connection is taken', async () => {
  await database.sql`
    insert into connections (id, site_id, name, host, port, desired, since, last_message_at, device, device_since)
    values
      ('a', 's', 'A', '127.0.0.1', ${broker.port}, 'connected', 'infinity', 'infinity', 'online', 'infinity'),
      ('b', 's', 'B', '127.0.0.1', ${broker.port}, 'connected', '-infinity', '-infinity', 'online', '-infinity'),
      ('c', 's', 'C', '127.0.0.1', ${broker.port}, 'connected', '294276-12-31', '294276-12-31', 'online', '0044-03-15 BC')`
  house = await House.open(database.url, { LEASE_TTL_MS: '1500' })
  await until(async () => {
    const rows = await database.sql`
      select from connections
      where status = 'connected' and device = 'unknown' and last_message_at is null
        and since between now() - interval '1 minute' and now()
        and device_since between now() - interval '1 minute' and now()`
    return rows.length === 3
  })
})

/** Reads continue while the database takes no writes, for each cause, and every command gets an answer in time. */
import { Broker } from '@mqtt-status/testing/broker'
import { until } from '@mqtt-status/testing/until'
import type postgres from 'postgres'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { House } from './house.ts'
import { OwnPostgres } from './own-postgres.ts'

const PATIENCE = { timeoutMs: 40_000 }
const SETTINGS = { STATEMENT_TIMEOUT_MS: '1500', LEASE_TTL_MS: '3000', FEED_POLL_MS: '100' }

let own: OwnPostgres
let broker: Broker
let house: House

beforeAll(async () => {
  own = await OwnPostgres.create()
  broker = await Broker.start()
})

beforeEach(async () => {
  house = await House.open(own.url, SETTINGS)
  await own.sql`
    insert into connections (id, site_id, name, host, port, client_id, desired)
    values ('a', 's1', 'A', '127.0.0.1', ${broker.port}, 'a', 'connected'),
      ('b', 's2', 'B', '127.0.0.1', ${broker.port}, 'b', 'connected')`
  await own.sql`insert into connections (id, site_id, name, managed) values ('seen', 's1', 'S', false)`
  const client = await house.watch()
  await client.sees('a', 'connected')
  await client.sees('b', 'connected')
})

afterEach(async () => {
  await own.sql`delete from connections`
  await house.close()
})

afterAll(async () => {
  await own.remove()
  await broker.stop()
})

function post(path: string, key = crypto.randomUUID()): Promise<Response> {
  return fetch(`${house.url}/api/v1/connections/${path}`, {
    method: 'POST',
    headers: { 'idempotency-key': key },
  })
}

/** Everything that only reads answers: health, readiness, rows, settings, a socket with a snapshot. */
async function expectReads(): Promise<void> {
  expect(await house.unready()).toEqual([])
  for (const path of ['healthz', 'api/v1/connections', 'api/v1/connections/a'])
    expect((await fetch(`${house.url}/${path}`)).status, path).toBe(200)
  expect((await fetch(`${house.url}/api/v1/connections/a/settings`)).status).toBe(200)
  expect((await fetch(`${house.url}/api/v1/audit`)).status).toBe(200)
  const client = await house.watch()
  expect(client.rows.size).toBe(3)
}

async function holding(
  lock: string,
  work: (tx: postgres.TransactionSql) => Promise<void>,
): Promise<void> {
  await own.sql.begin(async (tx) => {
    await tx.unsafe(lock)
    await work(tx)
  })
}

test.each([
  ['the table of connections', 'lock table connections in exclusive mode'],
  ['every row', 'select from connections for update'],
  ['the table of commands', 'lock table commands in exclusive mode'],
  ['the timeline', 'lock table connection_events in exclusive mode'],
])(
  'while %s is locked, commands are refused in time and all reads are answered',
  async (_name, lock) => {
    await holding(lock, async () => {
      const commands = Array.from({ length: 12 }, () => post('a/reconnect'))
      await expectReads()
      for (const response of await Promise.all(commands)) {
        if (lock.includes('connection_events')) continue
        expect(response.status).toBe(503)
        const problem = (await response.json()) as Record<string, unknown>
        expect(problem).toMatchObject({ code: 'database_unavailable' })
        expect(problem['outcome']).toBeUndefined()
      }
      await expectReads()
      expect(broker.sockets).toBe(2)
    })
    expect((await post('a/connect')).status).toBe(202)
  },
)

test('while an open transaction has one row locked, the server writes the others, and that row with its newest status afterwards', async () => {
  const client = await house.watch()
  const before = await own.sql`select id, owner_id, epoch from connections order by id`
  await holding("select from connections where id = 'a' for update", async () => {
    const begun = performance.now()
    expect((await post('b/disconnect')).status).toBe(202)
    await client.sees('b', 'disconnected')
    expect((await post('b/connect')).status).toBe(202)
    await client.sees('b', 'connected')
    await broker.kill()
    await client.sees('b', 'reconnecting')
    await until(() => performance.now() - begun > 4_000, { what: 'a lease to be renewed' })
    expect(client.rows.get('a')?.status, 'nothing was written').toBe('connected')
    expect((await post('a/reconnect')).status, 'a command for that row').toBe(503)
    await expectReads()
  })
  await client.sees('a', 'reconnecting')
  await broker.restart()
  await client.sees('a', 'connected')
  await client.sees('b', 'connected')
  const after = await own.sql`select id, owner_id, epoch from connections order by id`
  expect([...after], 'owners').toEqual([...before])
  expect(house.log.filter((line) => /can not be|had ended/.test(line))).toEqual([])
}, 120_000)

test.each([
  ['the table of leases is locked', 'lock table supervisors in exclusive mode'],
  ['an index of the leases is built', 'lock table supervisors in share mode'],
  ['every lease is locked', 'select from supervisors for update'],
])(
  'while %s, no connection is dialled or lost, and afterwards no owner has changed',
  async (_name, lock) => {
    const before = await own.sql`select id, owner_id, epoch from connections order by id`
    await holding(lock, async () => {
      await until(() => house.log.some((line) => line.includes('can not be renewed')), PATIENCE)
      await expectReads()
      // Long enough for every lease to end.
      const begun = performance.now()
      await until(() => performance.now() - begun > 9_000, PATIENCE)
      await expectReads()
      expect(broker.sockets).toBe(2)
    })
    await until(() => house.log.some((line) => line.includes('the lease had ended')), PATIENCE)
    const after = await own.sql`select id, owner_id, epoch from connections order by id`
    expect([...after]).toEqual([...before])
    const unknown = await own.sql`select from connections where status = 'unknown'`
    expect(unknown).toHaveLength(0)
  },
)

test('while a synchronous standby is gone, commands answer in time that their outcome is unknown, and every row is correct afterwards', async () => {
  const before = await own.sql`select id, owner_id, epoch from connections order by id`
  const client = await house.watch()
  await own.sql`alter system set synchronous_standby_names = 'nowhere'`
  await own.sql`select pg_reload_conf()`
  const seen = async (): Promise<boolean> => {
    const [found] = await own.sql`select current_setting('synchronous_standby_names') as names`
    return found?.['names'] === 'nowhere'
  }
  await until(seen)
  const key = crypto.randomUUID()
  const answers = await Promise.all([post('a/reconnect', key), post('b/reconnect')])
  for (const response of answers) {
    expect(response.status).toBe(503)
    expect(await response.json()).toMatchObject({
      code: 'database_unavailable',
      outcome: 'unknown',
    })
  }
  await expectReads()
  await until(() => house.log.some((line) => line.includes('can not be renewed')), PATIENCE)
  const begun = performance.now()
  await until(() => performance.now() - begun > 5_000, PATIENCE)
  await expectReads()
  expect(client.open).toBe(true)
  expect(client.received.filter((line) => line.endsWith(' unknown'))).toEqual([])
  const waiting = await own.sql`
    select from pg_stat_activity where application_name like 'mqtt-status%' and wait_event = 'SyncRep'`
  expect(waiting.length, 'backends that wait for the standby').toBeLessThan(10)

  await own.sql`alter system reset synchronous_standby_names`
  await own.sql`select pg_reload_conf()`
  await until(async () => (await post('a/reconnect', key)).status === 202, PATIENCE)
  const [row] = await own.sql`select generation from connections where id = 'a'`
  expect(Number(row?.['generation']), 'the repetition is the same command').toBeLessThanOrEqual(1)
  await client.sees('a', 'connected')
  await client.sees('b', 'connected')
  await until(async () => {
    const [left] = await own.sql`
      select count(*)::int as n from connections where generation > observed_generation and managed`
    return left?.['n'] === 0
  }, PATIENCE)
  const after = await own.sql`select id, owner_id, epoch from connections order by id`
  expect([...after], 'owners').toEqual([...before])
}, 120_000)

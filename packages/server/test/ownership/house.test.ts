/** One server in this process, so that what it leaves behind is counted. */
import { until } from '@mqtt-status/testing/until'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { House } from '../faults/house.ts'
import { OwnPostgres } from '../faults/own-postgres.ts'
import { Census } from './census.ts'

let own: OwnPostgres
let broker: Census
let house: House

beforeAll(async () => {
  own = await OwnPostgres.create()
})

beforeEach(async () => {
  broker = await Census.start()
})

afterEach(async () => {
  await own.start()
  await house.close()
  await own.sql`delete from connections`
  await broker.stop()
})

afterAll(() => own.remove())

/** A server that keeps so many connections. */
async function open(count: number): Promise<void> {
  house = await House.open(own.url, { LEASE_TTL_MS: '1500' })
  await own.sql`
    insert into connections (id, site_id, name, host, port, client_id, desired)
    select 'c' || n, 's1', 'C', '127.0.0.1', ${broker.port}, 'c' || n, 'connected'
    from generate_series(1, ${count}) n`
  await until(async () => (await statuses())['connected'] === count)
}

async function statuses(): Promise<Record<string, number>> {
  const found = await own.sql<{ status: string; count: number }[]>`
    select status, count(*)::int as count from connections group by status`
  return Object.fromEntries(found.map(({ status, count }) => [status, count]))
}

test('scenario 17: while Postgres is away connections stay up and no row is dialled; afterwards every status is correct', async () => {
  await open(10)
  const client = await house.watch()
  await own.stop('immediate')
  await until(() => house.log.some((line) => line.includes('the lease can not be renewed')))
  broker.cut('c1')
  broker.cut('c2')
  await until(() => broker.live === 8)
  // The log line comes after 5 s, later than the first retries are due, and after the end of the lease.
  await until(() => client.feed.includes('stale'), { timeoutMs: 20_000 })
  expect(broker.accepts, 'nothing was dialled').toBe(10)

  await own.start()
  await until(() => broker.live === 10, { timeoutMs: 20_000 })
  await until(async () => (await statuses())['connected'] === 10)
  expect(broker.acceptsOf('c1')).toBe(2)
  // The others have the same owner as before: no node has claimed them.
  expect(broker.accepts).toBe(12)
  await client.sees('c1', 'connected')
}, 60_000)

test('scenario 17: the node finds changes without a notification when it listens again', async () => {
  await open(3)
  const fence = async () => {
    const [row] = await own.sql`select epoch from connections where id = 'c1'`
    return BigInt(String(row?.['epoch']))
  }
  // An id that was here before begins above the fences of its former owners.
  const before = await fence()
  // As if the answer to a claim, and the notification of it, had been lost.
  await own.sql`update connections set owner_id = null, epoch = epoch + 1 where id = 'c1'`
  await own.sql`
    select pg_terminate_backend(pid)
    from pg_stat_activity
    where datname = current_database() and application_name = 'mqtt-status-listen'`
  await until(() => broker.acceptsOf('c1') === 2, { timeoutMs: 20_000 })
  await until(async () => {
    const [row] = await own.sql`select epoch, owner_id from connections where id = 'c1'`
    return BigInt(String(row?.['epoch'])) === before + 2n && row?.['owner_id'] !== null
  })
  expect(broker.accepts).toBe(4)
}, 60_000)

test('a row that another node claims is closed without a write, and kept again when that node releases it', async () => {
  await open(2)
  const client = await house.watch()
  await own.sql`update connections set managed = false where id = 'c1'`
  await until(() => !broker.isLive('c1'))
  await own.sql`update connections set status = 'failed', reason = 'quota' where id = 'c1'`
  await client.sees('c1', 'failed')

  const asked = await fetch(`${house.url}/api/v1/connections/c1/reconnect`, { method: 'POST' })
  expect(asked.status).toBe(202)
  await until(() => client.rows.get('c1')?.generation === 1)
  await own.sql`update connections set desired = null where id = 'c1'`
  const refused = await fetch(`${house.url}/api/v1/connections/c1/connect`, { method: 'POST' })
  expect(refused.status).toBe(409)
  expect(await refused.json()).toMatchObject({ code: 'not_controllable' })
  expect(client.rows.get('c1')).toMatchObject({ status: 'failed', observedGeneration: 0 })
  expect(broker.accepts).toBe(2)

  await own.sql`update connections set managed = true, desired = 'connected' where id = 'c1'`
  await client.sees('c1', 'connected')
  expect(broker.isLive('c1')).toBe(true)
}, 60_000)

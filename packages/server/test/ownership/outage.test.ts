/** Two processes that lose their database together, for longer than their leases last. */
import { until } from '@mqtt-status/testing/until'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { OwnPostgres } from '../faults/own-postgres.ts'
import { Census } from './census.ts'
import { Instance } from './instance.ts'

const COUNT = 20
const TTL_MS = 6_000
const PATIENCE = { timeoutMs: 60_000 }

let own: OwnPostgres
let broker: Census
const instances: Instance[] = []

beforeAll(async () => {
  own = await OwnPostgres.create()
  broker = await Census.start()
})

afterAll(async () => {
  await Promise.all(instances.map((instance) => instance.end('SIGKILL')))
  await own.remove()
  await broker.stop()
})

async function start(): Promise<Instance> {
  const environment = { DATABASE_URL: own.url, LEASE_TTL_MS: String(TTL_MS) }
  const instance = await Instance.start(environment)
  instances.push(instance)
  return instance
}

/** Who keeps what, and how often that has changed. */
async function owners(): Promise<readonly unknown[]> {
  return [...(await own.sql`select id, owner_id, epoch from connections order by id`)]
}

/** Shared out evenly, all connected, and each dialled once for each owner it has had. */
async function settled(): Promise<true> {
  const [row] = await own.sql`
    select count(*) filter (where status = 'connected')::int as up,
      sum(epoch)::int as claims,
      (
        select coalesce(max(n), 0)::int
        from (select count(*) as n from connections group by owner_id) shares
      ) as most
    from connections`
  expect({ ...row, live: broker.live, dials: broker.total }).toEqual({
    ...{ up: COUNT, most: COUNT / 2, live: COUNT },
    ...{ claims: row?.['claims'], dials: row?.['claims'] },
  })
  return true
}

test('scenario 17: after an outage longer than a TTL no node claims rows of another node that had the same outage', async () => {
  const [first, second] = [await start(), await start()]
  // A node that joins later would get rows that the other one has claimed and not dialled yet.
  await until(
    async () =>
      (await own.sql`select from supervisors where lease_expires_at > now()`).length === 2,
    { ...PATIENCE, what: 'two leases' },
  )
  await own.sql`
    insert into connections (id, site_id, name, host, port, client_id, desired)
    select 'c' || n, 's1', 'C', '127.0.0.1', ${broker.port}, 'c' || n, 'connected'
    from generate_series(1, ${COUNT}) n`
  await until(settled, { ...PATIENCE, what: 'even shares' })
  const before = await owners()
  broker.forget()

  await own.stop('immediate')
  const stoppedAt = performance.now()
  await until(() => performance.now() - stoppedAt > TTL_MS, PATIENCE)
  expect(broker.live, 'open connections').toBe(COUNT)
  await own.start()
  for (const { output } of [first, second]) expect(output).toContain('can not be renewed')
  await until(
    () => instances.every(({ output }) => output.includes('the lease had ended')),
    PATIENCE,
  )
  // A new command shows that both act again.
  await own.sql`
    update connections
    set desired = 'disconnected', generation = generation + 1`
  await until(() => broker.live === 0, PATIENCE)
  expect(broker.accepts, 'dials').toBe(0)
  expect(await owners()).toEqual(before)
}, 120_000)

/** `HOLD_S=60` holds the transaction open for that long; without it, for as long as twenty changes take. */
import { createDatabase } from '@mqtt-status/testing/postgres'
import type { TestDatabase } from '@mqtt-status/testing/postgres'
import { until } from '@mqtt-status/testing/until'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { House } from './house.ts'

const HOLD_MS = Number(process.env['HOLD_S'] ?? 0) * 1_000
const FRAME_BYTES = 64 * 1024

let database: TestDatabase
let house: House

beforeEach(async () => {
  database = await createDatabase()
  // Open before anybody counts sockets.
  await Promise.all(Array.from({ length: 4 }, () => database.sql`select pg_sleep(0.05)`))
  // Rows arrive here because of a notification: the timer would come after the test.
  house = await House.open(database.url, { FEED_POLL_MS: '60000' })
})

afterEach(async () => {
  await house.close()
  await database.drop()
})

test(
  'while a transaction is held open elsewhere, others are delivered at once and once, and it when it commits',
  async () => {
    await database.sql`
    insert into connections (id, site_id, name, managed)
    values ('held', 's1', 'A', false), ('free', 's1', 'B', false)`
    const client = await house.watch()
    await until(() => client.rows.size === 2)
    client.received.length = 0

    const committed = Promise.withResolvers<undefined>()
    const begun = Promise.withResolvers<undefined>()
    const transaction = database.sql.begin(async (tx) => {
      await tx`update connections set status = 'connected' where id = 'held'`
      begun.resolve(undefined)
      await committed.promise
    })
    await begun.promise
    const statuses: string[] = []
    const started = performance.now()
    while (statuses.length < 20 || performance.now() - started < HOLD_MS) {
      const status = statuses.length % 2 === 0 ? 'failed' : 'unknown'
      statuses.push(status)
      await database.sql`update connections set status = ${status} where id = 'free'`
      await client.sees('free', status)
    }
    expect(client.received).toEqual(statuses.map((status) => `free ${status}`))

    committed.resolve(undefined)
    await transaction
    await client.sees('held', 'connected')
    expect(client.received.filter((line) => line.startsWith('held'))).toHaveLength(1)
  },
  30_000 + HOLD_MS,
)

test('fifty thousand connections in one statement reach a client in frames of 64 KiB at most', async () => {
  const early = await house.watch()
  await database.sql`
    insert into connections (id, site_id, name, managed)
    select 'plant-' || n, 's' || n % 100, 'Plant ' || n, false
    from generate_series(1, 50000) n`
  await until(() => early.rows.size === 50_000, { timeoutMs: 30_000 })
  const late = await house.watch()
  expect(late.rows.size).toBe(50_000)
  expect(Math.max(early.longest, late.longest)).toBeLessThanOrEqual(FRAME_BYTES)

  await database.sql`
    update connections
    set status = 'connected'
    where id in (select 'plant-' || n from generate_series(1, 10000) n)`
  for (const client of [early, late]) {
    await until(() => count(client.rows.values(), 'connected') === 10_000, { timeoutMs: 20_000 })
    expect(client.longest).toBeLessThanOrEqual(FRAME_BYTES)
    expect(client.open).toBe(true)
  }
  expect(await house.unready()).toEqual([])
}, 90_000)

function count(rows: Iterable<{ status: string }>, status: string): number {
  let found = 0
  for (const row of rows) if (row.status === status) found++
  return found
}

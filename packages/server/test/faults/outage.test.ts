/** `AWAY_S=20` stops Postgres for 20 s; without it the test stops Postgres until the server reports a stale feed. */
import { until } from '@mqtt-status/testing/until'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { House } from './house.ts'
import { OwnPostgres } from './own-postgres.ts'

const AWAY_MS = Number(process.env['AWAY_S'] ?? 0) * 1_000

let own: OwnPostgres
let house: House

beforeAll(async () => {
  own = await OwnPostgres.create()
})

afterEach(async () => {
  await own.start()
  await house.close()
  await own.sql`delete from connections`
})

afterAll(() => own.remove())

async function open(): Promise<void> {
  house = await House.open(own.url)
  await own.sql`
    insert into connections (id, site_id, name, managed)
    values ('a', 's1', 'A', false), ('b', 's1', 'B', false)`
}

test(
  'while Postgres is away clients stay connected, get a stale feed, and then the changes',
  async () => {
    await open()
    const client = await house.watch()
    await until(() => client.rows.size === 2)
    await own.stop('immediate')
    const away = performance.now()
    await until(() => client.feed.includes('stale'), { timeoutMs: 9_000 })
    expect(await house.unready()).toContain('the database can not be read')
    await until(() => performance.now() - away >= AWAY_MS, { timeoutMs: AWAY_MS + 1_000 })
    expect(client.open).toBe(true)
    expect(client.feed).toEqual(['stale'])

    await own.start()
    await own.sql`update connections set status = 'failed' where id = 'a'`
    await until(() => client.feed.includes('live'))
    await client.sees('a', 'failed')
    expect(client.feed).toEqual(['stale', 'live'])
    expect(client.types.filter((type) => type === 'snapshot')).toHaveLength(1)
    await until(async () => (await house.unready()).length === 0)
  },
  60_000 + AWAY_MS,
)

test('after a restart of Postgres the server answers an earlier cursor with the changes since', async () => {
  await open()
  const first = await house.watch()
  await until(() => first.rows.size === 2 && first.cursor !== null)
  const [before] = await own.sql`select epoch from meta`
  await own.stop('fast')
  await own.start()
  await own.sql`update connections set status = 'connected' where id = 'b'`
  await first.sees('b', 'connected')

  const second = await house.watch({ all: true, cursor: first.cursor ?? '' })
  expect(second.types).not.toContain('snapshot')
  expect(first.open).toBe(true)
  expect(await own.sql`select epoch from meta`).toEqual([before])
})

test('a command during an outage is refused with database_unavailable, and can be repeated', async () => {
  await open()
  await own.stop('fast')
  const post = (): Promise<Response> =>
    fetch(`${house.url}/api/v1/connections/a/connect`, { method: 'POST' })
  const refused = await post()
  expect(refused.status).toBe(503)
  expect(await refused.json()).toMatchObject({ code: 'database_unavailable' })
  await own.start()
  await until(async () => (await post()).status === 202)
})

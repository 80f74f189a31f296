import { FaultProxy } from '@mqtt-status/testing/fault-proxy'
import { createDatabase } from '@mqtt-status/testing/postgres'
import type { TestDatabase } from '@mqtt-status/testing/postgres'
import { until } from '@mqtt-status/testing/until'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ChangeFeed } from '../../src/db/feed/change-feed.ts'
import { direct } from '../../src/db/postgres/lane.ts'
import { connectSql, DEFAULT_SCHEMA, inSchema } from '../../src/db/postgres/sql.ts'
import type { Sql } from '../../src/db/postgres/sql.ts'
import { createLog } from '../../src/log.ts'
import { House } from './house.ts'

let database: TestDatabase

beforeEach(async () => {
  database = await createDatabase()
  await database.sql`insert into connections (id, site_id, name) values ('a', 's1', 'A')`
})

afterEach(async () => {
  await database.drop()
})

test('a change right after the listening session was terminated is delivered', async () => {
  // The timer is out of the way: what arrives does so because a session listens again.
  const house = await House.open(database.url, { FEED_POLL_MS: '600000', SUPERVISOR: 'off' })
  const client = await house.watch()
  await until(async () => (await house.unready()).length === 0)
  for (const status of ['connected', 'failed', 'unknown'] as const) {
    const killed = await database.sql`
      select pg_terminate_backend(pid)
      from pg_stat_activity
      where datname = current_database() and application_name = 'mqtt-status-listen'`
    expect(killed).toHaveLength(1)
    await database.sql`update connections set status = ${status} where id = 'a'`
    await client.sees('a', status)
    await until(async () => (await house.unready()).length === 0)
  }
  expect(client.received).toEqual(['a disconnected', 'a connected', 'a failed', 'a unknown'])
  await house.close()
})

test('a probe finds a listening session that went silent; until then the timer delivers changes', async () => {
  const proxy = await FaultProxy.start(Number(new URL(database.url).port))
  const pool: Sql = inSchema(
    connectSql(database.url, {
      max: 2,
      applicationName: 'mqtt-status',
    }),
    DEFAULT_SCHEMA,
  )
  const seen: string[] = []
  const through = new URL(database.url)
  through.port = String(proxy.port)
  const feed = new ChangeFeed({
    lane: direct(pool),
    upkeep: direct(pool),
    listenAddress: through.href,
    pollMs: 500,
    listenerTiming: { probeMs: 100, answerMs: 200 },
    log: createLog({ level: 'silent', format: 'json' }),
    onRead: ({ rows }) => seen.push(...rows.map(({ connection }) => connection.status)),
    onState: () => undefined,
  })
  await feed.start()
  await until(() => feed.listening)

  proxy.mode = 'drop'
  await database.sql`update connections set status = 'connected' where id = 'a'`
  await until(() => seen.includes('connected'))
  await until(() => !feed.listening, { what: 'the silence to be noticed' })
  await database.sql`update connections set status = 'failed' where id = 'a'`
  await until(() => seen.includes('failed'))

  proxy.mode = 'pass'
  await until(() => feed.listening, { what: 'another session' })
  expect(feed.metrics.reconnects).toBeGreaterThan(0)
  const notified = feed.metrics.notifications
  await database.sql`update connections set status = 'unknown' where id = 'a'`
  await until(() => seen.includes('unknown'))
  await until(() => feed.metrics.notifications > notified)
  expect(seen).toEqual(['disconnected', 'connected', 'failed', 'unknown'])

  await feed.stop()
  await pool.end({ timeout: 1 })
  await proxy.stop()
})

import { createDatabase } from '@mqtt-status/testing/postgres'
import type { TestDatabase } from '@mqtt-status/testing/postgres'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Checks } from '../../src/ownership/checks.ts'
import type { CheckResult } from '../../src/model/check-result.ts'
import { renewLease } from '../../src/db/ownership/leases.ts'
import { Listener } from '../../src/db/feed/listener.ts'
import { direct } from '../../src/db/postgres/lane.ts'
import { connectSql, DEFAULT_SCHEMA, inSchema } from '../../src/db/postgres/sql.ts'
import type { Sql } from '../../src/db/postgres/sql.ts'
import { createLog } from '../../src/log.ts'

let database: TestDatabase
let sql: Sql
const stops: (() => Promise<void> | void)[] = []
const log = createLog({ level: 'silent', format: 'json' })

beforeEach(async () => {
  database = await createDatabase()
  sql = inSchema(
    connectSql(database.url, {
      max: 5,
      applicationName: 'test-checks',
    }),
    DEFAULT_SCHEMA,
  )
  await database.sql`
    insert into connections (id, site_id, name, owner_id)
    values ('mine', 's1', 'A', 'me'), ('yours', 's1', 'B', 'you'), ('free', 's1', 'C', null)`
  for (const ownerId of ['me', 'you'])
    await renewLease(sql, { ownerId, ttlMs: 60_000, version: null })
})

afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
  await sql.end({ timeout: 1 })
  await database.drop()
})

/** One node; a deaf one receives no calls. */
function node(ownerId: string, answers: Record<string, CheckResult>, deaf = false): Checks {
  const checks = new Checks({
    queries: direct(sql),
    commands: direct(sql),
    ownerId,
    local: (id) => Promise.resolve(answers[id] ?? null),
    log,
  })
  const listener = new Listener({
    address: database.url,
    log,
    onPoke: () => undefined,
    onCall: (called) => {
      if (!deaf) checks.receive(called)
    },
  })
  listener.start({ changes: 'mqtt_status', calls: 'mqtt_status_calls' })
  stops.push(() => listener.stop())
  stops.push(() => {
    checks.stop()
  })
  return checks
}

const ALIVE: CheckResult = { ok: true, reason: null, tookMs: 3 }
const GONE: CheckResult = { ok: false, reason: 'keepalive_timeout', tookMs: 4_000 }

test('a node answers checks of its own connections, and asks the owner of all others', async () => {
  const here = node('me', { mine: ALIVE })
  node('you', { yours: GONE })
  expect(await here.ask('mine')).toEqual(ALIVE)
  expect(await here.ask('yours')).toEqual(GONE)
  expect(await database.sql`select from connection_checks`).toHaveLength(0)
})

test('a check of a connection without an owner, or whose lease has ended, is answered at once', async () => {
  const here = node('me', {})
  const lost = { ok: false, reason: 'supervisor_lost' }
  expect(await here.ask('free')).toMatchObject(lost)
  expect(await here.ask('nope')).toMatchObject(lost)
  await database.sql`update supervisors set lease_expires_at = now() where id = 'you'`
  expect(await here.ask('yours')).toMatchObject(lost)
})

test('an answer whose notification is lost is found by polling', async () => {
  const here = node('me', {}, true)
  node('you', { yours: ALIVE })
  expect(await here.ask('yours')).toEqual(ALIVE)
})

test('a check waits six seconds at most for the answer of the owner', async () => {
  const here = node('me', {})
  node('you', { yours: ALIVE }, true)
  const askedAt = performance.now()
  expect(await here.ask('yours')).toMatchObject({ ok: false, reason: 'supervisor_lost' })
  expect(performance.now() - askedAt).toBeGreaterThan(5_000)
  expect(await database.sql`select from connection_checks`).toHaveLength(0)
})

test('a check that waits when the node ends is answered at once', async () => {
  const here = node('me', {})
  node('you', { yours: ALIVE }, true)
  const asked = here.ask('yours')
  here.stop()
  expect(await asked).toMatchObject({ ok: false, reason: 'supervisor_lost' })
})

import { createDatabase } from '@mqtt-status/testing/postgres'
import type { TestDatabase } from '@mqtt-status/testing/postgres'
import { until } from '@mqtt-status/testing/until'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ChangeFeed } from '../../src/db/feed/change-feed.ts'
import type { FeedRead } from '../../src/db/feed/change-feed.ts'
import { readSince, START } from '../../src/db/feed/feed-read.ts'
import { direct } from '../../src/db/postgres/lane.ts'
import { connectSql, DEFAULT_SCHEMA, inSchema } from '../../src/db/postgres/sql.ts'
import type { Sql } from '../../src/db/postgres/sql.ts'
import { createLog } from '../../src/log.ts'

const NEVER_MS = 600_000
const log = createLog({ level: 'silent', format: 'json' })

let database: TestDatabase
let sql: Sql
let feed: ChangeFeed
let reads: FeedRead[]

beforeEach(async () => {
  database = await createDatabase()
  await database.sql`
    insert into connections (id, site_id, name)
    values ('a', 's1', 'A'), ('b', 's1', 'B'), ('c', 's2', 'C')`
  sql = inSchema(
    connectSql(database.url, {
      max: 3,
      applicationName: 'test-feed',
    }),
    DEFAULT_SCHEMA,
  )
})

afterEach(async () => {
  await feed.stop()
  await sql.end({ timeout: 1 })
  const left = await database.sql`
    select application_name
    from pg_stat_activity
    where datname = current_database() and application_name in ('test-feed', 'mqtt-status-listen')`
  expect(left, 'sessions left behind').toHaveLength(0)
  await database.drop()
})

/** A feed whose timer is out of the way, unless it is the subject. */
async function start(pollMs = NEVER_MS, readMs?: number): Promise<void> {
  reads = []
  feed = new ChangeFeed({
    lane: direct(sql),
    upkeep: direct(sql),
    listenAddress: database.url,
    pollMs,
    ...(readMs === undefined ? {} : { readMs }),
    log,
    onRead: (read) => reads.push(read),
    onState: () => undefined,
  })
  await feed.start()
  if (pollMs === NEVER_MS) await until(() => feed.listening, { what: 'the feed to listen' })
}

function delivered(): string[] {
  return reads
    .slice(1)
    .flatMap(({ rows, tombstones }) => [
      ...rows.map(({ connection }) => `${connection.id}@${connection.siteId} ${connection.status}`),
      ...tombstones.map(({ id, siteId }) => `-${id}@${siteId}`),
    ])
}

test('the first read is a snapshot of all rows, in the form of the protocol', async () => {
  await start()
  expect(reads[0]?.kind).toBe('snapshot')
  expect(reads[0]?.rows.map(({ connection }) => connection.id).toSorted()).toEqual(['a', 'b', 'c'])
  expect(reads[0]?.rows.find(({ connection }) => connection.id === 'a')?.connection).toEqual({
    id: 'a',
    siteId: 's1',
    name: 'A',
    revision: expect.any(Number),
    desired: 'disconnected',
    desiredAt: null,
    desiredBy: null,
    status: 'disconnected',
    reason: null,
    detail: null,
    since: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    generation: 0,
    observedGeneration: 0,
    lastMessageAt: null,
    device: 'unknown',
    deviceSince: null,
    managed: true,
    labels: {},
  })
})

test('a change, a move and a deletion are delivered once each', async () => {
  await start()
  await database.sql`update connections set status = 'connected' where id = 'a'`
  await until(() => delivered().length === 1)
  await database.sql`update connections set site_id = 's9' where id = 'b'`
  await until(() => delivered().length === 3)
  await database.sql`delete from connections where id = 'c'`
  await until(() => delivered().length === 4)
  await feed.read()
  expect(delivered()).toEqual(['a@s1 connected', 'b@s9 disconnected', '-b@s1', '-c@s2'])
})

test('a late commit is delivered late, and nothing is lost over a transaction that stays open', async () => {
  await start()
  let commit = (): void => undefined
  const held = new Promise<void>((resolve) => (commit = resolve))
  const slow = database.sql.begin(async (tx) => {
    await tx`update connections set status = 'failed' where id = 'a'`
    await held
  })
  await until(
    async () =>
      (await database.sql`select 1 from pg_locks where mode = 'RowExclusiveLock'`).length > 0,
  )
  await database.sql`update connections set status = 'connected' where id = 'b'`
  await until(() => delivered().length === 1)
  // Read again and again while the mark is held back: still delivered once.
  await feed.read()
  await feed.read()
  expect(delivered()).toEqual(['b@s1 connected'])
  commit()
  await slow
  await until(() => delivered().length === 2)
  expect(delivered()).toEqual(['b@s1 connected', 'a@s1 failed'])
})

test('while a transaction stays open, a read returns new changes only, and no row that was read before', async () => {
  await start()
  const open = await database.sql.reserve()
  await open`begin`
  await open`update connections set name = 'late' where id = 'c'`
  await database.sql`
    insert into connections (id, site_id, name) select 'x' || i, 's1', 'X' from generate_series(1, 1000) i`
  await database.sql`delete from connections where id in ('b', 'x1')`
  const all = await readSince(sql, START)
  expect(all.position.open, 'the mark is held back').toContain(all.mark)
  await database.sql`update connections set name = 'new' where id = 'x7'`
  await database.sql`delete from connections where id = 'x8'`
  const next = await readSince(sql, all.position)
  expect(next.mark).toBe(all.mark)
  expect(next.rows.map(({ connection: { id, name } }) => `${id} ${name}`)).toEqual(['x7 new'])
  expect(next.tombstones.map(({ id }) => id)).toEqual(['x8'])
  await open`commit`
  open.release()
  const last = await readSince(sql, next.position)
  expect(last.mark).toBeGreaterThan(next.mark)
  expect(last.rows.map(({ connection: { id, name } }) => `${id} ${name}`)).toEqual(['c late'])
  expect(last.tombstones).toEqual([])
})

test('an update arrives although the listening session was terminated', async () => {
  await start()
  const killed = await database.sql`
    select pg_terminate_backend(pid)
    from pg_stat_activity
    where datname = current_database() and application_name = 'mqtt-status-listen'`
  expect(killed).toHaveLength(1)
  await database.sql`update connections set status = 'connected' where id = 'a'`
  await until(() => delivered().length === 1)
  await until(() => feed.listening)
  expect(feed.metrics.reconnects).toBe(1)
})

test('without a notification the timer of the feed finds a change', async () => {
  await database.sql`alter table connections disable trigger connections_poke_update`
  await start(100)
  await database.sql`update connections set status = 'connected' where id = 'a'`
  await until(() => delivered().length === 1)
})

test('a read begins after its call, and callers share it', async () => {
  await start()
  const before = reads.length
  const first = feed.read()
  const later = [feed.read(), feed.read(), feed.read()]
  expect(new Set(later).size).toBe(1)
  await database.sql`update connections set name = 'new' where id = 'a'`
  await Promise.all([first, ...later])
  await feed.read()
  expect(delivered().filter((line) => line.startsWith('a@'))).toHaveLength(1)
  expect(reads.length).toBeGreaterThanOrEqual(before + 2)
})

test('the feed has one read at a time, also for a call at the moment at which one ends', async () => {
  await start()
  let first = feed.read()
  let second = feed.read()
  // Where the listener has just begun one, both wait for the same.
  while (first === second) {
    await first
    first = feed.read()
    second = feed.read()
  }
  await first
  // The second one has not begun yet, so it serves as well.
  expect(feed.read()).toBe(second)
  await second
})

test('a read that timed out and is answered later loses no change', async () => {
  await start(NEVER_MS, 300)
  await database.sql.begin(async (tx) => {
    await tx`lock table connections in access exclusive mode`
    await expect(feed.read()).rejects.toThrow('no answer')
    await tx`update connections set status = 'failed' where id = 'b'`
  })
  const waiting = () => database.sql`
    select from pg_stat_activity where application_name = 'test-feed' and state = 'active'`
  await until(async () => (await waiting()).length === 0, { what: 'the late answer' })
  await until(
    async () => {
      await feed.read()
      return delivered().includes('b@s1 failed')
    },
    { what: 'the change', timeoutMs: 3_000 },
  )
})

test('a database that is a copy gets an epoch of its own, and readers a snapshot', async () => {
  await start()
  const before = reads[0]?.epoch
  await feed.stop()
  await database.sql`update meta set system_identifier = system_identifier - 1`
  await start()
  expect(reads[0]?.kind).toBe('snapshot')
  expect(reads[0]?.epoch).not.toBe(before)
  expect(reads[0]?.rows).toHaveLength(3)
})

test('an epoch that changes under a running feed is delivered as a snapshot', async () => {
  await start()
  await database.sql`update meta set epoch = gen_random_uuid()`
  await feed.read()
  expect(reads.at(-1)?.kind).toBe('snapshot')
  expect(reads.at(-1)?.rows).toHaveLength(3)
})

test('a feed that can not read reports stale, and live when it can read again', async () => {
  reads = []
  const states: string[] = []
  feed = new ChangeFeed({
    lane: direct(sql),
    upkeep: direct(sql),
    listenAddress: database.url,
    pollMs: 50,
    log,
    onRead: (read) => reads.push(read),
    onState: (state) => states.push(state),
  })
  await feed.start()
  await database.sql`alter table meta rename to hidden`
  await until(() => states.includes('stale'))
  await expect(feed.read()).rejects.toThrow('meta')
  await database.sql`alter table hidden rename to meta`
  await until(() => states.includes('live'))
  expect(states).toEqual(['stale', 'live'])
})

import { createDatabase } from '@mqtt-status/testing/postgres'
import type { TestDatabase } from '@mqtt-status/testing/postgres'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { endLease, renewLease, startDraining } from '../../src/db/ownership/leases.ts'
import { markLost } from '../../src/db/ownership/lost-rows.ts'
import {
  claim,
  countShares,
  findOwner,
  listHeld,
  readOwned,
  release,
} from '../../src/db/ownership/ownership.ts'
import { choresOf } from '../../src/db/upkeep/retention.ts'
import type { Chore } from '../../src/db/upkeep/retention.ts'
import { connectSql, DEFAULT_SCHEMA, inSchema } from '../../src/db/postgres/sql.ts'
import type { Sql } from '../../src/db/postgres/sql.ts'
import { writeStatuses } from '../../src/db/ownership/status-writes.ts'
import { seen } from './seen.ts'

let database: TestDatabase
let sql: Sql

beforeEach(async () => {
  database = await createDatabase()
  sql = inSchema(
    connectSql(database.url, {
      max: 10,
      applicationName: 'test-leases',
    }),
    DEFAULT_SCHEMA,
  )
})

afterEach(async () => {
  await sql.end({ timeout: 1 })
  await database.drop()
})

const ALL = { limit: 1_000, lost: true }

function lease(ownerId: string, ttlMs = 60_000): ReturnType<typeof renewLease> {
  return renewLease(sql, { ownerId, ttlMs, version: '1.2.3' })
}

/** Its last beat was long ago. */
async function die(ownerId: string, ago = '10 minutes'): Promise<void> {
  await database.sql`
    update supervisors
    set lease_expires_at = now() - ${ago}::interval
    where id = ${ownerId}`
}

function choreOf(name: string): Chore {
  const chore = choresOf({ historyDays: 90, auditDays: 365 }).find((each) => each.name === name)
  if (chore === undefined) throw new Error(`There is no chore ${name}`)
  return chore
}

async function add(id: string, columns: Record<string, unknown> = {}): Promise<void> {
  await database.sql`insert into connections ${database.sql({
    id,
    site_id: 's1',
    name: id,
    desired: 'connected',
    ...columns,
  })}`
}

async function row(id: string): Promise<Record<string, unknown>> {
  const [found] = await database.sql<Record<string, unknown>[]>`
    select * from connections where id = ${id}`
  return found ?? {}
}

test('a lease is valid as long as its node renews it in time, and a renewal returns the other living nodes', async () => {
  expect(await lease('a')).toEqual({ held: false, others: [] })
  expect(await lease('a')).toEqual({ held: true, others: [] })
  expect(await lease('b')).toEqual({ held: false, others: ['a'] })
  await die('a')
  expect(await lease('b')).toEqual({ held: true, others: [] })
  expect(await lease('a'), 'it had ended').toEqual({ held: false, others: ['b'] })
  expect(await startDraining(sql, 'b')).toBe(1)
  expect(await lease('a'), 'who drains takes nothing').toEqual({ held: true, others: [] })
})

test('a node claims rows that a node has to keep and none does, and no others', async () => {
  await lease('me')
  await add('wanted')
  await add('idle', { desired: 'disconnected' })
  await add('asked', { desired: 'disconnected', generation: 3 })
  await add('left', { desired: 'disconnected', status: 'connected' })
  await add('observed', { managed: false })
  await add('no-wish', { managed: false, desired: null, generation: 7 })
  const claimed = await claim(sql, 'me', ALL)
  expect(claimed.map(({ id }) => id).toSorted()).toEqual(['asked', 'left', 'wanted'])
  expect(await claim(sql, 'me', ALL)).toEqual([])
  expect(await countShares(sql, 'me')).toEqual({ wanted: 3, mine: 3, free: 0, instances: 1 })
  expect(await findOwner(sql, 'wanted')).toBe('me')
  expect(await findOwner(sql, 'idle')).toBeNull()
})

test('a node without a valid lease claims nothing', async () => {
  await add('a')
  expect(await claim(sql, 'me', ALL)).toEqual([])
  await lease('me')
  await die('me')
  expect(await claim(sql, 'me', ALL)).toEqual([])
  await lease('me')
  await startDraining(sql, 'me')
  expect(await claim(sql, 'me', ALL)).toEqual([])
})

test('a node claims no row of a living node, and rows of a dead node only where it may inherit', async () => {
  await add('a')
  await lease('first')
  expect(await claim(sql, 'first', ALL)).toMatchObject([{ fence: 1, inherited: false }])
  await lease('second')
  expect(await claim(sql, 'second', ALL)).toEqual([])
  await die('first')
  expect(await claim(sql, 'second', { limit: 10, lost: false })).toEqual([])
  expect(await claim(sql, 'second', ALL)).toMatchObject([{ fence: 2, inherited: true }])
})

test('twenty instances that claim at once share without overlap, and none claims above its limit', async () => {
  const owners = Array.from({ length: 20 }, (_, i) => `o${i}`)
  for (const owner of owners) await lease(owner)
  await database.sql`
    insert into connections (id, site_id, name, desired)
    select 'c' || n, 's1', 'C', 'connected' from generate_series(1, 400) n`
  const taken: string[] = []
  while (taken.length < 400) {
    const claims = owners.map((owner) => claim(sql, owner, { limit: 7, lost: true }))
    for (const rows of await Promise.all(claims)) {
      expect(rows.length).toBeLessThanOrEqual(7)
      taken.push(...rows.map(({ id }) => id))
    }
  }
  expect(new Set(taken).size).toBe(400)
  const fences = await database.sql`select distinct epoch from connections`
  expect([...fences]).toEqual([{ epoch: '1' }])
})

test('scenario 16: a write of a former owner, or of a former fence of the same owner, affects 0 rows', async () => {
  await add('a')
  await lease('me')
  const [mine] = await claim(sql, 'me', ALL)
  const write = (ownerId: string, fence: number): Promise<ReadonlyMap<string, unknown>> =>
    writeStatuses(sql, ownerId, [seen('a', fence, { status: 'failed', reason: 'flapping' })])
  await release(sql, 'me', [{ id: 'a', fence: mine?.fence ?? 0 }])
  expect((await write('me', 1)).size).toBe(0)
  await lease('you')
  await claim(sql, 'you', ALL)
  expect((await write('me', 1)).size).toBe(0)
  await release(sql, 'you', [{ id: 'a', fence: 2 }])
  await claim(sql, 'me', ALL)
  expect((await write('me', 1)).size, 'an old fence of the present owner').toBe(0)
  expect((await write('me', 3)).size).toBe(1)
})

test('only rows of that fence are released', async () => {
  await add('a')
  await lease('me')
  await claim(sql, 'me', ALL)
  await release(sql, 'me', [{ id: 'a', fence: 0 }])
  await release(sql, 'you', [{ id: 'a', fence: 1 }])
  expect(await listHeld(sql, 'me')).toMatchObject([{ id: 'a', fence: 1 }])
  await release(sql, 'me', [{ id: 'a', fence: 1 }])
  expect(await listHeld(sql, 'me')).toEqual([])
})

test('a row that is not managed any more is fenced off at once, and free once it is again', async () => {
  await add('a')
  await lease('me')
  await claim(sql, 'me', ALL)
  await database.sql`update connections set managed = false where id = 'a'`
  expect(await readOwned(sql, 'me', ['a'])).toEqual([])
  expect(await row('a')).toMatchObject({ owner_id: null, epoch: '2' })
  expect(await claim(sql, 'me', ALL)).toEqual([])
  await database.sql`update connections set managed = true where id = 'a'`
  expect(await claim(sql, 'me', ALL)).toMatchObject([{ id: 'a', fence: 4 }])
})

test('scenario 18: a row without a living owner is unknown since the lease of its owner ended; other rows stay as they are', async () => {
  await add('a', { status: 'connected', device: 'online' })
  await add('off', { desired: 'disconnected' })
  await add('seen', { managed: false, desired: null, status: 'connected' })
  await database.sql`update connections set since = now() - interval '1 hour'`
  await lease('me')
  await claim(sql, 'me', ALL)
  expect(await markLost(sql), 'the owner is alive').toBe(0)
  await die('me', '7 minutes')
  expect(await markLost(sql)).toBe(1)
  expect(await markLost(sql), 'once').toBe(0)
  expect(await row('a')).toMatchObject({
    status: 'unknown',
    reason: 'supervisor_lost',
    device: 'stale',
    owner_id: null,
    epoch: '2',
  })
  expect(await row('off')).toMatchObject({ status: 'disconnected' })
  expect(await row('seen')).toMatchObject({ status: 'connected' })
  const dates = await database.sql`
    select c.since = s.lease_expires_at as since, e.at = s.lease_expires_at as event
    from connections c, connection_events e, supervisors s
    where c.id = 'a' and e.connection_id = 'a' and e.status = 'unknown'`
  expect([...dates]).toEqual([{ since: true, event: true }])
})

test('scenario 18: a row that was released and not claimed is unknown, too', async () => {
  await add('a', { status: 'connected' })
  await lease('me')
  await claim(sql, 'me', ALL)
  await release(sql, 'me', [{ id: 'a', fence: 1 }])
  await die('me')
  expect(await markLost(sql)).toBe(1)
  expect(await row('a')).toMatchObject({ status: 'unknown', reason: 'supervisor_lost' })
})

test('leases that ended long ago are deleted, unless a row needs the time of their end', async () => {
  await add('a')
  for (const id of ['keeper', 'idle', 'me']) await lease(id)
  await claim(sql, 'keeper', ALL)
  await endLease(sql, 'keeper')
  for (const id of ['keeper', 'idle']) await die(id, '2 days')
  await choreOf('leases').prune(sql)
  const left = await database.sql`select id, version from supervisors order by id`
  expect([...left]).toEqual([
    { id: 'keeper', version: '1.2.3' },
    { id: 'me', version: '1.2.3' },
  ])
})

import { createDatabase } from '@mqtt-status/testing/postgres'
import type { TestDatabase } from '@mqtt-status/testing/postgres'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { command } from '../../src/db/connections/commands.ts'
import type { CommandRequest, CommandResult } from '../../src/db/connections/commands.ts'
import { writeActivity } from '../../src/db/ownership/activity.ts'
import { endLease, renewLease } from '../../src/db/ownership/leases.ts'
import { claim } from '../../src/db/ownership/ownership.ts'
import type { Claimed } from '../../src/model/claimed.ts'
import { writeStatuses } from '../../src/db/ownership/status-writes.ts'
import type { StatusWrite } from '../../src/model/observed.ts'
import { direct } from '../../src/db/postgres/lane.ts'
import { connectSql, DEFAULT_SCHEMA, inSchema } from '../../src/db/postgres/sql.ts'
import type { Sql } from '../../src/db/postgres/sql.ts'
import { seen, seenOf } from './seen.ts'

let database: TestDatabase
let sql: Sql

beforeEach(async () => {
  database = await createDatabase()
  sql = inSchema(
    connectSql(database.url, {
      max: 8,
      applicationName: 'test-commands',
    }),
    DEFAULT_SCHEMA,
  )
  await database.sql`insert into connections (id, site_id, name, managed, desired) values
    ('a', 's', 'A', true, 'disconnected'), ('seen', 's', 'Seen', false, null), ('watched', 's', 'W', false, 'connected')`
})

afterEach(async () => {
  await sql.end({ timeout: 1 })
  await database.drop()
})

function ask(change: Partial<CommandRequest>): Promise<CommandResult> {
  return command(direct(sql), {
    id: 'a',
    siteId: 's',
    action: 'connect',
    actor: 'me',
    idempotencyKey: null,
    ...change,
  })
}

test('a command changes desired, raises the generation and is in the audit', async () => {
  expect(await ask({})).toMatchObject({
    kind: 'accepted',
    generation: 1,
    connection: { desired: 'connected', desiredBy: 'me', generation: 1, observedGeneration: 0 },
  })
  await ask({ action: 'reconnect' })
  await ask({ action: 'disconnect', actor: null })
  const [row] =
    await sql`select desired, generation, restart_generation, desired_by from ${sql.schema}.connections where id = 'a'`
  expect(row).toEqual({
    desired: 'disconnected',
    generation: 3,
    restart_generation: 1,
    desired_by: null,
  })
  const audit = await sql`select action, actor, generation from ${sql.schema}.commands order by id`
  expect(audit.map((entry) => Object.values(entry))).toEqual([
    ['connect', 'me', 1],
    ['reconnect', 'me', 2],
    ['disconnect', null, 3],
  ])
})

test('a command to a row that does not exist, or has no desired, is refused', async () => {
  expect(await ask({ id: 'nope' })).toEqual({ kind: 'not_found' })
  expect(await ask({ id: 'seen' })).toEqual({ kind: 'not_controllable' })
  expect(await ask({ id: 'watched', action: 'disconnect' })).toMatchObject({ kind: 'accepted' })
})

test('a command that is repeated with its key is made once, also at the same time; the key with another action is a conflict', async () => {
  const results = await Promise.all(Array.from({ length: 8 }, () => ask({ idempotencyKey: 'k' })))
  expect(results.map((result) => result.kind === 'accepted' && result.generation)).toEqual(
    Array(8).fill(1),
  )
  expect(await ask({ idempotencyKey: 'k', action: 'disconnect' })).toEqual({
    kind: 'idempotency_conflict',
  })
  // A key belongs to the actor that has used it, and expires after 24 h.
  expect(await ask({ idempotencyKey: 'k', action: 'disconnect', actor: 'you' })).toMatchObject({
    generation: 2,
  })
  await database.sql`update commands set at = at - interval '25 hours'`
  expect(await ask({ idempotencyKey: 'k', action: 'disconnect' })).toMatchObject({ generation: 3 })
})

test('only the present owner can write a status', async () => {
  const write = (fence: number): StatusWrite => seen('a', fence)
  await database.sql`update connections set desired = 'connected' where id = 'a'`
  for (const ownerId of ['me', 'you'])
    await renewLease(sql, { ownerId, ttlMs: 60_000, version: null })
  const all = { limit: 10, lost: true }
  const [mine, ...others] = await claim(sql, 'me', all)
  expect(mine).toMatchObject({ id: 'a', fence: 1, dial: { protocol: 'mqtt', host: null } })
  expect(others).toEqual([])
  expect(await claim(sql, 'you', all)).toEqual([])
  await endLease(sql, 'me')
  expect(await claim(sql, 'you', all)).toMatchObject([{ id: 'a', fence: 2 }])
  expect([...(await writeStatuses(sql, 'me', [write(1)])).keys()]).toEqual([])
  expect([...(await writeStatuses(sql, 'you', [write(2)])).keys()]).toEqual(['a'])
  const [row] = await database.sql`select status, subscriptions_ok from connections where id = 'a'`
  expect(row).toEqual({ status: 'connected', subscriptions_ok: true })
})

/** The one row, kept by `me`. */
async function claimed(): Promise<Claimed | undefined> {
  await database.sql`update connections set desired = 'connected' where id = 'a'`
  await renewLease(sql, { ownerId: 'me', ttlMs: 60_000, version: null })
  const [mine] = await claim(sql, 'me', { limit: 1, lost: false })
  return mine
}

test('the present owner alone writes times of messages, in one statement, and a time never goes back', async () => {
  const mine = await claimed()
  const fence = mine?.fence ?? 0
  expect(mine).toMatchObject({ seen: { device: 'unknown' }, lastMessageAgeMs: null })
  let lastMessageAt: string | null = null
  const write = async (ownerId: string, ofFence: number, ageMs: number): Promise<string[]> => {
    const written = await writeActivity(sql, ownerId, [
      { id: 'a', fence: ofFence, ageMs, lastMessageAt },
    ])
    lastMessageAt = seenOf(written, 'a')?.lastMessageAt ?? lastMessageAt
    return [...written.keys()]
  }
  expect(await write('you', fence, 0)).toEqual([])
  expect(await write('me', fence - 1, 0)).toEqual([])
  expect(await write('me', fence, 1_000)).toEqual(['a'])
  expect(await write('me', fence, 60_000)).toEqual(['a'])
  const [row] = await database.sql`
    select extract(epoch from now() - last_message_at)::float8 as age from connections where id = 'a'`
  expect(row?.['age']).toBeGreaterThanOrEqual(1)
  expect(row?.['age']).toBeLessThan(59)
})

test('a write of a status has the state of the device, and its time unless that state has just changed', async () => {
  const { fence = 0 } = (await claimed()) ?? {}
  const write = async (change: Partial<StatusWrite>): Promise<string | null | undefined> =>
    seenOf(await writeStatuses(sql, 'me', [seen('a', fence, change)]), 'a')?.deviceSince
  expect(await write({}), 'never turned').toBeNull()
  const turned = await write({ device: 'online', deviceTurned: true })
  expect(turned).toMatch(/^20/)
  expect(await write({ device: 'online', deviceSince: turned ?? null })).toBe(turned)
})

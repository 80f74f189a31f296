/** Many changes at once, on whole servers: each client gets a few frames, never one for each change. */
import { createDatabase } from '@mqtt-status/testing/postgres'
import type { TestDatabase } from '@mqtt-status/testing/postgres'
import { until } from '@mqtt-status/testing/until'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Node } from './nodes.ts'
import { Reader } from './reader.ts'
import { eventStream, websocket } from './wires.ts'

const ROWS = 500
const TICK_MS = 50

let database: TestDatabase
let nodes: Node[]
let readers: Reader[]

beforeEach(async () => {
  database = await createDatabase()
  await database.sql`
    insert into connections (id, site_id, name)
    select 'c' || i, 's' || i % 5, 'plant ' || i from generate_series(1, ${ROWS}::int) i`
  nodes = [0, 1].map(() => new Node({ DATABASE_URL: database.url, TICK_MS: String(TICK_MS) }))
  await Promise.all(nodes.map((node) => node.start()))
  readers = Array.from(
    { length: 40 },
    (_, i) =>
      new Reader(`reader ${i}`, i % 2 === 0 ? websocket : eventStream, {
        token: null,
        watch: i % 4 < 2 ? { all: true } : { sites: ['s1'] },
      }),
  )
  for (const [i, reader] of readers.entries()) reader.connect(nodes[i % 2]?.url ?? '')
  await until(() => readers.every((reader) => reader.rows.size >= ROWS / 5))
})

afterEach(async () => {
  for (const reader of readers) reader.disconnect()
  await Promise.all(nodes.map((node) => node.stop()))
  await database.drop()
})

async function allSee(status: string): Promise<void> {
  await until(
    () =>
      readers.every((reader) => [...reader.rows.values()].every((row) => row.status === status)),
    { what: `everything to be ${status} everywhere` },
  )
  expect(readers.flatMap((reader) => reader.faults)).toEqual([])
}

test('five hundred rows in one transaction are one delivery', async () => {
  const before = readers.map((reader) => reader.frames)
  await database.sql`update connections set status = 'failed'`
  await allSee('failed')
  // 500 rows are 200 KiB, and a frame has 64 KiB at most.
  for (const [i, reader] of readers.entries())
    expect(reader.frames - (before[i] ?? 0)).toBeLessThanOrEqual(5)
})

test('five hundred transactions are at most one delivery a tick', async () => {
  const before = readers.map((reader) => reader.frames)
  const beganAt = performance.now()
  const ids = Array.from({ length: ROWS }, (_, i) => `c${i + 1}`)
  await Promise.all(
    ids.map((id) => database.sql`update connections set status = 'failed' where id = ${id}`),
  )
  await allSee('failed')
  const ticks = Math.ceil((performance.now() - beganAt) / TICK_MS) + 1
  for (const [i, reader] of readers.entries()) {
    // Each delivery may need pages for as many rows as there are.
    expect(reader.frames - (before[i] ?? 0)).toBeLessThanOrEqual(ticks + 5)
  }
})

/**
 * How long the change feed takes to read one change, alone and beside a transaction that stays open elsewhere in the
 * cluster while 20,000 rows are written. The naive read, everything since the oldest open transaction, runs beside it.
 */
import { performance } from 'node:perf_hooks'
import { readSince, START } from '../packages/server/src/db/feed/feed-read.ts'
import type { Position } from '../packages/server/src/db/feed/feed-read.ts'
import { connectSql, inSchema } from '../packages/server/src/db/postgres/sql.ts'
import { startDatabase } from './database.ts'
import { printMachine, printTable } from './table.ts'
import type { Cell } from './table.ts'

const ROWS = 20_000
const READS = 200

const database = await startDatabase(ROWS)
const sql = inSchema(connectSql(database.url, { max: 1, applicationName: 'bench' }), 'mqtt_status')
const { sql: writer } = database

/** Changes one row and reads from a position, again and again. */
async function measure(from: Position, mayAdvance: boolean): Promise<readonly number[]> {
  const times: number[] = []
  let position = from
  for (let i = 0; i < READS; i++) {
    await writer`update connections set name = ${`n${i}`} where id = ${`c${i}`}`
    const startedMs = performance.now()
    const answer = await readSince(sql, position)
    times.push(performance.now() - startedMs)
    if (mayAdvance) position = answer.position
  }
  return times.toSorted((a, b) => a - b)
}

function row(what: string, times: readonly number[]): readonly Cell[] {
  const at = (share: number): Cell => times[Math.floor(share * (times.length - 1))] ?? null
  return [what, at(0.5), at(0.99)]
}

const { position: first } = await readSince(sql, START)
const alone = row('nothing else is open', await measure(first, true))

const open = await writer.reserve()
await open`begin`
await open`select pg_current_xact_id()`
await writer`update connections set name = 'written meanwhile'`
const { position: beside } = await readSince(sql, first)
const remembered = row(
  'a transaction stays open, 20,000 rows written meanwhile',
  await measure(beside, true),
)
const naive = row(
  'the same, all read again from the mark that it holds back',
  await measure(first, false),
)
await open`rollback`
open.release()
await sql.end()
await database.stop()

printMachine(database.version)
printTable(['a read of one change of 20,000 rows', 'p50 ms', 'p99 ms'], [alone, remembered, naive])

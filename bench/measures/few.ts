import { freePort } from '@mqtt-status/testing/free-port'
import { CrowdProcess } from '../crowd-process.ts'
import { fill } from '../database.ts'
import type { BenchDatabase } from '../database.ts'
import { startOurs } from '../subject.ts'
import { say } from '../table.ts'
import type { Cell } from '../table.ts'
import { measureRate } from './rate.ts'

const CROWDS = [1_000, 10_000]
/** 200 row changes a second: 20 transactions of 10 rows. */
const PER_SECOND = 20
const ROWS_EACH = 10

/** Clients that each watch three rows of many: the cost must follow what is delivered. */
export async function measureFew(
  database: BenchDatabase,
  rows: number,
  seconds: number,
): Promise<Cell[][]> {
  await fill(database.sql, rows)
  const table: Cell[][] = []
  for (const count of CROWDS) {
    say(`${count} clients that watch 3 of ${rows} rows`)
    const subject = await startOurs('status-ws', {
      url: database.url,
      sql: database.sql,
      rows,
      port: await freePort(),
    })
    const crowd = new CrowdProcess()
    try {
      const { kind, port } = subject
      await crowd.open({ kind, port, count, together: 100, watch: { each: 3, of: rows } })
      const rate = await measureRate({
        subject,
        crowd,
        database,
        perSecond: PER_SECOND,
        rows: ROWS_EACH,
        seconds,
      })
      table.push([count, rate.usPerDelivery, rate.p99Ms, `${(rate.cpu * 100).toFixed(1)} %`])
    } finally {
      await crowd.end()
      await subject.stop()
    }
  }
  return table
}

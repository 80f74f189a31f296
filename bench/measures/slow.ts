import { freePort } from '@mqtt-status/testing/free-port'
import { CrowdProcess } from '../crowd-process.ts'
import { fill } from '../database.ts'
import type { BenchDatabase } from '../database.ts'
import { delay, rssKiB } from '../process.ts'
import { startOurs } from '../subject.ts'
import { percentile, say } from '../table.ts'
import type { Cell } from '../table.ts'
import { measureRate } from './rate.ts'

/** A row of the site that all clients watch. */
const ROWS = 100
const PER_SECOND = 15
/** Of a few dozen changes the worst one alone would be the p99. */
const SECONDS = 30
/** Rows of another site, which only the slow clients watch: 4 MB at once fill every buffer of the system. */
const HEAVY = { rows: 100, bytes: 40_000, times: 4 }

/** A twentieth of the clients stop reading: deliveries to the others must not slow down, and memory must have a bound. */
export async function measureSlow(
  database: BenchDatabase,
  { clients, runs }: { clients: number; runs: number },
): Promise<Cell[][]> {
  const table: Cell[][] = []
  await fill(database.sql, ROWS + HEAVY.rows)
  for (const wire of ['status-ws', 'status-sse'] as const) {
    const p99s: { all: number[]; others: number[] } = { all: [], others: [] }
    let moreMiB = 0
    for (let run = 0; run < runs; run++) {
      say(`slow clients, ${wire}, run ${run + 1} of ${runs}`)
      const subject = await startOurs(wire, {
        url: database.url,
        sql: database.sql,
        rows: ROWS,
        port: await freePort(),
      })
      const crowd = new CrowdProcess()
      try {
        const { kind, port } = subject
        const slow = Math.round(clients / 20)
        const open = { kind, port, together: 100 } as const
        await crowd.open({ ...open, count: slow, watch: 'all' })
        await crowd.open({ ...open, count: clients - slow, watch: { site: 's0' } })
        const measure = () =>
          measureRate({ subject, crowd, database, perSecond: PER_SECOND, seconds: SECONDS })
        p99s.all.push((await measure()).p99Ms ?? 0)
        const before = rssKiB(subject.pid)
        await crowd.pause(slow)
        await stuff(database)
        p99s.others.push((await measure()).p99Ms ?? 0)
        moreMiB = Math.max(moreMiB, (rssKiB(subject.pid) - before) / 1_024)
      } finally {
        await crowd.end()
        await subject.stop()
      }
    }
    const all = percentile(p99s.all, 0.5) ?? 0
    const others = percentile(p99s.others, 0.5) ?? 0
    table.push([wire === 'status-ws' ? 'WebSocket' : 'SSE', all, others, others / all, moreMiB])
  }
  return table
}

/** Fills the buffers of the slow clients. */
async function stuff({ sql }: BenchDatabase): Promise<void> {
  for (let i = 0; i < HEAVY.times; i++) {
    await sql`
      update connections
      set labels = jsonb_build_object('ballast', repeat(${String(i)}, ${HEAVY.bytes}::int))
      where site_id = 's1'`
    await delay(500)
  }
}

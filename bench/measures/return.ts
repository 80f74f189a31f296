import { freePort } from '@mqtt-status/testing/free-port'
import { CrowdProcess } from '../crowd-process.ts'
import { fill } from '../database.ts'
import type { BenchDatabase } from '../database.ts'
import { cpuMs, delay } from '../process.ts'
import { startOurs } from '../subject.ts'
import { say } from '../table.ts'
import type { Cell } from '../table.ts'

/** The server is restarted, and the whole fleet resumes at the same moment instead of spread out. */
export async function measureReturn(
  database: BenchDatabase,
  { fleet, rows }: { fleet: number; rows: number },
): Promise<Cell[][]> {
  const { sql, url } = database
  await fill(sql, rows)
  const table: Cell[][] = []
  for (const wire of ['status-ws', 'status-sse'] as const) {
    say(`${fleet} clients come back, ${wire}`)
    const port = await freePort()
    const crowd = new CrowdProcess()
    const first = await startOurs(wire, { url, sql, rows, port })
    try {
      await crowd.open({ kind: wire, port, count: fleet, together: 100, watch: 'all' })
      await first.stop()
      await delay(500)
      // The server has to send the changes that the clients have missed.
      await sql`update connections set status = 'reconnecting' where id in ('c1', 'c2', 'c3')`
      const second = await startOurs(wire, { url, sql, rows, port })
      try {
        const beforeMs = cpuMs(second.pid)
        const beganAt = performance.now()
        await crowd.open({
          kind: wire,
          port,
          count: fleet,
          together: fleet,
          watch: 'all',
          resume: true,
        })
        const seconds = (performance.now() - beganAt) / 1_000
        const { answered } = await crowd.report()
        const cpuS = (cpuMs(second.pid) - beforeMs) / 1_000
        const name = wire === 'status-ws' ? 'WebSocket' : 'SSE'
        table.push([name, seconds, String(answered.patch), String(answered.snapshot), cpuS])
      } finally {
        await second.stop()
      }
    } finally {
      await crowd.end()
      await first.stop()
    }
  }
  return table
}

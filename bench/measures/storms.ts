import { freePort } from '@mqtt-status/testing/free-port'
import { CrowdProcess } from '../crowd-process.ts'
import type { BenchDatabase } from '../database.ts'
import { marker, nowMs } from '../marker.ts'
import { cpuMs, delay } from '../process.ts'
import { startNchanPeer, startOurs, startPeer } from '../subject.ts'
import type { Subject } from '../subject.ts'
import { say } from '../table.ts'
import type { Cell } from '../table.ts'

interface Storm {
  readonly name: string
  readonly start: () => Promise<Subject | null>
  /** Changes every row once; answers when the last one is committed. */
  readonly blow: (subject: Subject) => Promise<void>
}

const LATE_MS = 60_000
const SESSIONS = 8

/** All rows change at once, in one transaction and in as many; the peers receive all at once. */
export async function measureStorms(
  database: BenchDatabase,
  { clients, rows }: { clients: number; rows: number },
): Promise<Cell[][]> {
  const { sql, url } = database
  const ours = (wire: 'status-ws' | 'status-sse') => async () =>
    startOurs(wire, { url, sql, rows, port: await freePort() })
  const inOne = (subject: Subject): Promise<void> => subject.change(1, rows)
  const inMany = async (): Promise<void> => {
    const ids = Array.from({ length: rows }, (_, i) => i)
    const session = async (): Promise<void> => {
      for (let id = ids.pop(); id !== undefined; id = ids.pop())
        await sql`update connections set name = ${marker(id + 1)} where id = ${`c${id}`}`
    }
    await Promise.all(Array.from({ length: SESSIONS }, session))
  }
  const storms: Storm[] = [
    { name: 'mqtt-status, WebSocket, one transaction', start: ours('status-ws'), blow: inOne },
    {
      name: `mqtt-status, WebSocket, ${rows} transactions`,
      start: ours('status-ws'),
      blow: inMany,
    },
    { name: 'mqtt-status, SSE, one transaction', start: ours('status-sse'), blow: inOne },
    { name: `mqtt-status, SSE, ${rows} transactions`, start: ours('status-sse'), blow: inMany },
    { name: 'nchan in nginx, WebSocket', start: () => startNchanPeer('ws'), blow: inOne },
    { name: '`ws`, ready-made frame', start: () => startPeer('ws-ready'), blow: inOne },
    { name: '`ws`, `send` per client', start: () => startPeer('ws'), blow: inOne },
    { name: 'socket.io', start: () => startPeer('socketio'), blow: inOne },
    { name: 'hono `streamSSE`', start: () => startPeer('sse-hono'), blow: inOne },
  ]
  const table: Cell[][] = []
  for (const storm of storms) {
    say(storm.name)
    const row = await measureStorm(storm, clients, rows)
    if (row !== null) table.push(row)
  }
  return table
}

async function measureStorm(storm: Storm, clients: number, rows: number): Promise<Cell[] | null> {
  const subject = await storm.start()
  if (subject === null) return null
  const crowd = new CrowdProcess()
  try {
    const { kind, port, pid } = subject
    await crowd.open({ kind, port, count: clients, together: 100, watch: 'all' })
    await delay(1_000)
    await crowd.reset()
    const beforeMs = cpuMs(pid)
    await storm.blow(subject)
    const committedAt = nowMs()
    const arrived = await crowd.until(rows, LATE_MS)
    await delay(500)
    const { changes, chunks, lastAtMs } = await crowd.report()
    const seconds = arrived ? Math.max(0, lastAtMs - committedAt) / 1_000 : null
    const usPerChange = ((cpuMs(pid) - beforeMs) * 1_000) / changes
    return [storm.name, seconds, usPerChange, chunks / clients]
  } finally {
    await crowd.end()
    await subject.stop()
  }
}

import type postgres from 'postgres'
import { LoadClient } from '../load/client.ts'
import type { WireKind } from '../load/wire.ts'
import { marker, nowMs } from '../marker.ts'
import { delay } from '../process.ts'
import { percentile } from '../table.ts'

export interface HopsOptions {
  readonly sql: postgres.Sql
  readonly port: number
  readonly kind: WireKind
  readonly changes: number
  /** How many ids the client names. @default 1 */
  readonly ids?: number
}

export interface Hops {
  /** From the answer to the statement, which is after its commit; below zero is sooner than that. */
  readonly p50: number | null
  readonly p99: number | null
  /** From before the statement was sent. */
  readonly p50Commit: number | null
}

/** The row that is changed; one client watches it. */
const ROW = 9_999
/** Longer than a tick: each change finds an idle moment. */
const APART_MS = 60
const WARM_UP = 50

let sequence = 1

/** One change after the other, each timed until one client has it. */
export async function measureHops(options: HopsOptions): Promise<Hops> {
  const { sql, port, kind, changes, ids = 1 } = options
  const connections = Array.from({ length: ids }, (_, i) => `c${ROW - i}`)
  let onChange: (atMs: number) => void = () => undefined
  const client = new LoadClient({
    kind,
    port,
    watched: { connections },
    onChange: (_, number) => {
      if (number === sequence) onChange(nowMs())
    },
  })
  await client.ready
  const fromAnswer: number[] = []
  const fromStart: number[] = []
  for (let i = 0; i < changes + WARM_UP; i++) {
    sequence++
    const arrived = new Promise<number>((resolve) => (onChange = resolve))
    const startedAt = nowMs()
    await sql`update connections set name = ${marker(sequence)} where id = ${`c${ROW}`}`
    const answeredAt = nowMs()
    const arrivedAt = await arrived
    if (i >= WARM_UP) {
      fromAnswer.push(Math.max(0, arrivedAt - answeredAt))
      fromStart.push(arrivedAt - startedAt)
    }
    await delay(APART_MS)
  }
  client.destroy()
  return {
    p50: percentile(fromAnswer, 0.5),
    p99: percentile(fromAnswer, 0.99),
    p50Commit: percentile(fromStart, 0.5),
  }
}

import type { CrowdProcess } from '../crowd-process.ts'
import type { BenchDatabase } from '../database.ts'
import { cpuMs, delay, treeCpuMs } from '../process.ts'
import type { Subject } from '../subject.ts'
import { percentile } from '../table.ts'

export interface RateOptions {
  readonly subject: Subject
  readonly crowd: CrowdProcess
  readonly database: BenchDatabase
  /** Times that something changes. */
  readonly perSecond: number
  readonly seconds: number
  /** Rows of each change. @default 1 */
  readonly rows?: number
}

export interface Rate {
  /** User and system time of the server for one change at one client, in µs. */
  readonly usPerDelivery: number
  readonly postgresUsPerDelivery: number | null
  readonly p99Ms: number | null
  /** Changes that arrived at a client. */
  readonly delivered: string
  /** Share of one core. */
  readonly cpu: number
}

let sequence = 1

/** As many changes as it takes to compile what is hot, since a server runs for months and not for ten seconds. */
const WARM_UP = { perSecond: 50, seconds: 4 }

/** Changes at an even rate, and what they cost until all have arrived. */
export async function measureRate(options: RateOptions): Promise<Rate> {
  const { subject, crowd, database } = options
  const ours = subject.kind.startsWith('status')
  await crowd.reset()
  await change({ ...options, ...WARM_UP })
  await crowd.until(WARM_UP.perSecond * WARM_UP.seconds, 10_000)
  await delay(1_000)
  await crowd.reset()
  const postgres = (): number | null =>
    ours && database.pid !== null ? treeCpuMs(database.pid) : null
  const before = { server: cpuMs(subject.pid), postgres: postgres() }
  const beganAt = performance.now()
  await change(options)
  // Deliveries that are more than 1 s late do not count.
  await delay(1_000)
  const took = performance.now() - beganAt
  const after = { server: cpuMs(subject.pid), postgres: postgres() }
  const { changes, latenciesMs } = await crowd.report()
  const usedMs = after.server - before.server
  return {
    usPerDelivery: (usedMs * 1_000) / changes,
    postgresUsPerDelivery:
      after.postgres === null || before.postgres === null
        ? null
        : ((after.postgres - before.postgres) * 1_000) / changes,
    p99Ms: percentile(latenciesMs, 0.99),
    delivered: String(changes),
    cpu: usedMs / took,
  }
}

async function change({ subject, perSecond, seconds, rows = 1 }: RateOptions): Promise<void> {
  const beganAt = performance.now()
  const pending: Promise<void>[] = []
  for (let i = 0; i < perSecond * seconds; i++) {
    await delay(Math.max(0, beganAt + (i * 1_000) / perSecond - performance.now()))
    pending.push(subject.change(sequence, rows))
    sequence += rows
  }
  await Promise.all(pending)
}

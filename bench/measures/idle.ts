import type { CrowdProcess } from '../crowd-process.ts'
import { delay, rssKiB } from '../process.ts'
import type { Subject } from '../subject.ts'

const FEW = 2_000
const MANY = 6_000
const COUNT = 10_000
/** After the last client has opened: the server answers what is left, and its collector runs if it wants to. */
const SETTLE_MS = 5_000

function opening({ kind, port }: Subject) {
  return { kind, port, watch: { each: 1, of: 1 }, together: 100 } as const
}

/**
 * The slope of resident memory between 2,000 and 6,000 clients that receive nothing, in KiB per client, each time after a
 * forced collection of garbage: what a client holds.
 */
export async function measureCollected(subject: Subject, crowd: CrowdProcess): Promise<number> {
  await crowd.open({ ...opening(subject), count: FEW })
  const few = await steadyRss(subject)
  // In equal steps, so that the garbage of opening is the same for both numbers.
  let many = few
  for (let clients = FEW; clients < MANY; clients += FEW) {
    await crowd.open({ ...opening(subject), count: FEW })
    many = await steadyRss(subject)
  }
  await crowd.close()
  return (many - few) / (MANY - FEW)
}

/**
 * Resident memory of 10,000 clients that receive nothing, less that of none, in KiB per client, without a forced
 * collection: what an operator sees.
 */
export async function measureResident(subject: Subject, crowd: CrowdProcess): Promise<number> {
  const none = rssKiB(subject.pid)
  for (let clients = 0; clients < COUNT; clients += FEW)
    await crowd.open({ ...opening(subject), count: FEW })
  await delay(SETTLE_MS)
  const all = rssKiB(subject.pid)
  await crowd.close()
  return (all - none) / COUNT
}

async function steadyRss({ pid, isNode }: Subject): Promise<number> {
  let least = Number.POSITIVE_INFINITY
  // A heap gives pages back in several steps.
  for (let i = 0; i < 8; i++) {
    if (isNode) process.kill(pid, 'SIGUSR2')
    await delay(750)
    least = Math.min(least, rssKiB(pid))
  }
  return least
}

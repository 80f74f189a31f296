import type { CrowdProcess } from '../crowd-process.ts'
import { delay, rssKiB } from '../process.ts'
import type { Subject } from '../subject.ts'

const FEW = 2_000
const MANY = 6_000

/** The slope of resident memory between 2,000 and 6,000 clients that hear nothing, in KiB per client. */
export async function measureIdle(subject: Subject, crowd: CrowdProcess): Promise<number> {
  const open = {
    kind: subject.kind,
    port: subject.port,
    watch: { each: 1, of: 1 },
    together: 100,
  } as const
  await crowd.open({ ...open, count: FEW })
  const few = await steadyRss(subject)
  // In equal steps, so that the garbage of opening is the same for both numbers.
  let many = few
  for (let clients = FEW; clients < MANY; clients += FEW) {
    await crowd.open({ ...open, count: FEW })
    many = await steadyRss(subject)
  }
  await crowd.close()
  return (many - few) / (MANY - FEW)
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

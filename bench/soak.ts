/**
 * Scenario 23: the benchmark kills and restarts a broker again and again. Heap, timers and sockets must be the same after the last
 * restart as after the first; the exit code says whether they are.
 */
import { parseArgs } from 'node:util'
import { Mosquitto } from '@mqtt-status/testing/mosquitto'
import { until } from '@mqtt-status/testing/until'
import { startDatabase } from './database.ts'
import { startServer } from './measures/outage.ts'
import { delay } from './process.ts'
import { printMachine, printTable, say } from './table.ts'
import type { Cell } from './table.ts'

const USAGE = `Usage: node bench/soak.ts [options]
  --connections <n>   connections (default 1000)
  --restarts <n>      how often the broker is killed and restarted (default 20), some 45 s each`

/** Connections that are lost sooner than that, again and again, would be flapping, and dialled rarely. */
const STABLE_MS = 31_000
/** Restarts in which caches fill and code is compiled. */
const WARM = 3
/** What the heap may grow from then on; a leak of one client per restart and connection would be a hundred times that. */
const MOST_KIB_PER_CONNECTION = 2
const PATIENCE_MS = 180_000

const { values } = parseArgs({
  options: {
    connections: { type: 'string', default: '1000' },
    restarts: { type: 'string', default: '20' },
    help: { type: 'boolean', default: false },
  },
})

async function main(): Promise<boolean> {
  const count = Number(values.connections)
  const restarts = Number(values.restarts)
  const database = await startDatabase(0)
  const broker = await Mosquitto.start({ quiet: true })
  const subject = await startServer(database, { count, port: broker.port })
  const allUp = async (): Promise<void> => {
    await until(async () => (await subject.connected()) === count, {
      timeoutMs: PATIENCE_MS,
      what: 'all to be up',
    })
  }
  try {
    printMachine(database.version)
    await subject.connect(count)
    await allUp()
    const rows: Cell[][] = []
    for (let i = 1; i <= restarts; i++) {
      await delay(STABLE_MS)
      await broker.kill()
      await until(async () => (await subject.connected()) === 0, {
        timeoutMs: PATIENCE_MS,
        what: 'the loss to be seen',
      })
      await broker.restart()
      await allUp()
      const { heapKiB, rssKiB, handles } = await subject.process.memory()
      say(`restart ${i}: heap ${(heapKiB / 1024).toFixed(1)} MiB, ${handles} handles`)
      rows.push([String(i), heapKiB / 1024, rssKiB / 1024, String(handles)])
    }
    printTable(['restart', 'heap MiB', 'RSS MiB', 'sockets and timers'], rows)
    return judge(rows, count)
  } finally {
    await subject.process.stop()
    await broker.stop()
    await database.stop()
  }
}

function judge(rows: readonly Cell[][], count: number): boolean {
  const [first, last] = [rows[Math.min(WARM, rows.length) - 1], rows.at(-1)]
  const grownKiB = (Number(last?.[1]) - Number(first?.[1])) * 1024
  const handles = Number(last?.[3]) - Number(first?.[3])
  const constant = grownKiB / count <= MOST_KIB_PER_CONNECTION && handles <= count / 100
  console.log(
    `\n${constant ? 'constant' : 'GROWING'}: heap ${grownKiB.toFixed(0)} KiB, sockets and timers ${handles}, since restart ${WARM}`,
  )
  return constant
}

if (values.help) {
  console.log(USAGE)
  process.exit()
}
process.exit((await main()) ? 0 : 1)

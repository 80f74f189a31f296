/** P1, P2, P4, P6 and P7: the cost of a delivery and of an idle client, and the effect of slow clients on others. */
import { parseArgs } from 'node:util'
import { freePort } from '@mqtt-status/testing/free-port'
import { CrowdProcess } from './crowd-process.ts'
import { startDatabase } from './database.ts'
import type { BenchDatabase } from './database.ts'
import { measureCollected, measureResident } from './measures/idle.ts'
import { measureFew } from './measures/few.ts'
import { measureRate } from './measures/rate.ts'
import { measureSlow } from './measures/slow.ts'
import { startFloor, startNchanPeer, startOurs, startPeer } from './subject.ts'
import type { PeerName, Subject } from './subject.ts'
import { printMachine, printTable, say } from './table.ts'
import type { Cell } from './table.ts'

const USAGE = `Usage: node bench/fanout.ts [options]
  --clients <n>   clients that watch everything (default 2000)
  --seconds <n>   how long each rate is measured (default 10)
  --runs <n>      runs of the slow clients, the median counts (default 5)
  --only <list>   of rate, idle, few, slow (default all)`

const ROWS = 100
const MANY_ROWS = 10_000
const RATES = [15, 25]

const { values } = parseArgs({
  options: {
    clients: { type: 'string', default: '2000' },
    seconds: { type: 'string', default: '10' },
    runs: { type: 'string', default: '5' },
    only: { type: 'string', default: 'rate,idle,few,slow' },
    help: { type: 'boolean', default: false },
  },
})

/** One subject after the other, each with fresh clients. */
function subjects(database: BenchDatabase): Record<string, () => Promise<Subject | null>> {
  const ours = (wire: 'status-ws' | 'status-sse') => async () =>
    startOurs(wire, { url: database.url, sql: database.sql, rows: ROWS, port: await freePort() })
  const peer = (name: PeerName) => () => startPeer(name)
  return {
    floor: startFloor,
    'status-ws': ours('status-ws'),
    'nchan-ws': () => startNchanPeer('ws'),
    'ws-ready': peer('ws-ready'),
    ws: peer('ws'),
    socketio: peer('socketio'),
    'status-sse': ours('status-sse'),
    'nchan-sse': () => startNchanPeer('sse'),
    sse: peer('sse'),
    'sse-hono': peer('sse-hono'),
  }
}

async function rates(database: BenchDatabase, only: ReadonlySet<string>): Promise<Cell[][]> {
  const rows: Cell[][] = []
  for (const start of Object.values(subjects(database))) {
    const measured = only.has('rate') ? await measureOne(start, atRates(database)) : null
    // In a process of its own: memory that the crowd before has left free would hide what a client costs.
    const resident = only.has('idle') ? await measureOne(start, idle(measureResident)) : null
    const collected = only.has('idle') ? await measureOne(start, idle(measureCollected)) : null
    const all = [measured, resident, collected].filter((one) => one !== null)
    const [first] = all
    if (first !== undefined) rows.push([first.name, ...all.flatMap(({ cells }) => cells)])
  }
  return rows
}

type Measure = (subject: Subject, crowd: CrowdProcess) => Promise<Cell[]>

/** `null` where the subject can't be started on this machine. */
async function measureOne(
  start: () => Promise<Subject | null>,
  measure: Measure,
): Promise<{ name: string; cells: Cell[] } | null> {
  const subject = await start()
  if (subject === null) return null
  const crowd = new CrowdProcess()
  try {
    return { name: subject.name, cells: await measure(subject, crowd) }
  } finally {
    await crowd.end()
    await subject.stop()
  }
}

function atRates(database: BenchDatabase): Measure {
  return async (subject, crowd) => {
    say(`${subject.name}: ${values.clients} clients`)
    await crowd.open({ ...whole(subject), count: Number(values.clients) })
    const cells: Cell[] = []
    for (const perSecond of RATES) {
      const seconds = Number(values.seconds)
      const rate = await measureRate({ subject, crowd, database, perSecond, seconds })
      cells.push(rate.usPerDelivery, rate.p99Ms, rate.delivered)
      if (perSecond === RATES.at(-1)) cells.push(rate.postgresUsPerDelivery)
    }
    return cells
  }
}

function idle(measure: (subject: Subject, crowd: CrowdProcess) => Promise<number>): Measure {
  return async (subject, crowd) => {
    // The floor knows no clients that are idle.
    if (subject.kind === 'raw') return [null]
    say(`${subject.name}: idle`)
    return [await measure(subject, crowd)]
  }
}

function whole({ kind, port }: Subject) {
  return { kind, port, watch: 'all', together: 100 } as const
}

async function main(): Promise<void> {
  const only = new Set(values.only.split(','))
  const database = await startDatabase(ROWS)
  try {
    printMachine(database.version)
    if (only.has('rate') || only.has('idle')) {
      const head = ['system']
      for (const rate of only.has('rate') ? RATES : [])
        head.push(`${rate}/s: µs CPU per delivery`, 'p99 ms', 'delivered')
      if (only.has('rate')) head.push('Postgres µs')
      if (only.has('idle')) head.push('KiB per idle client', 'after a collection')
      printTable(head, await rates(database, only))
    }
    if (only.has('few')) {
      console.log('\nEach client watches 3 of 10,000 rows; 200 row changes/s\n')
      printTable(
        ['clients', 'µs CPU per delivery', 'p99 ms', 'server CPU'],
        await measureFew(database, MANY_ROWS, Number(values.seconds)),
      )
    }
    if (only.has('slow')) {
      console.log('\nA twentieth of the clients stop reading\n')
      printTable(
        ['system', 'p99 ms, all read', 'p99 ms of the others', 'ratio', 'server MiB more'],
        await measureSlow(database, { clients: Number(values.clients), runs: Number(values.runs) }),
      )
    }
  } finally {
    await database.stop()
  }
}

if (values.help) console.log(USAGE)
else await main()
process.exit()

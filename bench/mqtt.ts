/** P9: thousands of connections to one broker, up at once, lost at once, and back. */
import { parseArgs } from 'node:util'
import { startDatabase } from './database.ts'
import { measureMqttJs, measureOurs } from './measures/outage.ts'
import type { Outage } from './measures/outage.ts'
import { printMachine, printTable } from './table.ts'
import type { Cell } from './table.ts'

const USAGE = `Usage: node bench/mqtt.ts [options]
  --connections <n>   connections to one broker (default 5000)
  --gone <s>          how long the broker is gone (default 15)
  --only <list>       of ours, mqttjs (default both)`

const { values } = parseArgs({
  options: {
    connections: { type: 'string', default: '5000' },
    gone: { type: 'string', default: '15' },
    only: { type: 'string', default: 'ours,mqttjs' },
    help: { type: 'boolean', default: false },
  },
})

const HEAD = [
  'system',
  'all up, s',
  'longest stall, ms',
  'KiB each',
  'heap KiB each',
  'dials while gone',
  'in the busiest s',
  'stall when lost, ms',
  'back: p50 s',
  'p95 s',
  'last s',
  'stall when back, ms',
  'CPU s',
]

function row(o: Outage): Cell[] {
  return [
    o.name,
    o.upS,
    o.upStallMs,
    o.rssKiB,
    o.heapKiB,
    String(o.dialsGone),
    String(o.dialsPerSecond),
    o.lostStallMs,
    o.backP50S,
    o.backP95S,
    o.backLastS,
    o.backStallMs,
    o.cpuS,
  ]
}

async function main(): Promise<void> {
  const count = Number(values.connections)
  const goneMs = Number(values.gone) * 1_000
  const only = new Set(values.only.split(','))
  const database = await startDatabase(0)
  try {
    printMachine(database.version)
    console.log(
      `${count} connections to one Mosquitto, each with a subscription; it is killed, and back after ${values.gone} s\n`,
    )
    const rows: Cell[][] = []
    if (only.has('ours')) rows.push(row(await measureOurs(database, { count, goneMs })))
    if (only.has('mqttjs')) rows.push(row(await measureMqttJs({ count, goneMs })))
    printTable(HEAD, rows)
  } finally {
    await database.stop()
  }
}

if (values.help) console.log(USAGE)
else await main()
process.exit()

/** P3 and P8: all rows change at the same time, and all clients reconnect at the same time. */
import { parseArgs } from 'node:util'
import { startDatabase } from './database.ts'
import { measureReturn } from './measures/return.ts'
import { measureStorms } from './measures/storms.ts'
import { printMachine, printTable } from './table.ts'

const USAGE = `Usage: node bench/storm.ts [options]
  --clients <n>   clients that watch everything in the storm (default 1000)
  --fleet <n>     clients that come back at once (default 5000)
  --only <list>   of storm, return (default both)`

const ROWS = 500

const { values } = parseArgs({
  options: {
    clients: { type: 'string', default: '1000' },
    fleet: { type: 'string', default: '5000' },
    only: { type: 'string', default: 'storm,return' },
    help: { type: 'boolean', default: false },
  },
})

async function main(): Promise<void> {
  const only = new Set(values.only.split(','))
  const database = await startDatabase(ROWS)
  try {
    printMachine(database.version)
    if (only.has('storm')) {
      console.log(`${ROWS} rows change, ${values.clients} clients watch all\n`)
      printTable(
        [
          'system',
          's from the last commit until all have it',
          'µs CPU per change and client',
          'pieces read per client',
        ],
        await measureStorms(database, { clients: Number(values.clients), rows: ROWS }),
      )
    }
    if (only.has('return')) {
      console.log(
        `\nA restart: ${values.fleet} clients reconnect at the same time, with their cursors\n`,
      )
      printTable(
        ['wire', 's until all are answered', 'by patch', 'by snapshot', 'server CPU s'],
        await measureReturn(database, { fleet: Number(values.fleet), rows: ROWS }),
      )
    }
  } finally {
    await database.stop()
  }
}

if (values.help) console.log(USAGE)
else await main()
process.exit()

/** P5: from the commit to the frame at a client, on an idle server and beside thousands of other clients. */
import { parseArgs } from 'node:util'
import { freePort } from '@mqtt-status/testing/free-port'
import { CrowdProcess } from './crowd-process.ts'
import { startDatabase } from './database.ts'
import { measureHops } from './measures/hops.ts'
import { measureQuery } from './measures/query.ts'
import { startHop } from './peers/hop.ts'
import { startOurs } from './subject.ts'
import { printMachine, printTable, say } from './table.ts'
import type { Cell } from './table.ts'

const USAGE = `Usage: node bench/e2e.ts [options]
  --changes <n>   changes that are timed, 60 ms apart (default 500)
  --others <n>    clients that watch other rows (default 5000)`

const ROWS = 10_000

const { values } = parseArgs({
  options: {
    changes: { type: 'string', default: '500' },
    others: { type: 'string', default: '5000' },
    help: { type: 'boolean', default: false },
  },
})

async function main(): Promise<void> {
  const database = await startDatabase(ROWS)
  const { url, sql } = database
  const changes = Number(values.changes)
  const subject = await startOurs('status-ws', { url, sql, rows: ROWS, port: await freePort() })
  const hop = await startHop(url)
  const crowd = new CrowdProcess()
  const { port } = subject
  try {
    printMachine(database.version)
    const rows: Cell[][] = []
    const time = async (name: string, target: Parameters<typeof measureHops>[0]): Promise<void> => {
      say(name)
      const { p50, p99, p50Commit } = await measureHops(target)
      rows.push([name, p50, p99, p50Commit])
    }
    await time('bare hop: trigger, LISTEN, `ws`', { sql, changes, port: hop.port, kind: 'ws' })
    await time('WebSocket, idle server', { sql, changes, port, kind: 'status-ws' })
    await time('SSE, idle server', { sql, changes, port, kind: 'status-sse' })
    await time('SSE by POST of 1,000 ids', { sql, changes, port, kind: 'status-sse', ids: 1_000 })
    const others = Number(values.others)
    say(`${others} other clients`)
    await crowd.open({
      kind: 'status-ws',
      port,
      count: others,
      together: 100,
      watch: { each: 1, of: ROWS - 1_000 },
    })
    const among = `${others} other clients`
    await time(`WebSocket, ${among}`, { sql, changes, port, kind: 'status-ws' })
    await time(`SSE, ${among}`, { sql, changes, port, kind: 'status-sse' })
    printTable(['way', 'p50 ms', 'p99 ms', 'p50 ms with the statement itself'], rows)
    await crowd.close()
    say('query')
    console.log('\n`POST /api/v1/connections/query`, 16 at a time\n')
    printTable(['asked for', 'requests/s', 'p50 ms', 'p99 ms'], await measureQuery(port))
  } finally {
    await crowd.end()
    await hop.stop()
    await subject.stop()
    await database.stop()
  }
}

if (values.help) console.log(USAGE)
else await main()
process.exit()

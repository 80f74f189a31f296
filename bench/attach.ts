/**
 * How much slower a program writes to its table while the table is attached and a node mirrors it: pgbench writes to two equal
 * tables in turns, of which one is attached. Rounds alternate, because a machine has moods that last longer than a round.
 */
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { Mirroring } from '../packages/server/src/attach/mirroring.ts'
import { createProgram } from '../packages/server/src/cli/program.ts'
import { Lane } from '../packages/server/src/db/postgres/lane.ts'
import { createLog } from '../packages/server/src/log.ts'
import { startDatabase } from './database.ts'
import { percentile, printMachine, printTable, say } from './table.ts'
import type { Cell } from './table.ts'

const { values: options } = parseArgs({
  options: {
    help: { type: 'boolean', default: false },
    clients: { type: 'string', default: '1,4,8' },
    seconds: { type: 'string', default: '10' },
    rounds: { type: 'string', default: '8' },
  },
})
if (options.help) {
  console.log(
    'node bench/attach.ts [--clients 1,4,8] [--seconds 10] [--rounds 8]\n  BENCH_DATABASE_URL: an empty database, instead of an embedded Postgres',
  )
  process.exit(0)
}
const CLIENTS = options.clients.split(',').map(Number)
const SECONDS = Number(options.seconds)
const ROUNDS = Number(options.rounds)
const ROWS = 10_000
const TABLES = ['plain', 'attached'] as const
type Table = (typeof TABLES)[number]

/** What the program does to a row; the second leaves the mirrored columns as they are. */
const SCRIPTS: Readonly<Record<string, (table: Table) => string>> = {
  'status changes': (table) => `\\set id random(1, ${ROWS})
\\set word random(0, 1)
update ${table} set status = case when :word::int = 0 then 'connected' else 'error' end where id = :id;`,
  'other column changes': (table) => `\\set id random(1, ${ROWS})
update ${table} set visits = visits + 1 where id = :id;`,
}

const run = promisify(execFile)
const database = await startDatabase(0)
const { url, sql } = database
const folder = mkdtempSync(join(tmpdir(), 'bench-attach-'))

/** Debian keeps it out of the path. */
function findPgbench(): string {
  const root = '/usr/lib/postgresql'
  const versions = existsSync(root) ? readdirSync(root) : []
  const [newest] = versions.toSorted((a, b) => Number(b) - Number(a))
  return newest === undefined ? 'pgbench' : join(root, newest, 'bin/pgbench')
}

async function createTables(): Promise<void> {
  for (const table of TABLES)
    await sql.unsafe(`
      create table public.${table} (
        id integer primary key, site integer not null, title text not null, status text not null,
        visits integer not null default 0, filler text not null default repeat('x', 100)
      ) with (fillfactor = 80);
      insert into public.${table} (id, site, title, status)
      select i, i % 50, 'Plant ' || i, 'connected' from generate_series(1, ${ROWS}) i`)
  await sql`vacuum analyze public.plain, public.attached`
  const columns = ['--id', 'id', '--site', 'site', '--name', 'title', '--status', 'status']
  await createProgram({
    environment: { DATABASE_URL: url },
    version: '0.0.0',
    terminal: false,
    progress: () => undefined,
    print: () => undefined,
    signal: () => new AbortController().signal,
  }).parseAsync(['attach', '--table', 'public.attached', ...columns, '--map', 'error=failed'], {
    from: 'user',
  })
}

async function transactionsPerSecond(script: string, clients: number): Promise<number> {
  const path = join(folder, 'script.sql')
  writeFileSync(path, script)
  const load = ['-n', '-M', 'prepared', '-f', path, '-c', String(clients), '-T', String(SECONDS)]
  const { stdout } = await run(findPgbench(), [...load, url])
  return Number(/tps = ([\d.]+)/.exec(stdout)?.[1] ?? 0)
}

/** One cell of the table of results: rounds in turns, each beginning with the other table. */
async function measure(what: string, clients: number): Promise<readonly Cell[]> {
  const script = SCRIPTS[what]
  if (script === undefined) throw new Error(`There is no script ${what}`)
  const found: Record<Table, number[]> = { plain: [], attached: [] }
  for (let round = 0; round < ROUNDS; round++)
    for (const table of round % 2 === 0 ? TABLES : TABLES.toReversed())
      found[table].push(await transactionsPerSecond(script(table), clients))
  const slower = found.plain.map((before, i) => 100 * (1 - (found.attached[i] ?? 0) / before))
  say(`${what}, ${clients} clients: ${slower.map((each) => each.toFixed(1)).join(', ')} % slower`)
  const median = (values: readonly number[]): Cell => percentile([...values], 0.5)
  const share = median(slower)
  return [
    ...[what, clients, median(found.plain), median(found.attached)],
    typeof share === 'number' ? `${share.toFixed(1)} %` : null,
  ]
}

const lane = new Lane({
  ...{ address: url, schema: 'mqtt_status', applicationName: 'mqtt-status-mirror', sessions: 1 },
  deadlineMs: 10_000,
})
const log = createLog({ level: 'warn', format: 'json' })
const mirroring = new Mirroring({ lane, nodeId: 'bench', log })
const rows: (readonly Cell[])[] = []
try {
  await createTables()
  mirroring.start()
  for (const what of Object.keys(SCRIPTS))
    for (const clients of CLIENTS) rows.push(await measure(what, clients))
} finally {
  await mirroring.stop()
  await lane.stop()
  await database.stop()
  rmSync(folder, { recursive: true, force: true })
}
printMachine(database.version)
printTable(['the program', 'clients', 'a second', 'attached', 'slower'], rows)

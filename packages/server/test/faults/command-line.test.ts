/** Commands whose session ends in the middle: one sentence, an exit code, no stack, and nothing half done. */
import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { FaultProxy } from '@mqtt-status/testing/fault-proxy'
import { createDatabase } from '@mqtt-status/testing/postgres'
import type { TestDatabase } from '@mqtt-status/testing/postgres'
import { until } from '@mqtt-status/testing/until'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { migrate } from '../../src/db/schema/migrate.ts'
import { connectSql } from '../../src/db/postgres/sql.ts'
import { createLog } from '../../src/log.ts'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const MIGRATIONS = new URL('../../migrations/', import.meta.url)
const KEYS = `k2:${Buffer.alloc(32, 2).toString('base64')},k1:${Buffer.alloc(32, 1).toString('base64')}`

let database: TestDatabase
let proxy: FaultProxy
let folder: string

beforeEach(async () => {
  database = await createDatabase()
  proxy = await FaultProxy.start(Number(new URL(database.url).port || 5432))
  folder = mkdtempSync(join(tmpdir(), 'command-line-'))
  const rows = Array.from({ length: 600 }, (_, n) => ({
    id: `i${n}`,
    siteId: 's',
    name: `I ${n}`,
    host: '127.0.0.1',
  }))
  writeFileSync(join(folder, 'rows.json'), JSON.stringify(rows))
})

afterEach(async () => {
  await proxy.stop()
  await database.drop()
  rmSync(folder, { recursive: true })
})

interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

async function run(args: readonly string[]): Promise<Ended> {
  const url = new URL(database.url)
  url.hostname = '127.0.0.1'
  url.port = String(proxy.port)
  const env = {
    PATH: process.env['PATH'],
    DATABASE_URL: url.href,
    MQTT_SECRET_KEYS: KEYS,
    MQTT_ALLOW_CIDRS: '127.0.0.0/8',
  }
  try {
    const done = await promisify(execFile)(process.execPath, [MAIN, ...args], { env })
    return { code: 0, ...done }
  } catch (error) {
    return error as Ended
  }
}

async function count(of: string): Promise<number> {
  const [found] = await database.sql.unsafe<{ n: number }[]>(`select count(*)::int as n from ${of}`)
  return found?.n ?? -1
}

interface Command {
  readonly args: () => readonly string[]
  /** What it waits for in the middle. */
  readonly lock: string
  readonly prepare?: () => Promise<void>
  /** @returns a number that grows with the progress of the command */
  readonly state: () => Promise<number>
}

/** The tables as they were two migrations ago. */
async function stepBack(): Promise<void> {
  await database.sql`drop schema mqtt_status cascade`
  const former = join(folder, 'former')
  for (const name of readdirSync(MIGRATIONS).filter((file) => file < '0011'))
    cpSync(new URL(name, MIGRATIONS), join(former, name))
  const pool = connectSql(database.url, { max: 1, applicationName: 'former' })
  const log = createLog({ level: 'silent', format: 'json' })
  await migrate(pool, log, { schema: null, folder: pathToFileURL(`${former}/`) })
  await pool.end()
}

const importing = {
  args: () => ['connections', 'import', join(folder, 'rows.json')],
  state: () => count('connections'),
}

const COMMANDS: Readonly<Record<string, Command>> = {
  'migrate, at the tables': {
    args: () => ['migrate'],
    prepare: stepBack,
    lock: 'lock table mqtt_status.connections in access share mode',
    state: () => count('mqtt_status.migrations'),
  },
  'import, at its rows': { ...importing, lock: 'lock table connections in share mode' },
  'import, at its audit': { ...importing, lock: 'lock table commands in exclusive mode' },
  export: {
    args: () => ['connections', 'export', '--format', 'json'],
    lock: 'lock table connections in access exclusive mode',
    state: () => count('connections'),
  },
  list: {
    args: () => ['connections', 'list'],
    lock: 'lock table connections in access exclusive mode',
    state: () => count('connections'),
  },
  'secrets rotate': {
    args: () => ['secrets', 'rotate'],
    lock: 'lock table connection_secrets in access exclusive mode',
    state: () => count('connection_secrets'),
  },
  doctor: {
    args: () => ['doctor'],
    lock: 'lock table supervisors in exclusive mode',
    state: () => count('connections'),
  },
}

const ENDS: Readonly<Record<string, (pid: number) => PromiseLike<unknown>>> = {
  'its session is terminated': (pid: number) => database.sql`select pg_terminate_backend(${pid})`,
  'its statement is cancelled': (pid: number) => database.sql`select pg_cancel_backend(${pid})`,
  'its line is cut': () => {
    proxy.reset()
    return Promise.resolve()
  },
}

/** Of the command, where it waits. */
async function waiting(wait: string): Promise<number> {
  return until(
    async () => {
      const [found] = await database.sql<{ pid: number }[]>`
        select pid from pg_stat_activity
        where datname = current_database() and application_name like 'mqtt-status%'
          and wait_event_type = ${wait}`
      return found?.pid ?? 0
    },
    { what: 'the command to wait', timeoutMs: 30_000 },
  )
}

function expectWords({ code, stdout, stderr }: Ended): void {
  const said = `${stderr}${stdout}`
  expect(code, said).toBe(1)
  expect(said).not.toMatch(/^ +at |TypeError|a fault of its own/m)
  expect(said).not.toContain(new URL(database.url).password || 'no password')
}

const CASES = Object.entries(COMMANDS).flatMap(([name, command]) =>
  Object.entries(ENDS).map(([how, end]) => ({ name, how, command, end })),
)

test.each(CASES)('$name: where $how, it says so and has done nothing', async ({ command, end }) => {
  await command.prepare?.()
  const before = await command.state()
  let ended: Promise<Ended> | undefined
  await database.sql.begin(async (tx) => {
    await tx.unsafe(command.lock)
    ended = run(command.args())
    await Promise.race([
      waiting('Lock').then(end),
      ended.then(({ stdout, stderr }) => {
        throw new Error(`It did not wait: ${stdout}${stderr}`)
      }),
    ])
    const done = await ended
    expectWords(done)
    if (command !== COMMANDS['doctor'])
      expect(done.stderr.trim().split('\n').length).toBeLessThan(4)
  })
  expect(await command.state()).toBe(before)
})

test.each(Object.entries(ENDS).filter(([how]) => !how.includes('statement')))(
  'import: where %s during COMMIT, it says that the change may have been made',
  async (_how, end) => {
    await database.sql.unsafe(`
      create function stall() returns trigger language plpgsql as 'begin perform pg_sleep(60); return null; end';
      create constraint trigger stall after insert on connections
        deferrable initially deferred for each row execute function stall()`)
    const ended = run(importing.args())
    await end(await waiting('Timeout'))
    const done = await ended
    expectWords(done)
    expect(done.stderr).toContain('may have been made')
    await database.sql`
      select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'mqtt-status%'`
  },
)

import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import postgres from 'postgres'
import { until } from '@mqtt-status/testing/until'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startPostgres } from '../../src/embedded/postgres.ts'
import type { PostgresOptions, RunningPostgres } from '../../src/embedded/postgres.ts'

const OWNER = new URL('owner.ts', import.meta.url).pathname

let folder: string
let servers: RunningPostgres[]
let owners: ChildProcess[]
/** Ports that must be silent when a test is over. */
let ports: number[]

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mqtt-status-embedded-'))
  servers = []
  owners = []
  ports = []
})

afterEach(async () => {
  for (const owner of owners) owner.kill('SIGKILL')
  await Promise.all(servers.map((server) => server.stop()))
  await until(async () => (await Promise.all(ports.map(answers))).every((yes) => !yes), {
    what: 'every Postgres to be gone',
  })
  rmSync(folder, { recursive: true, force: true })
})

async function start(options: Partial<PostgresOptions> = {}): Promise<RunningPostgres> {
  const server = await startPostgres({ folder, durable: false, ...options })
  servers.push(server)
  ports.push(portOf(server.url))
  return server
}

/** Starts it in a process of its own, as the demo does. */
async function startOwner(): Promise<{ url: string; owner: ChildProcess; lines: string[] }> {
  const owner = spawn(process.execPath, [OWNER, folder], {
    // A process group of its own, so that a test can interrupt all of it, as a terminal does.
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  owners.push(owner)
  const lines: string[] = []
  createInterface({ input: owner.stdout }).on('line', (line) => lines.push(line))
  // A cluster is made first, which takes a busy machine its time.
  const patience = { what: 'Postgres of the owner', timeoutMs: 45_000 }
  const url = await until(() => lines[0] ?? '', patience)
  ports.push(portOf(url))
  return { url, owner, lines }
}

async function query<T>(url: string, work: (sql: postgres.Sql) => PromiseLike<T>): Promise<T> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined })
  try {
    return await work(sql)
  } finally {
    await sql.end({ timeout: 1 })
  }
}

function portOf(url: string): number {
  return Number(new URL(url).port)
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ port, host: '127.0.0.1' })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => {
      resolve(false)
    })
  })
}

function keeperOf(path: string): number {
  return (JSON.parse(readFileSync(join(path, 'run.json'), 'utf8')) as { keeper: number }).keeper
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

test('the embedded database is a PostgreSQL 18 in UTF-8 that demands its password', async () => {
  const { url } = await start()
  const [server] = await query(
    url,
    (sql) => sql`
      select current_setting('server_version_num')::int as version,
        current_setting('server_encoding') as encoding,
        current_setting('listen_addresses') as addresses`,
  )
  expect(server?.['version']).toBeGreaterThanOrEqual(180_000)
  expect(server).toMatchObject({ encoding: 'UTF8', addresses: '127.0.0.1' })
  const guess = new URL(url)
  guess.password = 'postgres'
  await expect(query(guess.href, (sql) => sql`select 1`)).rejects.toThrow('password')
})

test('a Postgres that is stopped and started again has its data, its password and its port', async () => {
  const first = await start()
  await query(first.url, (sql) => sql`create table kept as select 7 as number`)
  const keeper = keeperOf(folder)
  await first.stop()
  expect(isAlive(keeper)).toBe(false)
  const second = await start()
  expect(second.url).toBe(first.url)
  expect(await query(second.url, (sql) => sql`select number from kept`)).toEqual([{ number: 7 }])
})

test('fresh deletes the data, and no files that other programs have put into the folder', async () => {
  const first = await start()
  await query(first.url, (sql) => sql`create table kept ()`)
  await first.stop()
  writeFileSync(join(folder, 'notes.txt'), 'mine')
  const said: string[] = []
  const second = await start({ fresh: true, log: (message) => said.push(message) })
  await expect(query(second.url, (sql) => sql`select from kept`)).rejects.toThrow('does not exist')
  expect(readFileSync(join(folder, 'notes.txt'), 'utf8')).toBe('mine')
  expect(said).toEqual(['Creating the database…'])
})

test('a folder without data of the demo is not changed, even with fresh', async () => {
  writeFileSync(join(folder, 'thesis.tex'), 'years of work')
  await expect(start({ fresh: true })).rejects.toThrow('files of other programs')
  expect(existsSync(join(folder, 'thesis.tex'))).toBe(true)
})

test('kill -9 of the owner stops Postgres without a loss of data, and the next start succeeds', async () => {
  const { url, owner } = await startOwner()
  await query(url, (sql) => sql`create table kept as select 7 as number`)
  const keeper = keeperOf(folder)
  owner.kill('SIGKILL')
  // At once: the former one is still shutting down.
  const next = await start()
  await until(() => !isAlive(keeper), { what: 'the former keeper to be gone' })
  expect(await query(next.url, (sql) => sql`select number from kept`)).toEqual([{ number: 7 }])
  expect(readFileSync(join(folder, 'postgres.log'), 'utf8')).not.toContain('not properly shut down')
})

test('Ctrl-C reaches the owner and not Postgres, which has to outlive the last writes', async () => {
  const { url, owner, lines } = await startOwner()
  process.kill(-(owner.pid ?? 0), 'SIGINT')
  await until(() => lines.includes('interrupted'))
  expect(await query(url, (sql) => sql`select 7 as number`)).toEqual([{ number: 7 }])
})

test('a Postgres whose owner and keeper were both killed is taken over', async () => {
  const { url, owner } = await startOwner()
  await query(url, (sql) => sql`create table kept as select 7 as number`)
  process.kill(keeperOf(folder), 'SIGKILL')
  owner.kill('SIGKILL')
  await once(owner, 'exit')
  const next = await start()
  expect(await query(next.url, (sql) => sql`select number from kept`)).toEqual([{ number: 7 }])
})

test('two at once on one folder: the error of the second names the first', async () => {
  const { url, owner } = await startOwner()
  const refused = start()
  await expect(refused).rejects.toThrow(`in use by process ${owner.pid}`)
  await expect(refused).rejects.toThrow('--folder')
  expect(await query(url, (sql) => sql`select 7 as number`)).toEqual([{ number: 7 }])
})

test('Postgres starts despite the lock file of a run that was killed, also if another process has its id by now', async () => {
  const first = await start()
  await first.stop()
  const lock = [process.pid, folder, 1, portOf(first.url), '', '127.0.0.1', '1 2', 'ready', '']
  writeFileSync(join(folder, 'data/postmaster.pid'), lock.join('\n'))
  const second = await start()
  expect(await query(second.url, (sql) => sql`select 7 as number`)).toEqual([{ number: 7 }])
})

test('the owner is notified when Postgres ends', async () => {
  const { ended } = await start()
  const [pid] = readFileSync(join(folder, 'data/postmaster.pid'), 'utf8').split('\n')
  process.kill(Number(pid), 'SIGINT')
  expect(await ended).toContain('shut down')
})

test('the error for a folder that can not be written names it and says what to do', async () => {
  writeFileSync(join(folder, 'file'), '')
  const refused = start({ folder: join(folder, 'file/below') })
  await expect(refused).rejects.toMatchObject({ name: 'SetupError' })
  await expect(refused).rejects.toThrow(join(folder, 'file/below'))
  await expect(refused).rejects.toThrow('DATABASE_URL')
})

test('data of another major version is refused and not changed', async () => {
  await (await start()).stop()
  writeFileSync(join(folder, 'data/PG_VERSION'), '15\n')
  await expect(start()).rejects.toThrow('Postgres 15')
})

test('Postgres starts on another port where its last one is in use', async () => {
  const first = await start()
  await first.stop()
  const other = join(folder, '../', `${folder.split('/').at(-1)}-other`)
  mkdirSync(other)
  try {
    // Another cluster remembers the same port.
    const squatter = await start({ folder: other })
    writeFileSync(join(folder, 'port'), String(portOf(squatter.url)))
    const second = await start()
    expect(portOf(second.url)).not.toBe(portOf(squatter.url))
  } finally {
    await Promise.all(servers.map((server) => server.stop()))
    rmSync(other, { recursive: true, force: true })
  }
})

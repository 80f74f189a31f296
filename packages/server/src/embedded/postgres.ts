/**
 * Runs a real PostgreSQL from an npm package, for development, tests and the first run. A keeper process starts Postgres, and
 * stops it after this process has ended, also after a crash or SIGKILL, so that the data stays intact.
 */
import { execFile, spawn } from 'node:child_process'
import type { ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { execPath } from 'node:process'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { SetupError } from '../errors.ts'
import { findBinaries } from './postgres-binaries.ts'
import type { Binaries } from './postgres-binaries.ts'
import {
  claimFolder,
  clusterVersion,
  createDraft,
  createPassword,
  describeFolder,
  emptyFolder,
} from './postgres-folder.ts'
import type { PostgresFolder } from './postgres-folder.ts'
import type { KeeperOrder, KeeperReport } from './postgres-keeper.ts'
import { postgresUser } from './postgres-user.ts'
import type { RunAs } from './postgres-user.ts'
import { inUse, waitForFormer } from './postmaster.ts'

export interface PostgresOptions {
  /** The folder for the data: new, empty, or of a former run. */
  readonly folder: string
  /** Delete the data of former runs. @default false */
  readonly fresh?: boolean
  /** `false`: faster, but a power cut may destroy the data; for tests. @default true */
  readonly durable?: boolean
  /** Receives a sentence about each step that takes longer. */
  readonly log?: (message: string) => void
}

export interface RunningPostgres {
  /** The address with the password of the superuser; Postgres listens on loopback only. */
  readonly url: string
  /** Resolves with the last lines of the log when Postgres has ended, by `stop` or by itself. */
  readonly ended: Promise<string>
  /** Resolves when Postgres and its keeper have ended; the data stays. */
  stop(): Promise<void>
}

type Keeper = ChildProcessByStdio<Writable, Readable, Readable>

const LOG_BYTES = 1_000_000
/** Another program may bind the port between the check and the start of Postgres. */
const PORT_ATTEMPTS = 3
const BINDING_FAILED = /could not create any TCP\/IP sockets|could not bind/
const LOCKED = /lock file "postmaster\.pid" already exists/

/** The file is beside this module, in the sources and in the build. */
const KEEPER = fileURLToPath(
  new URL(`./postgres-keeper${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url),
)

/**
 * Starts Postgres on a free loopback port, with the data of the last run.
 *
 * @throws SetupError when the folder can't be used or is in use, or when Postgres does not start on this machine
 */
export async function startPostgres({
  folder: path,
  fresh = false,
  durable = true,
  log = () => undefined,
}: PostgresOptions): Promise<RunningPostgres> {
  const user = await postgresUser()
  const folder = describeFolder(path)
  const [binaries] = await Promise.all([findBinaries(user), claimFolder(folder, user)])
  await waitForFormer(folder, log)
  if (fresh) await emptyFolder(folder)
  const version = await clusterVersion(folder)
  if (version === null) {
    log('Creating the database…')
    await createCluster(folder, { binaries, user, durable })
  } else if (version !== binaries.major) {
    throw new SetupError(
      `The data in ${folder.path} is of Postgres ${version}, and this is Postgres ${binaries.major}.\n` +
        '  Start anew with --fresh, which forgets that data, or choose another folder with --folder.',
    )
  }
  await trimLog(folder)
  return launch(folder, { binaries, user, durable })
}

interface Circumstances {
  readonly binaries: Binaries
  readonly user: RunAs | null
  readonly durable: boolean
}

async function createCluster(
  folder: PostgresFolder,
  { binaries, user, durable }: Circumstances,
): Promise<void> {
  const [draft] = await Promise.all([createDraft(folder, user), createPassword(folder, user)])
  const args = [
    `--pgdata=${draft}`,
    '--username=postgres',
    `--pwfile=${folder.password}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C',
    ...(durable ? [] : ['--no-sync']),
  ]
  try {
    await promisify(execFile)(binaries.initdb, args, { cwd: draft, windowsHide: true, ...user })
    await rename(draft, folder.data)
  } catch (cause) {
    await rm(draft, { recursive: true, force: true })
    throw cannotRun(cause instanceof Error && 'stderr' in cause ? String(cause.stderr) : '', cause)
  }
}

async function launch(
  folder: PostgresFolder,
  { binaries, user, durable }: Circumstances,
): Promise<RunningPostgres> {
  for (let attempt = 1; ; attempt++) {
    const port = await freePort(attempt === 1 ? await lastPort(folder) : 0)
    const keeper = startKeeper({
      postgres: binaries.postgres,
      pgCtl: binaries.pgCtl,
      data: folder.data,
      port,
      settings: settings(durable),
      log: folder.log,
      run: folder.run,
      user,
    })
    const { ready, ended } = listenTo(keeper)
    const outcome = await Promise.race([ready, ended])
    if (outcome === READY) return running(folder, port, { keeper, ended })
    if (LOCKED.test(outcome)) throw inUse(folder, null)
    if (!BINDING_FAILED.test(outcome) || attempt === PORT_ATTEMPTS) throw cannotRun(outcome)
  }
}

function settings(durable: boolean): string[] {
  const common = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'max_connections=200']
  if (durable) return common
  return [...common, 'fsync=off', 'synchronous_commit=off', 'full_page_writes=off']
}

function startKeeper(order: KeeperOrder): Keeper {
  return spawn(execPath, [KEEPER, JSON.stringify(order)], {
    // A session of its own: Ctrl-C reaches this process only, which still writes to Postgres while it stops.
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    windowsHide: true,
  })
}

const READY = Symbol('ready')

function listenTo(keeper: Keeper): { ready: Promise<typeof READY>; ended: Promise<string> } {
  const lines = createInterface({ input: keeper.stdout })
  let said = ''
  // The keeper writes to its standard error only if it can't start.
  keeper.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
  const ready = new Promise<typeof READY>((resolve) => {
    lines.on('line', (line) => {
      const report = JSON.parse(line) as KeeperReport
      if (report.kind === 'ready') resolve(READY)
      else said = report.said
    })
  })
  const ended = once(keeper, 'close').then(() => said)
  // This process writes nothing to the pipe, but the end of the keeper may raise an error on it.
  keeper.stdin.on('error', () => undefined)
  return { ready, ended }
}

async function running(
  folder: PostgresFolder,
  port: number,
  { keeper, ended }: { keeper: Keeper; ended: Promise<string> },
): Promise<RunningPostgres> {
  const password = await readFile(folder.password, 'utf8')
  const url = `postgres://postgres:${password}@127.0.0.1:${port}/postgres`
  await Promise.all([
    writeFile(folder.port, String(port)),
    writeFile(folder.url, `${url}\n`, { mode: 0o600 }),
  ])
  return {
    url,
    ended,
    async stop() {
      keeper.stdin.end()
      await ended
    },
  }
}

async function lastPort(folder: PostgresFolder): Promise<number> {
  const port = Number(await readFile(folder.port, 'utf8').catch(() => '0'))
  return Number.isInteger(port) && port > 0 && port < 65_536 ? port : 0
}

/** The wanted port if it is free, else any free port. */
async function freePort(wanted: number): Promise<number> {
  const server = createServer()
  try {
    server.listen(wanted, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  } catch (error) {
    if (wanted === 0) throw error
    return await freePort(0)
  } finally {
    server.close()
  }
}

async function trimLog({ log }: PostgresFolder): Promise<void> {
  const size = await stat(log).then(
    (found) => found.size,
    () => 0,
  )
  if (size > LOG_BYTES) await truncate(log)
}

function cannotRun(said: string, cause?: unknown): SetupError {
  const lines = said.trim().split('\n').slice(-5)
  return new SetupError(
    ['The embedded Postgres does not run on this machine. It said:', ...lines]
      .concat('Set DATABASE_URL to a Postgres of yours instead.')
      .join('\n  '),
    { cause },
  )
}

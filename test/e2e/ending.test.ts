/**
 * Whatever way the documents name starts the server, a signal to the process that the operator has started reaches it: it says goodbye, drains,
 * frees its port and leaves no process behind.
 */
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '@mqtt-status/testing/free-port'
import { createDatabase } from '@mqtt-status/testing/postgres'
import type { TestDatabase } from '@mqtt-status/testing/postgres'
import { until } from '@mqtt-status/testing/until'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { bind, BOOT_MS, INSTALLED_PATH, pnpm, Started, SYSTEM_PATH } from './started.ts'

const ROOT = new URL('../..', import.meta.url).pathname
const SERVER = join(ROOT, 'packages/server')
const MAIN = join(SERVER, 'dist/main.js')
/** Several waits of a test may each take as long as a start. */
const TEST_MS = 3 * BOOT_MS

let database: TestDatabase
/** A project that has the package installed. */
let project: string
const running: Started[] = []

beforeAll(async () => {
  database = await createDatabase()
  project = mkdtempSync(join(tmpdir(), 'mqtt-status-project-'))
  mkdirSync(join(project, 'node_modules/.bin'), { recursive: true })
  mkdirSync(join(project, 'node_modules/@mqtt-status'))
  symlinkSync(MAIN, join(project, 'node_modules/.bin/mqtt-status'))
  symlinkSync(SERVER, join(project, 'node_modules/@mqtt-status/server'))
  const { version } = JSON.parse(readFileSync(join(SERVER, 'package.json'), 'utf8')) as {
    version: string
  }
  writeFileSync(
    join(project, 'package.json'),
    JSON.stringify({
      name: 'portal',
      scripts: { serve: 'mqtt-status serve' },
      dependencies: { '@mqtt-status/server': version },
    }),
  )
})

afterEach(() => {
  for (const started of running.splice(0)) started.kill()
})

afterAll(async () => {
  rmSync(project, { recursive: true, force: true })
  await database.drop()
})

interface Way {
  readonly name: string
  readonly command: () => readonly [string, ...string[]]
  readonly in: 'workspace' | 'project'
  /** Whether the started process becomes the server, or waits for it: only then the exit code is the server's. */
  readonly becomes: 'server' | 'launcher'
}

const npx = ['npx', '-y', 'pnpm@10'] as const

const WAYS: readonly Way[] = [
  {
    name: 'node packages/server/dist/main.js serve',
    command: () => [process.execPath, MAIN, 'serve'],
    in: 'workspace',
    becomes: 'server',
  },
  {
    name: 'bin/mqtt-status serve',
    command: () => [join(ROOT, 'bin/mqtt-status'), 'serve'],
    in: 'workspace',
    becomes: 'server',
  },
  {
    name: 'mqtt-status serve, installed',
    command: () => [join(project, 'node_modules/.bin/mqtt-status'), 'serve'],
    in: 'project',
    becomes: 'server',
  },
  {
    name: 'sh -c "exec mqtt-status serve"',
    command: () => ['sh', '-c', `exec "${MAIN}" serve`],
    in: 'project',
    becomes: 'server',
  },
  {
    name: 'sh -c "mqtt-status serve || exit"',
    command: () => ['sh', '-c', `"${MAIN}" serve || exit`],
    in: 'project',
    becomes: 'launcher',
  },
  {
    name: 'npx -y pnpm@10 mqtt-status serve',
    command: () => [...npx, 'mqtt-status', 'serve'],
    in: 'workspace',
    becomes: 'launcher',
  },
  {
    name: 'pnpm mqtt-status serve',
    command: () => [pnpm(), 'mqtt-status', 'serve'],
    in: 'workspace',
    becomes: 'launcher',
  },
  {
    name: 'npx mqtt-status serve, installed',
    command: () => ['npx', 'mqtt-status', 'serve'],
    in: 'project',
    becomes: 'launcher',
  },
  {
    name: 'npx @mqtt-status/server serve, installed',
    command: () => ['npx', '@mqtt-status/server', 'serve'],
    in: 'project',
    becomes: 'launcher',
  },
  {
    name: 'npm run serve',
    command: () => ['npm', 'run', 'serve'],
    in: 'project',
    becomes: 'launcher',
  },
]

interface Notice {
  readonly signal: NodeJS.Signals
  /** A terminal (Ctrl-C) and systemd signal the whole group, `kill` and `docker stop` only the process. */
  readonly to: 'process' | 'group'
}

/** dash keeps a SIGINT to itself until its command has ended, so one that only a launcher receives goes no further. */
function notices({ becomes }: Pick<Way, 'becomes'>): readonly Notice[] {
  return [
    { signal: 'SIGTERM', to: 'process' },
    { signal: 'SIGHUP', to: 'process' },
    { signal: 'SIGINT', to: becomes === 'server' ? 'process' : 'group' },
    { signal: 'SIGTERM', to: 'group' },
  ]
}

const SHUTDOWN = { code: 4200, bye: 'shutdown' }

test.each(WAYS.flatMap((way) => notices(way).map((notice) => ({ way, ...notice }))))(
  '$way.name: $signal to the $to ends the server, which says goodbye and frees its port',
  async ({ way, signal, to }) => {
    const started = await start(way.command(), way.in)
    const { child } = started
    const { goodbye } = await started.greet()
    const exit = once(child, 'exit')
    started.signal(signal, to)
    expect(await goodbye).toEqual(SHUTDOWN)
    await exit
    if (way.becomes === 'server') expect([child.exitCode, child.signalCode]).toEqual([0, null])
    await started.gone()
    await expectDrained()
  },
  TEST_MS,
)

test.each(notices({ becomes: 'launcher' }))(
  'npx -y pnpm@10 start: $signal to the $to ends the demo and its Postgres',
  async ({ signal, to }) => {
    const folder = mkdtempSync(join(tmpdir(), 'mqtt-status-ending-'))
    // Started as root, the demo would otherwise put the data where its user can reach it.
    chmodSync(folder, 0o755)
    const command = [...npx, 'start', '--no-open', '--folder', join(folder, 'data')] as const
    const started = await start([...command], 'workspace', { DATABASE_URL: '' })
    const { goodbye } = await started.greet()
    started.signal(signal, to)
    expect(await goodbye).toEqual(SHUTDOWN)
    await started.gone()
    // Postgres has a group of its own, and outlives the demo by its own shutdown.
    const port = Number(readFileSync(join(folder, 'data/port'), 'utf8'))
    await until(() => bind(port).then(() => true), { what: 'Postgres to be gone' })
    rmSync(folder, { recursive: true, force: true })
  },
  TEST_MS,
)

// npx, its shell, pnpm, the server: each time the signal comes when there are as many.
test.each([1, 2, 3, 4])(
  'npx -y pnpm@10 mqtt-status serve: SIGTERM while it starts, with %i processes, leaves none of them, and no lease',
  async (count) => {
    const started = await start([...npx, 'mqtt-status', 'serve'], 'workspace')
    await until(() => started.group.length >= count, { timeoutMs: BOOT_MS })
    started.signal('SIGTERM', 'process')
    await started.gone()
    await expectDrained()
  },
  TEST_MS,
)

test(
  'a terminal that is closed ends the server, although nothing can be printed any more',
  async () => {
    for (const format of ['json', 'pretty']) {
      const shell = `echo "pid $$"; exec "${MAIN}" serve`
      const settings = { LOG_LEVEL: 'debug', LOG_FORMAT: format }
      const started = await start(['script', '-qfec', shell, '/dev/null'], 'project', settings)
      const { goodbye } = await started.greet()
      const server = Number(/pid (\d+)/.exec(started.output)?.[1])
      started.signal('SIGKILL', 'process')
      try {
        expect(await goodbye).toEqual(SHUTDOWN)
        await until(() => !existsSync(`/proc/${server}`), { what: 'the server to have ended' })
        await expectDrained()
      } finally {
        // It has a session of its own, so the clean-up of the group does not reach it.
        if (existsSync(`/proc/${server}`)) process.kill(server, 'SIGKILL')
      }
    }
  },
  TEST_MS,
)

test(
  'nohup keeps the server when the terminal is closed, and SIGTERM still ends it',
  async () => {
    const nohup = `nohup "${MAIN}" serve & echo "pid $!"; wait`
    const started = await start(['bash', '-c', nohup], 'project')
    const first = await started.greet()
    const pid = Number(/pid (\d+)/.exec(started.output)?.[1])
    process.kill(pid, 'SIGHUP')
    started.signal('SIGKILL', 'process')
    await once(started.child, 'exit')
    // The signal is handled before a connection that comes later, so the answer to that one proves that the server goes on.
    const second = await started.greet()
    process.kill(pid, 'SIGTERM')
    expect(await Promise.all([first.goodbye, second.goodbye])).toEqual([SHUTDOWN, SHUTDOWN])
    await started.gone()
  },
  TEST_MS,
)

const NAMESPACE = ['unshare', '--pid', '--fork', '--kill-child'] as const
const mayUnshare = spawnSync(NAMESPACE[0], [...NAMESPACE.slice(1), 'true']).status === 0

// A user who may not make a namespace of processes can't be the first process of one.
test.runIf(mayUnshare).each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
  'as process 1 of a container: %s ends the server with 0',
  async (signal) => {
    const started = await start([...NAMESPACE, process.execPath, MAIN, 'serve'], 'project')
    const { goodbye } = await started.greet()
    const exit = once(started.child, 'exit')
    process.kill(started.group[1] ?? 0, signal)
    expect(await goodbye).toEqual(SHUTDOWN)
    expect(await exit).toEqual([0, null])
    await started.gone()
  },
  TEST_MS,
)

async function start(
  command: readonly [string, ...string[]],
  place: Way['in'],
  environment: Record<string, string> = {},
): Promise<Started> {
  const started = new Started({
    command,
    folder: place === 'project' ? project : ROOT,
    path: place === 'project' ? INSTALLED_PATH : SYSTEM_PATH,
    environment: { DATABASE_URL: database.url, PORT: String(await freePort()), ...environment },
  })
  running.push(started)
  return started
}

/** A server that has not drained leaves a lease and sessions in the database. */
async function expectDrained(): Promise<void> {
  // The lease first: it must have been ended by the server, and not by time.
  expect(await database.sql`select id from supervisors where lease_expires_at > now()`).toEqual([])
  // Postgres ends the process of a session after the client has closed its socket, so it may outlive the server.
  await until(async () => (await sessions()).length === 0, {
    what: 'Postgres to have ended the sessions of the server',
  })
}

function sessions(): Promise<readonly unknown[]> {
  return database.sql`
    select pid from pg_stat_activity
    where datname = current_database() and application_name like 'mqtt-status%'`
}

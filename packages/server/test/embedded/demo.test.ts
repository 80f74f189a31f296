import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createConnection, createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Connection } from '@mqtt-status/protocol'
import { freePort } from '@mqtt-status/testing/free-port'
import { createDatabase } from '@mqtt-status/testing/postgres'
import { until } from '@mqtt-status/testing/until'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { FLEET } from '../../src/embedded/fleet.ts'

const MAIN = new URL('../../src/main.ts', import.meta.url).pathname
const PAGE = new URL('../../src/embedded/portal/index.html', import.meta.url)

let folder: string
let demos: ChildProcess[]

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mqtt-status-demo-'))
  // Started as root, the demo would otherwise put the data where its user can reach it.
  chmodSync(folder, 0o755)
  demos = []
})

afterEach(async () => {
  for (const demo of demos) demo.kill('SIGKILL')
  const port = postgresPort()
  await until(async () => port === null || !(await answers(port)), {
    what: 'Postgres to be gone',
    timeoutMs: 60_000,
  })
  rmSync(folder, { recursive: true, force: true })
})

interface Demo {
  readonly url: string
  readonly child: ChildProcess
  output(): string
}

function spawnDemo(args: readonly string[], environment: Record<string, string>): Demo {
  const child = spawn(process.execPath, [MAIN, 'demo', '--no-open', ...args], {
    cwd: folder,
    env: { PATH: process.env['PATH'], ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  demos.push(child)
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text))
  return { url: `http://127.0.0.1:${environment['PORT'] ?? ''}`, child, output: () => output }
}

async function startDemo(
  args: readonly string[] = [],
  environment: Record<string, string> = {},
): Promise<Demo> {
  const demo = spawnDemo(args, { PORT: String(await freePort()), ...environment })
  await until(
    () => {
      if (demo.child.exitCode !== null) throw new Error(demo.output())
      return demo.output().includes('Ready after')
    },
    { what: 'the demo to be ready', timeoutMs: 25_000 },
  )
  return demo
}

async function interrupt({ child }: Demo): Promise<number | null> {
  const exit = once(child, 'exit')
  child.kill('SIGINT')
  await exit
  return child.exitCode
}

async function rows({ url }: Demo): Promise<Map<string, Connection>> {
  const response = await fetch(`${url}/api/v1/connections`)
  const { connections } = (await response.json()) as { connections: Connection[] }
  return new Map(connections.map((row) => [row.id, row]))
}

function postgresPort(): number | null {
  try {
    return Number(readFileSync(join(folder, '.demo/port'), 'utf8'))
  } catch {
    return null
  }
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

test('the page of the demo has a card for each datalogger, and no inline script', () => {
  const page = readFileSync(PAGE, 'utf8')
  const ids = [...page.matchAll(/connection-id="([^"]+)"/g)].map(([, id]) => id)
  expect(ids).toEqual(FLEET.map(({ id }) => id))
  // It has to pass a policy that allows nothing inline.
  expect(page).not.toMatch(/<style|style=|<script>|\son\w+=/)
})

test('the demo shows a fleet with failures, keeps commands for its next run, and leaves no process behind', async () => {
  const demo = await startDemo()
  const page = await fetch(demo.url)
  expect(page.headers.get('content-type')).toContain('text/html')
  const paths = ['portal.css', 'portal.js', 'portal.svg', 'catalogue', 'widgets/preload.css']
  for (const path of [...paths, 'catalogue/catalogue.js', 'catalogue/fake-client.js'])
    expect((await fetch(`${demo.url}/${path}`)).status, path).toBe(200)

  let fleet = new Map<string, Connection>()
  await until(
    async () => {
      fleet = await rows(demo)
      return fleet.get('plant-7')?.status === 'connected'
    },
    { what: 'Impianto 7 to be connected' },
  )
  expect([...fleet.keys()].toSorted()).toEqual(FLEET.map(({ id }) => id).toSorted())
  expect(fleet.get('salento-sud')).toMatchObject({ desired: 'disconnected' })
  await until(async () => (await rows(demo)).get('montebello')?.reason === 'bad_credentials', {
    what: 'the broker to refuse the wrong password',
  })

  await fetch(`${demo.url}/api/v1/connections/plant-7/disconnect`, { method: 'POST' })
  await until(async () => (await rows(demo)).get('plant-7')?.status === 'disconnected')
  const port = postgresPort() ?? 0
  expect(await answers(port)).toBe(true)
  expect(await interrupt(demo)).toBe(0)
  expect(demo.output()).toContain('Everything is stopped')
  expect(await answers(port)).toBe(false)

  const again = await startDemo()
  expect((await rows(again)).get('plant-7')).toMatchObject({ desired: 'disconnected' })
  expect(await interrupt(again)).toBe(0)

  const anew = await startDemo(['--fresh'])
  expect((await rows(anew)).get('plant-7')).toMatchObject({ desired: 'connected' })
  expect(await interrupt(anew)).toBe(0)
}, 60_000)

test('with DATABASE_URL the demo uses that database, and changes its own rows only', async () => {
  const database = await createDatabase()
  try {
    await database.sql`insert into connections (id, site_id, name) values ('mine', 's', 'Mine')`
    const demo = await startDemo(['--fresh'], { DATABASE_URL: database.url })
    expect((await rows(demo)).size).toBe(FLEET.length + 1)
    const [notice = '', ready = ''] = ['DATABASE_URL is set', 'Broker and fleet are ready']
    expect(demo.output().indexOf(notice)).toBeGreaterThanOrEqual(0)
    expect(demo.output().indexOf(notice)).toBeLessThan(demo.output().indexOf(ready))
    expect(await interrupt(demo)).toBe(0)
    expect(postgresPort()).toBe(null)
    const mine = await database.sql`select host, generation from connections where id = 'mine'`
    expect(mine[0]).toMatchObject({ host: null, generation: '0' })
  } finally {
    await database.drop()
  }
})

test('the demo reports a port in use before it starts Postgres', async () => {
  const squatter = createServer().listen(0, '127.0.0.1')
  await once(squatter, 'listening')
  const { port } = squatter.address() as AddressInfo
  const demo = spawnDemo(['--port', String(port)], {})
  const [code] = (await once(demo.child, 'close')) as [number]
  squatter.close()
  expect(code).toBe(1)
  expect(demo.output()).toContain(`Port ${port}`)
  expect(demo.output()).toContain('--port')
  expect(demo.output()).not.toContain('    at ')
  expect(postgresPort()).toBe(null)
})

test('a demo that is interrupted while it starts ends with 0 and leaves no process behind', async () => {
  const demo = spawnDemo([], { PORT: String(await freePort()) })
  await until(() => demo.output().includes('Creating the database'))
  expect(await interrupt(demo)).toBe(0)
})

test('kill -9 leaves no Postgres behind', async () => {
  const demo = await startDemo()
  const port = postgresPort() ?? 0
  expect(await answers(port)).toBe(true)
  demo.child.kill('SIGKILL')
  await until(async () => !(await answers(port)), {
    what: 'Postgres to be gone',
    timeoutMs: 60_000,
  })
})

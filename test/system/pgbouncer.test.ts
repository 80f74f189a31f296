/** docs/database.md, "PgBouncer": Debian's PgBouncer in transaction mode with two server connections, two nodes, and many commands. */
import { freePort } from '@mqtt-status/testing/free-port'
import { Mosquitto } from '@mqtt-status/testing/mosquitto'
import { createDatabase } from '@mqtt-status/testing/postgres'
import type { TestDatabase } from '@mqtt-status/testing/postgres'
import { ReverseProxy } from '@mqtt-status/testing/reverse-proxy'
import { until } from '@mqtt-status/testing/until'
import postgres from 'postgres'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { ServerProcess } from '../e2e/world.ts'
import { block } from '../samples/documented.ts'

const CONNECTIONS = 20
const ROUNDS = 10
/** So seldom that what is seen earlier was notified. */
const SELDOM_MS = '60000'

let broker: Mosquitto
let database: TestDatabase
let pooler: ReverseProxy
/** The address of the database behind the pooler. */
let pooled: string
const servers: ServerProcess[] = []
const sockets: WebSocket[] = []

beforeAll(async () => {
  broker = await Mosquitto.start({ quiet: true })
  database = await createDatabase()
  const port = await freePort()
  pooler = await startPooler(port)
  const url = new URL(database.url)
  url.port = String(port)
  url.password ||= 'unused'
  pooled = url.href
})

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.terminate()
  await Promise.all(servers.splice(0).map((server) => server.end('SIGTERM')))
  await database.sql`delete from connections`
})

afterAll(async () => {
  await pooler?.stop()
  await database?.drop()
  await broker?.stop()
})

/** The documented configuration, with the test's addresses, and with two server connections. */
async function startPooler(port: number): Promise<ReverseProxy> {
  const { hostname, port: own, username, password, pathname } = new URL(database.url)
  const config = block('docs/database.md', 'ini')
    .replace('app = host=127.0.0.1 port=5432', `* = host=${hostname} port=${own}`)
    .replace('listen_port = 6432', `listen_port = ${port}`)
    .replace('default_pool_size = 20', 'default_pool_size = 2\nunix_socket_dir =')
  const asRoot = process.getuid?.() === 0
  expect(pathname).not.toBe('/')
  return ReverseProxy.start(
    {
      name: 'pgbouncer',
      files: (folder, text) => ({
        'pgbouncer.ini': text.replace('/etc/pgbouncer', folder),
        'userlist.txt': `"${decodeURIComponent(username)}" "${decodeURIComponent(password) || 'unused'}"\n`,
      }),
      command: (folder) => [
        'pgbouncer',
        ...(asRoot ? ['-u', 'postgres'] : []),
        `${folder}/pgbouncer.ini`,
      ],
    },
    config,
    port,
  )
}

async function startNode(settings: Record<string, string>): Promise<ServerProcess> {
  const server = await ServerProcess.prepare(settings)
  servers.push(server)
  server.spawn()
  await until(async () => (await fetch(`${server.url}/healthz`)).ok, {
    what: 'the server to answer',
    timeoutMs: 30_000,
  })
  return server
}

async function insertRows(): Promise<void> {
  await database.sql`
    insert into connections (id, site_id, name, host, port, desired)
    select 'c' || n, 's' || n % 4, 'C', '127.0.0.1', ${broker.port}, 'connected'
    from generate_series(1, ${CONNECTIONS}) n`
}

async function count(status: string): Promise<number> {
  const [row] = await database.sql<{ count: number }[]>`
    select count(*)::int from connections where status = ${status}
    and observed_generation = generation`
  return row?.count ?? 0
}

/** A page: keeps the statuses that it was sent. */
function openPage(server: ServerProcess): Map<string, string> {
  const statuses = new Map<string, string>()
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}/ws/status`, 'mqtt-status.v1')
  sockets.push(socket)
  socket.on('open', () => {
    socket.send('{"type":"hello"}')
    socket.send('{"type":"watch","id":1,"all":true}')
  })
  socket.on('message', (data) => {
    const message = JSON.parse((data as Buffer).toString('utf8')) as {
      connections?: { id: string; status: string }[]
    }
    for (const { id, status } of message.connections ?? []) statuses.set(id, status)
  })
  return statuses
}

/** @returns the answers that are not 202, in words */
async function command(server: ServerProcess, id: string, action: string): Promise<string[]> {
  const answer = await fetch(`${server.url}/api/v1/connections/${id}/${action}`, { method: 'POST' })
  return answer.status === 202 ? [] : [`${answer.status} ${await answer.text()}`]
}

/** Several callers at a time give commands to all connections, first to switch them off, then on, and so on. */
async function giveCommands(nodes: readonly ServerProcess[]): Promise<string[]> {
  const refused: string[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const action = round % 2 === 0 ? 'disconnect' : 'connect'
    const answers = Array.from({ length: CONNECTIONS }, (_, n) => {
      const node = nodes[(n + round) % nodes.length]
      return node === undefined ? [] : command(node, `c${n + 1}`, action)
    })
    refused.push(...(await Promise.all(answers)).flat())
  }
  return refused
}

/** Lines of the log that an operator would have to read. */
function complaints(): string[] {
  return servers.flatMap(({ output }) =>
    output
      .split('\n')
      .filter((line) => /"level":(40|50|60)/.test(line))
      .filter((line) => !line.includes('connections have been interrupted')),
  )
}

test('the pooler refuses a startup parameter that it does not know', async () => {
  const sql = postgres(pooled, { max: 1, connection: { statement_timeout: 1000 } })
  await expect(sql`select 1`).rejects.toThrow('unsupported startup parameter: statement_timeout')
  await sql.end()
})

test('two nodes and several pages: every command is taken, and every page sees its effect by notification', async () => {
  await insertRows()
  const settings = {
    DATABASE_URL: pooled,
    LISTEN_DATABASE_URL: database.url,
    FEED_POLL_MS: SELDOM_MS,
  }
  const nodes = await Promise.all([startNode(settings), startNode(settings)])
  const pages = nodes.flatMap((node) => [openPage(node), openPage(node)])
  const all = (status: string): Promise<unknown> =>
    until(
      () =>
        pages.every(
          (page) =>
            page.size === CONNECTIONS && [...page.values()].every((each) => each === status),
        ),
      { what: `all pages to show "${status}"`, timeoutMs: 40_000 },
    )
  await all('connected')
  expect(await giveCommands(nodes)).toEqual([])
  await all('connected')
  expect(await giveCommands(nodes.slice(0, 1))).toEqual([])
  await all('connected')
  for (const { url } of nodes) expect((await fetch(`${url}/readyz`)).status).toBe(200)
  expect(complaints()).toEqual([])
})

test('with pgbouncer=true alone commands and changes pass, and the log says what is missing', async () => {
  await insertRows()
  const node = await startNode({ DATABASE_URL: `${pooled}?pgbouncer=true`, FEED_POLL_MS: '200' })
  const page = openPage(node)
  await until(async () => (await count('connected')) === CONNECTIONS, { timeoutMs: 40_000 })
  expect(await giveCommands([node])).toEqual([])
  await until(async () => (await count('connected')) === CONNECTIONS, { timeoutMs: 40_000 })
  await until(
    () => [...page.values()].filter((each) => each === 'connected').length === CONNECTIONS,
  )
  expect(node.output).toContain('LISTEN_DATABASE_URL is not set')
  expect(node.output).not.toMatch(/prepared statement|fault of its own/)
})

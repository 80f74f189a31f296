/** Five thousand clients on two real servers, which restart one after the other. All clients resume by patches. */
import { createDatabase } from '@mqtt-status/testing/postgres'
import type { TestDatabase } from '@mqtt-status/testing/postgres'
import { until } from '@mqtt-status/testing/until'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { LoadClient } from '../../bench/load/client.ts'
import { ServerProcess } from './world.ts'

const CLIENTS = 5_000
const ROWS = 50
/** Concurrent attempts at the start of the test; after a restart all clients connect at once. */
const TOGETHER = 200

let database: TestDatabase
let servers: ServerProcess[]
let clients: LoadClient[] = []
/** Attempts that were cut off during the handshake, and repeated. */
let redials = 0

beforeEach(async () => {
  database = await createDatabase()
  await database.sql`
    insert into connections (id, site_id, name)
    select 'c' || i, 's1', 'plant' from generate_series(1, ${ROWS}::int) i`
  servers = await Promise.all(
    [0, 1].map(() =>
      ServerProcess.start({
        DATABASE_URL: database.url,
        SUPERVISOR: 'off',
        SOCKETS_PER_ADDRESS: '0',
        HANDSHAKES_PER_ADDRESS: '0',
      }),
    ),
  )
})

afterEach(async () => {
  for (const client of clients) client.destroy()
  for (const server of servers) await server.end('SIGTERM')
  await database.drop()
})

function dial(port: number, cursor: string | null): LoadClient {
  return new LoadClient({
    kind: 'status-ws',
    port,
    watched: { all: true, ...(cursor === null ? {} : { cursor }) },
    onChange: () => undefined,
  })
}

/** Retries after a handshake that was cut off, as a page does. */
async function answered(port: number, cursor: string | null): Promise<LoadClient> {
  for (;;) {
    const client = dial(port, cursor)
    try {
      await client.ready
      return client
    } catch {
      client.destroy()
      redials++
    }
  }
}

const portOf = (index: number): number => Number(new URL(servers[index]?.url ?? '').port)

test(
  '5,000 clients resume by patches on the other server after a restart of theirs, and back again',
  { timeout: 180_000 },
  async () => {
    for (let start = 0; start < CLIENTS; start += TOGETHER) {
      const batch = Array.from({ length: TOGETHER }, () => answered(portOf(0), null))
      clients.push(...(await Promise.all(batch)))
    }
    for (const [leaving, other] of [
      [0, 1],
      [1, 0],
    ] as const) {
      expect(await servers[leaving]?.end('SIGTERM')).toBe(0)
      await until(() => clients.every((client) => client.closed))
      expect(clients.filter((client) => !client.saidBye)).toEqual([])
      await database.sql`
      update connections set status = 'failed', name = name || '!' where id in ('c1', 'c2')`
      clients = await Promise.all(clients.map(({ cursor }) => answered(portOf(other), cursor)))
      expect(clients.filter((client) => client.answeredBy !== 'patch')).toEqual([])
      await servers[leaving]?.launch()
    }
    expect(redials).toBeLessThanOrEqual(CLIENTS / 100)
  },
)

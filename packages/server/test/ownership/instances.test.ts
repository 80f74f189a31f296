/** Real processes, a real database, a real broker: whatever happens to an instance, connections are kept, and by one. */
import { createDatabase } from '@mqtt-status/testing/postgres'
import type { TestDatabase } from '@mqtt-status/testing/postgres'
import { until } from '@mqtt-status/testing/until'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Client } from '../faults/house.ts'
import { Census } from './census.ts'
import { Instance } from './instance.ts'

const COUNT = 40
const PATIENCE = { timeoutMs: 60_000 }
/** The TTL of instances that are killed: short, so that the test waits for a few seconds only. */
const SHORT = { LEASE_TTL_MS: '3000' }
/** Of those that live, because a busy machine may stand still for seconds; they look at others three times as often. */
const LONG = { LEASE_TTL_MS: '12000' }

let database: TestDatabase
let broker: Census
let instances: Instance[] = []
let clients: Client[] = []

beforeEach(async () => {
  database = await createDatabase()
  broker = await Census.start()
  await database.sql`
    insert into connections (id, site_id, name, host, port, client_id, topics, desired)
    select 'c' || n, 's1', 'C', '127.0.0.1', ${broker.port}, 'c' || n, '["plant/#"]', 'connected'
    from generate_series(1, ${COUNT}) n`
})

afterEach(async () => {
  for (const client of clients.splice(0)) client.socket.terminate()
  await Promise.all(instances.splice(0).map((instance) => instance.end('SIGKILL')))
  await database.drop()
  await broker.stop()
}, 60_000)

async function start(environment: Record<string, string> = LONG): Promise<Instance> {
  const instance = await Instance.start({ DATABASE_URL: database.url, ...environment })
  instances.push(instance)
  return instance
}

async function watch(instance: Instance): Promise<Client> {
  const client = await instance.watch()
  clients.push(client)
  return client
}

interface Table {
  /** The number of rows with the status `connected`. */
  readonly up: number
  /** How often one of them got an owner that had to dial. */
  readonly dials: number
  /** How many connections each living owner keeps, the most first. */
  readonly shares: readonly number[]
}

/** In one statement: what is read bit by bit while connections change hands is true at no time. */
async function readTable(): Promise<Table | undefined> {
  const [table] = await database.sql<Table[]>`
    with shares as (
      select count(c.id)::int as share
      from supervisors s
      left join connections c on c.owner_id = s.id
      where s.lease_expires_at > now() and not s.draining
      group by s.id
    )
    select count(*) filter (where status = 'connected')::int as up,
      sum(epoch)::int
        - (select count(*)::int from connection_events where status = 'unknown') as dials,
      (select json_agg(share order by share desc) from shares) as shares
    from connections`
  return table
}

/**
 * All connected, according to the broker as well as to the table, shared out so, and dialled exactly once for each time
 * that they got an owner: no claim is under way any more, and no instance has claimed a row of another.
 */
async function settled(...expected: number[]): Promise<void> {
  let found: unknown = null
  await until(
    async () => {
      const table = await readTable()
      const wire = { live: broker.live, clients: broker.connected.length, dials: broker.total }
      found = { table, wire }
      return (
        table?.up === COUNT &&
        wire.live === COUNT &&
        wire.clients === COUNT &&
        wire.dials === table.dials &&
        String(table.shares) === String(expected)
      )
    },
    { ...PATIENCE, what: `shares of ${expected.join(', ')}` },
  ).catch((cause: unknown) => {
    throw new Error(`found ${JSON.stringify(found)}`, { cause })
  })
}

/** What happened since, as far as anybody could see it: nothing at all. */
async function begin(client: Client): Promise<() => Promise<void>> {
  const [before] = await database.sql`select count(*)::int as events from connection_events`
  client.received.length = 0
  broker.forget()
  return async () => {
    for (const { output, mayLapse } of instances)
      expect(mayLapse ? '' : output, 'a lease that ended on its own').not.toContain('the lease')
    const [after] = await database.sql`select count(*)::int as events from connection_events`
    expect(client.received.filter((line) => !line.endsWith(' connected'))).toEqual([])
    expect(after, 'entries in the timelines').toEqual(before)
    expect(broker.peak, 'sockets of one client, at a takeover').toBeLessThanOrEqual(2)
  }
}

test('scenario 16: two nodes share the connections; after kill -9 of one the other keeps all, and no client gets a status change', async () => {
  const [first, second] = [await start(SHORT), await start()]
  await settled(COUNT / 2, COUNT / 2)
  const client = await watch(second)
  const unchanged = await begin(client)
  await first.end('SIGKILL')
  await settled(COUNT)
  // Each lost one was dialled once.
  expect(broker.accepts).toBe(COUNT / 2)
  expect(broker.mostAccepts).toBe(1)
  await unchanged()
}, 120_000)

test('scenario 16: a node that was frozen closes its connections, and disturbs no other node', async () => {
  const [first, second] = [await start(SHORT), await start()]
  await settled(COUNT / 2, COUNT / 2)
  const client = await watch(second)
  const unchanged = await begin(client)
  first.freeze()
  // The broker still holds the sockets of the frozen one, until they are taken over.
  await until(() => broker.accepts === COUNT / 2, PATIENCE)
  await settled(COUNT)
  expect(broker.mostAccepts).toBe(1)
  await unchanged()

  first.thaw()
  await until(() => first.output.includes('the lease had ended'), PATIENCE)
  await settled(COUNT / 2, COUNT / 2)
  // Taken over when it was frozen, and at most once more when it got its share back: no tug of war.
  expect(broker.mostAccepts).toBeLessThanOrEqual(2)
  expect(broker.accepts).toBe(COUNT)
  expect(broker.longestGap).toBeLessThan(1_000)
  await unchanged()
}, 120_000)

test('scenario 16: SIGTERM hands all connections over without a gap, and the node ends with 0', async () => {
  const [first, second] = [await start(), await start()]
  await settled(COUNT / 2, COUNT / 2)
  const client = await watch(second)
  const unchanged = await begin(client)
  expect(await first.end('SIGTERM')).toBe(0)
  expect(first.output).toContain('connections are handed over')
  await settled(COUNT)
  expect(broker.accepts).toBe(COUNT / 2)
  expect(broker.longestGap).toBeLessThan(1_000)
  await unchanged()
}, 120_000)

test('scenario 16: a third instance that joins gets its share, without a gap', async () => {
  const first = await start()
  await start()
  await settled(COUNT / 2, COUNT / 2)
  const client = await watch(first)
  const unchanged = await begin(client)
  await start()
  await settled(14, 14, 12)
  await unchanged()
  expect(broker.accepts).toBe(12)
  expect(broker.longestGap).toBeLessThan(1_000)
  await unchanged()
}, 120_000)

test('scenario 16: no client gets a status change in a rolling restart of two of two', async () => {
  const [first, second] = [await start(), await start()]
  const observer = await start({ ...LONG, SUPERVISOR: 'off' })
  await settled(COUNT / 2, COUNT / 2)
  const client = await watch(observer)
  const unchanged = await begin(client)
  expect(await first.end('SIGTERM')).toBe(0)
  await start()
  await settled(COUNT / 2, COUNT / 2)
  expect(await second.end('SIGTERM')).toBe(0)
  await start()
  await settled(COUNT / 2, COUNT / 2)
  expect(broker.longestGap).toBeLessThan(1_000)
  await unchanged()
}, 120_000)

test('the last node ends its lease, so that the next node claims its rows at once', async () => {
  const environment = { LEASE_TTL_MS: '600000' }
  const only = await start(environment)
  const observer = await start({ ...environment, SUPERVISOR: 'off' })
  await settled(COUNT)
  const client = await watch(observer)
  const unchanged = await begin(client)
  expect(await only.end('SIGTERM')).toBe(0)
  expect(broker.live).toBe(0)
  await start(environment)
  await settled(COUNT)
  await unchanged()
}, 120_000)

test('scenario 18: with no supervisor left, any node marks connections as unknown since the lease ended', async () => {
  const only = await start(SHORT)
  const observer = await start({ ...SHORT, SUPERVISOR: 'off' })
  await settled(COUNT)
  const client = await watch(observer)
  await only.end('SIGKILL')
  await until(() => [...client.rows.values()].every(({ status }) => status === 'unknown'), PATIENCE)
  expect([...client.rows.values()].every(({ reason }) => reason === 'supervisor_lost')).toBe(true)
  const ended = await database.sql<{ since: boolean; event: boolean }[]>`
    select distinct c.since = s.lease_expires_at as since, e.at = c.since as event
    from connections c, connection_events e, supervisors s
    where e.connection_id = c.id and e.status = 'unknown'`
  expect([...ended]).toEqual([{ since: true, event: true }])

  await start()
  await settled(COUNT)
  await until(() => [...client.rows.values()].every(({ status }) => status === 'connected'))
}, 120_000)

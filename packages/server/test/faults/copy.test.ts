import { Broker } from '@mqtt-status/testing/broker'
import { until } from '@mqtt-status/testing/until'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { doctor } from '../../src/cli/doctor.ts'
import { SetupError } from '../../src/errors.ts'
import { House } from './house.ts'
import { dump, OwnPostgres, restore } from './own-postgres.ts'

let original: OwnPostgres
let copy: OwnPostgres | null = null
let broker: Broker
let house: House | null = null

beforeEach(async () => {
  broker = await Broker.start()
  original = await OwnPostgres.create()
})

afterEach(async () => {
  await house?.close()
  house = null
  await copy?.remove()
  copy = null
  await original.remove()
  await broker.stop()
})

/** A server that keeps one connection to the broker. */
async function keep(environment = {}): Promise<House> {
  const opened = (house = await House.open(original.url, environment))
  await original.sql`
    insert into connections (id, site_id, name, host, port, client_id, desired)
    values ('a', 's1', 'A', '127.0.0.1', ${broker.port}, 'plant-a', 'connected')`
  await until(async () => {
    const [found] = await original.sql`select status from connections`
    return found?.['status'] === 'connected'
  })
  return opened
}

/** The output of the doctor; rejects if a check fails. */
async function examine(url: string, adopt = false): Promise<string> {
  const lines: string[] = []
  await doctor(
    {
      environment: { DATABASE_URL: url },
      version: '0.0.0',
      terminal: false,
      progress: () => undefined,
      print: (line) => lines.push(line),
      signal: () => new AbortController().signal,
    },
    {},
    { adopt, json: false },
  )
  return lines.join('\n')
}

/** Another cluster; made before a server runs, because its sockets are not the server's. */
async function another(): Promise<OwnPostgres> {
  return (copy = await OwnPostgres.create())
}

async function restoreTo(other: OwnPostgres): Promise<void> {
  // As "mqtt-status migrate" would, or the schema part of a dump.
  await new House(other.url).migrate()
  await restore(other.sql, await dump(original.sql))
}

test('a dump that is restored into another cluster is shown, but not supervised until it is adopted', async () => {
  const other = await another()
  house = await keep()
  const client = await house.watch()
  await until(() => client.cursor !== null)
  await restoreTo(other)
  const [before] = await original.sql<{ epoch: string }[]>`select epoch from meta`
  await house.close()
  const dialled = broker.connects('plant-a')

  house = await House.open(other.url)
  expect(house.server.supervision).toBe('paused')
  // Delivery works, and that is what readiness is about.
  await until(async () => (await house?.unready())?.length === 0)
  expect(house.log.filter((line) => line.includes('supervision is paused'))).toHaveLength(1)
  const [after] = await other.sql<{ epoch: string }[]>`select epoch from meta`
  expect(after?.epoch).not.toBe(before?.epoch)

  const second = await house.watch({ all: true, cursor: client.cursor ?? '' })
  expect(second.types).toContain('snapshot')
  expect(second.rows.get('a')).toMatchObject({ status: 'unknown', reason: 'supervisor_lost' })
  // Neither a restart nor a command makes it dial.
  await fetch(`${house.url}/api/v1/connections/a/reconnect`, { method: 'POST' })
  await until(() => second.rows.get('a')?.generation === 1)
  await house.close()
  house = await House.open(other.url)
  const third = await house.watch()
  expect(await examine(other.url)).toContain('supervision is paused')
  expect(broker.connects('plant-a')).toBe(dialled)

  expect(await examine(other.url, true)).toContain('is adopted now')
  await third.sees('a', 'connected')
  expect(house.server.supervision).toBe('on')
  expect(broker.connects('plant-a')).toBe(dialled + 1)
  expect(await examine(other.url)).toContain('and adopted')
})

test('with ADOPT_DATABASE the server supervises a copy without a confirmation', async () => {
  const other = await another()
  house = await keep()
  await restoreTo(other)
  await house.close()
  house = await House.open(other.url, { ADOPT_DATABASE: '1' })
  const client = await house.watch()
  await client.sees('a', 'connected')
  expect(house.log.join('')).not.toContain('supervision is paused')
})

test('a running server whose database is replaced by a copy closes its connections and its clients', async () => {
  const other = await another()
  house = await keep()
  const client = await house.watch()
  expect(broker.sockets).toBe(1)
  await restoreTo(other)
  await original.stop()
  await other.replace(original)

  expect(await client.closed).toBe(4202)
  await until(() => house?.server.supervision === 'paused' && broker.sockets === 0)
  const second = await house.watch()
  expect(second.rows.get('a')).toMatchObject({ status: 'unknown', reason: 'supervisor_lost' })
  const dialled = broker.connects('plant-a')
  await examine(other.url, true)
  await second.sees('a', 'connected')
  expect(broker.connects('plant-a')).toBe(dialled + 1)
})

test('a failover: a standby is not ready, and once it is promoted it waits to be adopted', async () => {
  house = await keep()
  const client = await house.watch()
  const standby = (copy = await original.copy({ standby: true }))
  await standby.start()
  await until(async () =>
    (await house?.unready())?.includes('the database is read-only (a standby?)'),
  )
  expect(client.open).toBe(true)
  const command = await fetch(`${house.url}/api/v1/connections/a/connect`, { method: 'POST' })
  expect(command.status).toBe(503)

  await standby.sql`select pg_promote()`
  expect(await client.closed).toBe(4202)
  await until(() => house?.server.supervision === 'paused' && broker.sockets === 0)
  await until(async () => (await house?.unready())?.length === 0)
  await examine(standby.url, true)
  const second = await house.watch()
  await second.sees('a', 'connected')
})

test('on a standby the server does not start, and its error says why', async () => {
  await (await keep()).close()
  const standby = (copy = await original.copy({ standby: true }))
  await standby.start()
  const refused = (house = new House(standby.url))
  const start = refused.server.start()
  await expect(start).rejects.toThrow(SetupError)
  await expect(start).rejects.toThrow(/read-only.*standby.*primary/s)
  await expect(examine(standby.url)).rejects.toThrow('writable, listen')
})

test('the server reports when its database becomes read-only, and when it takes writes again', async () => {
  house = await keep()
  await original.sql`alter system set default_transaction_read_only = on`
  await original.sql`select pg_reload_conf()`
  await until(async () =>
    (await house?.unready())?.includes('the database is read-only (a standby?)'),
  )
  await expect(examine(original.url)).rejects.toThrow('writable')
  await original.sql`set default_transaction_read_only = off`
  await original.sql`alter system reset default_transaction_read_only`
  await original.sql`select pg_reload_conf()`
  await until(async () => (await house?.unready())?.length === 0)
  expect(house.server.supervision).toBe('on')
})

/** What is wrong with the triggers of the database is in the answer of /readyz, and the node serves all the same. */
import { createDatabase } from '@mqtt-status/testing/postgres'
import type { TestDatabase } from '@mqtt-status/testing/postgres'
import { until } from '@mqtt-status/testing/until'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { House } from './house.ts'

/** Longer than the time between two looks. */
const PATIENCE = { timeoutMs: 30_000 }

let database: TestDatabase
let house: House

beforeEach(async () => {
  database = await createDatabase()
})

afterEach(async () => {
  await house.close()
  await database.drop()
})

async function ready(): Promise<{ status: number; warnings: readonly string[] | undefined }> {
  const answer = await fetch(`${house.url}/readyz`)
  const { warnings } = (await answer.json()) as { warnings?: readonly string[] }
  return { status: answer.status, warnings }
}

test.each([
  ['alter table connections disable trigger user', 'connections_poke_update'],
  [
    'alter table connections enable trigger connections_2_stamp_update',
    'connections_2_stamp_update',
  ],
  [
    'alter table connections enable replica trigger connections_poke_insert',
    'connections_poke_insert',
  ],
  [
    'alter table connection_secrets disable trigger connection_secrets_changed',
    'connection_secrets_changed',
  ],
  ['drop trigger connections_deleted on connections', 'triggers are missing: connections_deleted'],
  ['alter table connections disable trigger all', 'the triggers of foreign keys are disabled'],
  [
    'create table heirs () inherits (connections)',
    'tables inherit from connections: mqtt_status.heirs',
  ],
])('%s: the node is ready, and has a warning', async (statement, warning) => {
  await database.sql.unsafe(statement)
  house = await House.open(database.url)
  const words = (): Promise<string> => ready().then(({ warnings = [] }) => warnings.join('; '))
  // Disabled triggers are enabled at the start, so they are disabled once more.
  await database.sql.unsafe(statement).catch(() => undefined)
  await until(async () => (await words()).includes(warning), { what: warning, ...PATIENCE })
  await until(async () => (await ready()).status === 200, PATIENCE)
  expect(house.log.join('\n')).toContain('changes of connections may not be shown')
})

test('without a fault /readyz has no warnings; they come and go with the fault, and the log says so', async () => {
  house = await House.open(database.url)
  await until(async () => (await ready()).status === 200, PATIENCE)
  expect((await ready()).warnings).toBeUndefined()
  await database.sql`alter table connections disable trigger connections_poke_update`
  await until(async () => (await ready()).warnings !== undefined, PATIENCE)
  await database.sql`alter table connections enable always trigger connections_poke_update`
  await until(async () => (await ready()).warnings === undefined, PATIENCE)
  expect(house.log.join('\n')).toContain('the triggers fire again')
})

test('rows that are written with session_replication_role = replica are delivered, and cause no warning', async () => {
  house = await House.open(database.url)
  const client = await house.watch()
  await database.sql.begin(async (tx) => {
    await tx`set local session_replication_role = replica`
    await tx`insert into connections (id, site_id, name, managed) values ('r', 's', 'R', false)`
  })
  await client.sees('r', 'disconnected')
  await database.sql.begin(async (tx) => {
    await tx`set local session_replication_role = replica`
    await tx`update connections set status = 'failed' where id = 'r'`
  })
  await client.sees('r', 'failed')
  expect((await ready()).warnings).toBeUndefined()
})

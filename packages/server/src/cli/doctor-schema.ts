/** The checks of `doctor` inside the database; each check executes what the server will execute. */
import { randomUUID } from 'node:crypto'
import { confirmEpoch, readEpoch } from '../db/feed/epoch.ts'
import { findPlace } from '../db/schema/installation.ts'
import { direct } from '../db/postgres/lane.ts'
import { missingMigrations } from '../db/schema/migrate.ts'
import { inSchema } from '../db/postgres/sql.ts'
import type { Pool, Sql } from '../db/postgres/sql.ts'
import { transaction } from '../db/postgres/transaction.ts'
import { findTriggerFaults, listFaults } from '../db/schema/triggers.ts'
import type { Answer } from './finding.ts'

/** The schema of the tables, and whether they are those of this version. */
export async function schema(pool: Pool, wanted: string | null): Promise<Answer> {
  const place = await findPlace(pool, wanted)
  const missing = await missingMigrations(inSchema(pool, place.schema), place)
  const elsewhere = place.others.map(({ name }) => `"${name}"`).join(', ')
  const others = elsewhere === '' ? '' : `; there are other installations in ${elsewhere}`
  const found = `the tables ${place.exists ? 'are' : 'will be'} in the schema "${place.schema}"`
  if (missing.length === 0) return { state: 'ok', found: `${found}, as of this version${others}` }
  return {
    state: 'warning',
    found: `${found}; to be migrated: ${missing.join(', ')}${others}`,
    cure: 'Run "mqtt-status migrate", or let "mqtt-status serve" do it. What depends on it was not checked.',
  }
}

class RolledBack extends Error {}

/** Executes every kind of write, with its triggers, and rolls back. */
export async function rights(sql: Sql): Promise<Answer> {
  const id = `doctor-${randomUUID()}`
  const trial = transaction(sql, async (tx) => {
    await tx`insert into ${tx.schema}.connections (id, site_id, name, managed) values (${id}, ${id}, ${id}, false)`
    await tx`update ${tx.schema}.connections set status = 'connected', owner_id = ${id} where id = ${id}`
    await tx`insert into ${tx.schema}.commands (connection_id, action, generation) values (${id}, 'connect', 0)`
    await tx`
      insert into ${tx.schema}.connection_secrets (connection_id, field, reference)
      values (${id}, 'password', 'env:MQTT_SECRET_DOCTOR')`
    await tx`delete from ${tx.schema}.connections where id = ${id}`
    await tx`delete from ${tx.schema}.connection_tombstones where id = ${id}`
    await tx`update ${tx.schema}.meta set tombstone_floor = tombstone_floor where false`
    await tx`select from ${tx.schema}.connection_events where false`
    await tx`insert into ${tx.schema}.supervisors (id, lease_expires_at) values (${id}, now())`
    await tx`update ${tx.schema}.supervisors set draining = true where id = ${id}`
    await tx`delete from ${tx.schema}.supervisors where id = ${id}`
    await tx`insert into ${tx.schema}.connection_checks (id, connection_id, owner_id) values (${randomUUID()}, ${id}, ${id})`
    await tx`update ${tx.schema}.connection_checks set answer = null where owner_id = ${id}`
    await tx`delete from ${tx.schema}.connection_checks where owner_id = ${id}`
    throw new RolledBack()
  })
  await trial.catch((error: unknown) => {
    if (!(error instanceof RolledBack)) throw error
  })
  return triggers(sql)
}

/** Whether the triggers fire, so that pages show the changes of every writer. */
async function triggers(sql: Sql): Promise<Answer> {
  const faults = listFaults(await findTriggerFaults(sql))
  if (faults.length === 0)
    return { state: 'ok', found: 'rows can be read, written and deleted, and the triggers fire' }
  return {
    state: 'broken',
    found: faults.map(({ found }) => found).join('; '),
    cure: faults.map(({ cure }) => cure).join('\n'),
  }
}

/** Whether this database is a copy, and whether nodes may supervise it; with `adopt`, confirms it. */
export async function epoch(sql: Sql, adopt: boolean): Promise<Answer> {
  const before = await readEpoch(sql)
  if (adopt) {
    await confirmEpoch(direct(sql), true)
    const news = before.own && before.adopted ? 'was adopted already' : 'is adopted now'
    return { state: 'ok', found: `this database ${news}: its connections are supervised` }
  }
  const cure =
    'If the original is gone, or never had these brokers: run "mqtt-status doctor --adopt", or start with ADOPT_DATABASE=1.'
  if (!before.own)
    return {
      state: 'warning',
      found: 'this database is a copy; the server will take a new epoch and wait to be adopted',
      cure,
    }
  if (!before.adopted)
    return {
      state: 'warning',
      found: 'this database is a copy that is not adopted: supervision is paused',
      cure,
    }
  return { state: 'ok', found: `${before.epoch} is this database's own, and adopted` }
}

/**
 * The rows of the demo's dataloggers. A label marks them, and the statements change rows with this label only, also in the
 * database of an operator. This SQL is outside of db/, because no server needs it.
 */
import type postgres from 'postgres'
import { FLEET } from './fleet.ts'

/** A pool with the schema of the tables, as in db/postgres/sql.ts. */
type Sql = postgres.Sql<{ bigint: number }> & { readonly schema: postgres.Fragment }

const MARK = { fleet: 'demo' }
const HOST = '127.0.0.1'

/** Deletes the rows of former runs. */
export async function deleteFleet(sql: Sql): Promise<void> {
  await sql`
    delete from ${sql.schema}.connections
    where labels @> ${sql.json(MARK)}`
}

/** The port of the broker in the rows; 0 = no rows. */
export async function fleetPort(sql: Sql): Promise<number> {
  const [found] = await sql<{ port: number }[]>`
    select port
    from ${sql.schema}.connections
    where labels @> ${sql.json(MARK)} and port between 1 and 65535
    limit 1`
  return found?.port ?? 0
}

/** Inserts missing rows, and points all rows at the broker. `desired` of existing rows does not change. */
export async function seedFleet(sql: Sql, brokerPort: number): Promise<void> {
  const rows = FLEET.map(({ id, siteId, name, place, country, behaviour }) => ({
    id,
    site_id: siteId,
    name,
    labels: sql.json({ ...MARK, place, country }),
    host: HOST,
    port: brokerPort,
    username: id,
    topics: sql.json([`plants/${id}/#`]),
    expected_interval_s: 30,
    desired: behaviour === 'off' ? 'disconnected' : 'connected',
  }))
  await sql`
    insert into ${sql.schema}.connections ${sql(rows)}
    on conflict (id) do nothing`
  await sql`
    update ${sql.schema}.connections
    set host = ${HOST}, port = ${brokerPort}
    where labels @> ${sql.json(MARK)} and (host, port) is distinct from (${HOST}, ${brokerPort})`
}

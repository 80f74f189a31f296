/**
 * The rows of the demo's dataloggers. They are marked by a label, so that in a database of yours nothing else is ever
 * touched. The only SQL outside of db/, because no server needs it.
 */
import type postgres from 'postgres'
import { FLEET } from './fleet.ts'

/** With the schema of the tables, as in db/postgres/sql.ts. */
type Sql = postgres.Sql<{ bigint: number }> & { readonly schema: postgres.Fragment }

const MARK = { fleet: 'demo' }
const HOST = '127.0.0.1'

/** Deletes the rows of former runs. */
export async function deleteFleet(sql: Sql): Promise<void> {
  await sql`
    delete from ${sql.schema}.connections
    where labels @> ${sql.json(MARK)}`
}

/** The port of the broker that the rows name; 0 = there are none yet. */
export async function fleetPort(sql: Sql): Promise<number> {
  const [found] = await sql<{ port: number }[]>`
    select port
    from ${sql.schema}.connections
    where labels @> ${sql.json(MARK)} and port between 1 and 65535
    limit 1`
  return found?.port ?? 0
}

/** Writes the rows that are missing, and leads all of them to the broker. What was asked of a row before stays. */
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

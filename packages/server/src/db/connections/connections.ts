/** The columns of `connections` as they travel: built as JSON by Postgres, so that there is one mapping and one format. */
import type { Connection } from '@mqtt-status/protocol'
import type { Sql } from '../postgres/sql.ts'
import { iso } from '../postgres/time.ts'

/** A fragment that is one row as JSON; times are ISO 8601 in UTC with milliseconds. */
export function rowAsJson(sql: Sql): ReturnType<Sql> {
  return sql`json_build_object(
    'id', id,
    'siteId', site_id,
    'name', name,
    'revision', revision,
    'desired', desired,
    'desiredAt', ${iso(sql, 'desired_at')},
    'desiredBy', desired_by,
    'status', status,
    'reason', reason,
    'detail', detail,
    'since', ${iso(sql, 'since')},
    'generation', generation,
    'observedGeneration', observed_generation,
    'lastMessageAt', ${iso(sql, 'last_message_at')},
    'device', device,
    'deviceSince', ${iso(sql, 'device_since')},
    'managed', managed,
    'labels', labels
  )`
}

/** Reads one row, `null` if there is none. */
export async function findConnection(sql: Sql, id: string): Promise<Connection | null> {
  const [found] = await sql<{ connection: Connection }[]>`
    select ${rowAsJson(sql)} as connection
    from ${sql.schema}.connections
    where id = ${id}`
  return found?.connection ?? null
}

/** All rows in the order of their ids, a page at a time. */
export async function* allConnections(
  sql: Sql,
  pageSize = 1_000,
): AsyncGenerator<readonly Connection[], void, undefined> {
  let after: string | undefined = ''
  while (after !== undefined) {
    const page: readonly { connection: Connection }[] = await sql`
      select ${rowAsJson(sql)} as connection
      from ${sql.schema}.connections
      where id > ${after}
      order by id
      limit ${pageSize}`
    if (page.length > 0) yield page.map(({ connection }) => connection)
    after = page.length < pageSize ? undefined : page.at(-1)?.connection.id
  }
}

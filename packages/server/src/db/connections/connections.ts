/** Reads rows of `connections`, one or all. */
import type { Connection } from '@mqtt-status/protocol'
import type { Sql } from '../postgres/sql.ts'
import { rowAsJson } from './row-json.ts'

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

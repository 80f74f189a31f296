/** The columns of `connections` as they travel: built as JSON by Postgres, so that there is one mapping and one format. */
import type { Connection } from '@mqtt-status/protocol'
import type { Sql } from './sql.ts'
/** A fragment that is one row as JSON; times are ISO 8601 in UTC with milliseconds. */
export declare function rowAsJson(sql: Sql): ReturnType<Sql>
/** Reads one row, `null` if there is none. */
export declare function findConnection(sql: Sql, id: string): Promise<Connection | null>

import type { Sql } from './sql.ts'

/** The columns of times that are sent. */
type TimeColumn =
  | 'desired_at'
  | 'since'
  | 'last_message_at'
  | 'device_since'
  | 'at'
  | 'c.created_at'
  | 'c.updated_at'
  | 's.updated_at'

/**
 * A fragment: the time as ISO 8601 in UTC with milliseconds. Postgres knows times that no program reads (`infinity`, years
 * before 1 and after 9999); of those the nearest that has four digits is sent.
 */
export function iso(sql: Sql, name: TimeColumn): ReturnType<Sql> {
  const column = sql(name)
  return sql`(
    case
      when ${column} < '0001-01-01T00:00:00Z' then '0001-01-01T00:00:00.000Z'
      when ${column} >= '9999-12-31T23:59:59.999Z' then '9999-12-31T23:59:59.999Z'
      else to_char(${column} at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
    end
  )`
}

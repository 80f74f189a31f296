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

/** Sent instead of `-infinity` and of years before 1. */
export const EARLIEST = '0001-01-01T00:00:00.000Z'
/** Sent instead of `infinity` and of years after 9999. */
export const LATEST = '9999-12-31T23:59:59.999Z'

/**
 * A fragment: the time as ISO 8601 in UTC with milliseconds. Postgres knows times that no program reads (`infinity`, years
 * before 1 and after 9999); of those the nearest that has four digits is sent.
 */
export function iso(sql: Sql, name: TimeColumn): ReturnType<Sql> {
  const column = sql(name)
  const earliest = sql.unsafe(`'${EARLIEST}'`)
  const latest = sql.unsafe(`'${LATEST}'`)
  return sql`(
    case
      when ${column} < ${earliest} then ${earliest}
      when ${column} >= ${latest} then ${latest}
      else to_char(${column} at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
    end
  )`
}

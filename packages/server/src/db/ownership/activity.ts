import type { ActivityWrite, Written } from '../../model/observed.ts'
import { writeBatch } from './batch-write.ts'
import type { Sql } from '../postgres/sql.ts'

/** Writes when connections were last heard, all in one statement; a time never goes back. */
export function writeActivity(
  sql: Sql,
  ownerId: string,
  writes: readonly ActivityWrite[],
): Promise<Written> {
  return writeBatch(sql, ownerId, {
    rows: sql`jsonb_to_recordset(${sql.json(writes as never)}) as w (
      id text,
      fence bigint,
      "ageMs" float8,
      "lastMessageAt" timestamp
    )`,
    set: sql`
      last_message_at = greatest(
        w."lastMessageAt" at time zone 'utc',
        now() - w."ageMs" * interval '1 millisecond'
      )`,
  })
}

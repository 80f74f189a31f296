import type { ActivityWrite, RowVersion } from '../model/observed.ts'
import { rowVersion } from './observed.ts'
import type { Sql } from './sql.ts'

/**
 * Writes when connections were last heard, all in one statement; a time never goes back.
 *
 * @returns the rows as they are now; one that is missing is not ours any more, or gone
 */
export async function writeActivity(
  sql: Sql,
  ownerId: string,
  writes: readonly ActivityWrite[],
): Promise<ReadonlyMap<string, RowVersion>> {
  const written = await sql<RowVersion[]>`
    update ${sql.schema}.connections c
    set last_message_at = greatest(
      w."lastMessageAt" at time zone 'utc',
      now() - w."ageMs" * interval '1 millisecond'
    )
    from jsonb_to_recordset(${sql.json(writes as never)}) as w (
      id text,
      epoch bigint,
      "ageMs" float8,
      "lastMessageAt" timestamp
    )
    where c.id = w.id and c.owner_id = ${ownerId} and c.epoch = w.epoch
    returning ${rowVersion(sql)}`
  return new Map(written.map((row) => [row.id, row]))
}

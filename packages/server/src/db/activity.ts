import type { Sql } from './sql.ts'

export interface ActivityWrite {
  readonly id: string
  /** Fences the write, as that of a status. */
  readonly epoch: number
  /** How long ago the last message came, in ms. */
  readonly ageMs: number
}

/**
 * Writes when connections were last heard, all in one statement; a time never goes back.
 *
 * @returns the ids that were written; one that is missing is not ours any more, or gone
 */
export async function writeActivity(
  sql: Sql,
  ownerId: string,
  writes: readonly ActivityWrite[],
): Promise<ReadonlySet<string>> {
  const written = await sql<{ id: string }[]>`
    update ${sql.schema}.connections c
    set last_message_at = greatest(c.last_message_at, now() - w."ageMs" * interval '1 millisecond')
    from jsonb_to_recordset(${sql.json(writes as never)}) as w (
      id text,
      epoch bigint,
      "ageMs" float8
    )
    where c.id = w.id and c.owner_id = ${ownerId} and c.epoch = w.epoch
    returning c.id`
  return new Set(written.map(({ id }) => id))
}

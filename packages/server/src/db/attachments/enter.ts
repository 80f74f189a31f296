/** The turn of one node at the work on an attachment. */
import type { Sql } from '../postgres/sql.ts'

/** How long a statement waits for a lock. It waits for none but those of migrations of the attached table. */
const LOCK_TIMEOUT = '500ms'

/**
 * Begins the work on one attachment, on one node at a time, in a transaction.
 *
 * @returns whether it is this node's turn
 */
export async function enter(tx: Sql, id: number): Promise<boolean> {
  // Each statement sees what was committed before it, whatever the role's default is.
  await tx`set transaction isolation level read committed`
  await tx.unsafe(`set local lock_timeout = '${LOCK_TIMEOUT}'`)
  const [found] = await tx<{ entered: boolean }[]>`
    select pg_try_advisory_xact_lock(hashtext(${`${tx.schemaName}.attachments`}), ${id}::int) as entered`
  return found?.entered === true
}

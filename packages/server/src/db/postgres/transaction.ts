/** Transactions of programs that do one thing and end, without the deadlines of a lane. */
import { DatabaseAway, isRefusal } from './away.ts'
import { Session } from './session.ts'
import type { Sql } from './sql.ts'

/**
 * Runs statements in one transaction, in a session of its own. The transaction is undone if any of the statements, or the
 * work itself, fails.
 *
 * @throws DatabaseAway where the session was lost after COMMIT was sent: the changes may have been made
 */
export async function transaction<T>(sql: Sql, work: (tx: Sql) => Promise<T>): Promise<T> {
  const session = Session.open({ ...sql.origin, schema: sql.schemaName })
  const progress = { committing: false }
  try {
    return await session.transact(work, { limitMs: 0, progress })
  } catch (cause) {
    if (!progress.committing || isRefusal(cause)) throw cause
    throw new DatabaseAway('The database has not confirmed the change', {
      outcome: 'unknown',
      cause,
    })
  } finally {
    await session.close()
  }
}

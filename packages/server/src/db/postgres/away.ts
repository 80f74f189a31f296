/** Failures that say that the database can't be used at this moment: the same may well succeed later, or on another node. */

import { StatusError } from '../../errors.ts'

/** Whether the change may have been committed: `unknown` where COMMIT was sent and the server has not answered. */
export type Outcome = 'none' | 'unknown'

/** The database has not executed the statement, because it can't be used now or has not answered in time. */
export class DatabaseAway extends Error {
  override readonly name = 'DatabaseAway'
  readonly code = 'DATABASE_AWAY'
  readonly outcome: Outcome

  constructor(message: string, { outcome, cause }: { outcome: Outcome; cause?: unknown }) {
    super(message, cause === undefined ? undefined : { cause })
    this.outcome = outcome
  }
}

/**
 * Classes and codes of Postgres (appendix A of its manual): lost connections, serialization failures and deadlocks,
 * read-only and expired transactions, resources that are used up (disk, memory, connections), locks that are not
 * available, statements that were cancelled, a server that shuts down or starts, errors of its operating system.
 */
const AWAY_STATES = /^(08...|25006|25P0[34]|40001|40P01|53...|55P03|57014|57P0[1-5]|58...)$/
/** Codes of postgres.js. */
const AWAY_CODES: ReadonlySet<string> = new Set([
  'CONNECT_TIMEOUT',
  'CONNECTION_CLOSED',
  'CONNECTION_DESTROYED',
  'CONNECTION_ENDED',
])
/** Codes of the operating system and of its resolver, as Node names them; its own begin with `ERR_`. */
const SYSTEM_CODE = /^E(?!RR_)[A-Z0-9_]+$/

/** Whether the database can't be used at this moment; other failures are faults of the statement. */
export function isAway(error: unknown): boolean {
  if (error instanceof DatabaseAway) return true
  if (!(error instanceof Error) || !('code' in error)) return false
  const code = String(error.code)
  return AWAY_STATES.test(code) || AWAY_CODES.has(code) || SYSTEM_CODE.test(code)
}

/** Whether the server itself refused the statement: then nothing of it was done, not even where it was a COMMIT. */
export function isRefusal(error: unknown): boolean {
  return error instanceof Error && 'severity' in error && error.severity === 'ERROR'
}

/**
 * The same failure as callers see it.
 *
 * @param what the database does not do, as in "takes no commands"
 * @returns a failure that is a fault of the statement as it is
 */
export function unavailable(cause: unknown, what: string): unknown {
  if (!isAway(cause)) return cause
  const outcome = cause instanceof DatabaseAway ? cause.outcome : 'none'
  const message =
    outcome === 'none'
      ? `The database ${what} at the moment, and nothing was changed; try again.`
      : 'The database has not confirmed the change: it may have been made. Read the connection again, or repeat the request with the same Idempotency-Key.'
  return new StatusError('database_unavailable', message, { cause, outcome })
}

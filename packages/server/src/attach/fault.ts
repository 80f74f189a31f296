/** What an error of Postgres says about an attachment. */
import { isAway } from '../db/postgres/away.ts'

/** A failure as `attachments` records it. */
export interface Fault {
  /** The SQLSTATE, or a word of ours. */
  readonly code: string
  readonly message: string
}

/** Classes of Postgres: data exceptions, violated constraints, exceptions of functions; they are faults of rows. */
const OF_A_ROW = /^(22|23|P0001)/

/** Whether one row is at fault, and its neighbours can be written. */
export function isOfRow(error: unknown): boolean {
  return !isAway(error) && OF_A_ROW.test(describeError(error).code)
}

/** Message and code of an error of Postgres, without values of rows, which may be secrets. */
export function describeError(error: unknown): Fault {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  if (!(cause instanceof Error)) return { code: 'unknown', message: 'unknown failure' }
  const code = 'code' in cause ? String(cause.code) : 'unknown'
  const message = code.startsWith('22') ? cause.message.replace(/: ".*$/s, '') : cause.message
  return { code, message: message.slice(0, 300) }
}

import { SetupError } from '../../errors.ts'
import { DatabaseAway, isAway } from './away.ts'
import { explainTls } from './tls-failures.ts'

/** Something in the schema has the name already. */
const TAKEN =
  'Something else in the schema has a name that this server needs for itself: set DATABASE_SCHEMA to a schema of its own.\n' +
  '  Nothing was changed.'
const UNREACHABLE = 'Check DATABASE_URL, and that Postgres runs and lets this machine in.'
/** Why it takes no writes, and what to do. */
export const READ_ONLY =
  'It is a standby, or default_transaction_read_only is on there. Point DATABASE_URL at the primary.'

const RIGHTS =
  'Use the role that owns the tables of mqtt-status, or let that role grant usage on their schema, and select, insert, update and delete on all of them.'

const CHECK = 'Run the command again: what is done already is found, and not done twice.'
const AGAIN = 'Run the command again when the database can be used.'

/** Failures that the operator can mend, and how. */
const CURES: Readonly<Record<string, string>> = {
  ECONNREFUSED: UNREACHABLE,
  ENOTFOUND: UNREACHABLE,
  EAI_AGAIN: UNREACHABLE,
  ECONNRESET: UNREACHABLE,
  EHOSTUNREACH: UNREACHABLE,
  CONNECT_TIMEOUT: UNREACHABLE,
  CONNECTION_CLOSED: UNREACHABLE,
  '25006': READ_ONLY,
  // It shuts down, it starts, it is full.
  '57P01': UNREACHABLE,
  '57P03': UNREACHABLE,
  '53300': UNREACHABLE,
  '28P01': 'Check the user and the password in DATABASE_URL.',
  '28000': 'Check the user and the password in DATABASE_URL.',
  '3D000': 'Create the database, or correct DATABASE_URL.',
  '42P07': TAKEN,
  '42710': TAKEN,
  '42723': TAKEN,
  '42501': RIGHTS,
}

/**
 * Describes a failure of the database to an operator, without the configured address, which contains the password. A
 * failure that an operator can't repair is returned as it is.
 */
export function explain(error: unknown): unknown {
  if (error instanceof DatabaseAway && error.outcome === 'unknown')
    return new SetupError(`${error.message}: it may have been made.\n  ${CHECK}`, { cause: error })
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string')
    return error
  const tls = explainTls(error, error.code)
  if (tls !== null) return new SetupError(`${tls.what}.\n  ${tls.cure}`, { cause: error })
  const cure = CURES[error.code] ?? (isAway(error) ? AGAIN : undefined)
  if (cure === undefined) return error
  return new SetupError(`${whatOf(error, error.code)}.\n  ${cure}`, { cause: error })
}

function whatOf(error: Error, code: string): string {
  const cure = CURES[code]
  if (cure === READ_ONLY) return `The database is read-only (${error.message})`
  if (cure !== UNREACHABLE) return error.message
  const at =
    'address' in error && 'port' in error
      ? ` at ${String(error.address)}:${String(error.port)}`
      : ''
  return `The database can't be reached${at} (${code})`
}

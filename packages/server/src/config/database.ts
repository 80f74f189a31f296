/** How the database is reached, out of the settings and of what people write into its address. */
import { isSamePlace } from './connection-string/address.ts'
import type { PostgresAddress } from './connection-string/address.ts'

export interface DatabaseConfig {
  readonly address: PostgresAddress
  /** Past a pooler, if there is one. */
  readonly listenAddress: PostgresAddress
  /** The schema of the tables; `null`: where they are already, or else the default. */
  readonly schema: string | null
  readonly pool: number
  readonly statementTimeoutMs: number
  /** Whether a copy of another database may be supervised without being asked about. */
  readonly adopt: boolean
}

/** The values of the settings, by variable. */
interface Values {
  readonly DATABASE_URL: PostgresAddress
  readonly LISTEN_DATABASE_URL?: PostgresAddress | undefined
  readonly DATABASE_SCHEMA?: string | undefined
  readonly DATABASE_POOL: number
  readonly STATEMENT_TIMEOUT_MS: number
  readonly ADOPT_DATABASE: '0' | '1'
}

export function toDatabase(p: Values): DatabaseConfig {
  const listenAddress = p.LISTEN_DATABASE_URL ?? p.DATABASE_URL
  return {
    address: {
      ...p.DATABASE_URL,
      // A second address is needed where the first one is a pooler.
      prepare: p.DATABASE_URL.prepare && isSamePlace(p.DATABASE_URL, listenAddress),
    },
    listenAddress,
    schema: p.DATABASE_SCHEMA ?? p.DATABASE_URL.schema,
    pool: p.DATABASE_POOL,
    statementTimeoutMs: p.STATEMENT_TIMEOUT_MS,
    adopt: p.ADOPT_DATABASE === '1',
  }
}

/** What the operator should know about the addresses, in one line each. */
export function databaseWarnings({ address, listenAddress }: DatabaseConfig): readonly string[] {
  const isPooled = !address.prepare && isSamePlace(address, listenAddress)
  return [
    ...address.notes.map((note) => `DATABASE_URL: ${note}`),
    ...(isSamePlace(address, listenAddress)
      ? []
      : listenAddress.notes.map((note) => `LISTEN_DATABASE_URL: ${note}`)),
    ...(isPooled ? [POOLED] : []),
  ]
}

const POOLED =
  'DATABASE_URL says that it is a pooler, and LISTEN_DATABASE_URL is not set: a pooler in transaction mode passes no ' +
  'notifications on, so changes are shown after FEED_POLL_MS; set LISTEN_DATABASE_URL to the direct address'

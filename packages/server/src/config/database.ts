/** How the server reaches its database, from the settings and from the parameters of the addresses. */
import { isSamePlace } from './connection-string/address.ts'
import type { PostgresAddress } from './connection-string/address.ts'
import type { SettingValues } from './settings.ts'

export interface DatabaseConfig {
  readonly address: PostgresAddress
  /** The direct address where `address` is that of a pooler. */
  readonly listenAddress: PostgresAddress
  /** The schema of the tables; `null`: the schema that has the tables already, or else the default. */
  readonly schema: string | null
  readonly pool: number
  readonly statementTimeoutMs: number
  /** Whether the server supervises a copy of another database without a confirmation. */
  readonly adopt: boolean
}

/** Joins the two addresses, and the schema that an address may name. */
export function toDatabase(values: SettingValues['database']): DatabaseConfig {
  const { url, listenUrl = url, schema = url.schema, pool, statementTimeoutMs, adopt } = values
  return {
    address: {
      ...url,
      // The operator sets a second address where the first one is a pooler.
      prepare: url.prepare && isSamePlace(url, listenUrl),
    },
    listenAddress: listenUrl,
    schema,
    pool,
    statementTimeoutMs,
    adopt,
  }
}

/** Warnings about the addresses, one line each. */
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

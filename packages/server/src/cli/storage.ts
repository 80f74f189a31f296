import { readStorage } from '../config/config.ts'
import type { StorageConfig } from '../config/config.ts'
import { explain } from '../db/postgres/explain.ts'
import { KeyRing } from '../db/secrets/key-ring.ts'
import { findPlace } from '../db/schema/installation.ts'
import { direct } from '../db/postgres/lane.ts'
import { missingMigrations } from '../db/schema/migrate.ts'
import { Secrets } from '../db/secrets/secrets.ts'
import { connectSql, inSchema } from '../db/postgres/sql.ts'
import type { Sql } from '../db/postgres/sql.ts'
import { SetupError } from '../errors.ts'
import type { Edge } from './edge.ts'

/** The database of a command that works without a server. */
export interface Storage {
  readonly config: StorageConfig
  readonly sql: Sql
  readonly ring: KeyRing
  readonly secrets: Secrets
}

/**
 * Opens the database of the settings for `work`, and closes it afterwards.
 *
 * @throws SetupError where the command can't reach the database, or its tables are not those of this version
 */
export async function withStorage<T>(
  edge: Edge,
  flags: Record<string, string>,
  work: (storage: Storage) => Promise<T>,
): Promise<T> {
  const config = readStorage(edge.environment, flags, edge.terminal)
  const { database, secrets } = config
  const pool = connectSql(database.address, {
    max: 2,
    applicationName: 'mqtt-status-cli',
  })
  const ring = new KeyRing(secrets.keys)
  const references = { variable: secrets.variable, keysFile: secrets.keysFile }
  try {
    const place = await findPlace(pool, database.schema)
    const sql = inSchema(pool, place.schema)
    const missing = await missingMigrations(sql, place)
    if (missing.length > 0) {
      throw new SetupError(
        `The schema "${place.schema}" has not the tables of this version yet.\n  Run "mqtt-status migrate", or start the server once.`,
      )
    }
    return await work({
      config,
      sql,
      ring,
      secrets: new Secrets({ read: direct(sql).read, ring, references }),
    })
  } catch (error) {
    throw explain(error)
  } finally {
    await pool.end({ timeout: 5 })
  }
}

import { readStorage } from '../config/config.ts'
import { migrate } from '../db/schema/migrate.ts'
import { connectSql } from '../db/postgres/sql.ts'
import { createLog } from '../log.ts'
import type { Edge } from './edge.ts'

/** Migrates the database and prints the applied migrations; for setups in which the role of `serve` may not migrate. */
export async function migrateDatabase(edge: Edge, flags: Record<string, string>): Promise<void> {
  const { database, log } = readStorage(edge.environment, flags, edge.terminal)
  const pool = connectSql(database.address, {
    max: 1,
    applicationName: 'mqtt-status-migrate',
  })
  try {
    const { sql, applied } = await migrate(
      pool,
      createLog({ level: 'warn', format: log.format }, process.stderr),
      database,
    )
    if (applied.length === 0) edge.print(`The schema "${sql.schemaName}" is up to date.`)
    for (const name of applied) edge.print(`Applied ${name} to the schema "${sql.schemaName}"`)
  } finally {
    await pool.end({ timeout: 5 })
  }
}

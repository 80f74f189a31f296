import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { SetupError } from '../../errors.ts'
import type { Log } from '../../log.ts'
import { explain, READ_ONLY } from '../postgres/explain.ts'
import { findPlace, freeChannels } from './installation.ts'
import type { Place } from './installation.ts'
import { lock } from '../postgres/lock.ts'
import { prepareSchema } from './schema.ts'
import { inSchema } from '../postgres/sql.ts'
import type { Pool, Sql } from '../postgres/sql.ts'
import { refuseTakenNames } from './taken-names.ts'
import { transaction } from '../postgres/transaction.ts'
import { mendTriggers } from './triggers.ts'

/** Beside the sources and beside the build alike. */
const FOLDER = new URL('../../../migrations/', import.meta.url)

const MIGRATIONS_TABLE = `
create table migrations (
  name text primary key,
  checksum text not null,
  applied_at timestamptz not null default now()
)`

interface Migration {
  readonly name: string
  readonly text: string
  readonly checksum: string
}

export interface MigrateOptions {
  /** What DATABASE_SCHEMA says; `null`: where the tables are already, or else "mqtt_status". */
  readonly schema: string | null
  readonly folder?: URL
}

export interface Migrated {
  /** The same pool, together with the schema of the tables. */
  readonly sql: Sql
  /** The migrations that were applied now. */
  readonly applied: readonly string[]
}

/**
 * Brings the database to the tables of this version: each numbered file once, in order, in one transaction, under a
 * lock, so that any number of nodes may start at once.
 *
 * @throws SetupError if a newer version has migrated the database, if a released file was edited, if the role may not create the
 * schema, if other objects have names that a migration creates, or if the server can't reach the database
 */
export async function migrate(
  pool: Pool,
  log: Log,
  { schema, folder = FOLDER }: MigrateOptions,
): Promise<Migrated> {
  const files = await readMigrations(folder)
  try {
    const place = await findPlace(pool, schema)
    const sql = inSchema(pool, place.schema)
    const applied = await transaction(sql, (tx) => apply(tx, files))
    if (applied.length > 0) log.info({ schema: place.schema, applied }, 'database migrated')
    warnOfOthers(log, place, schema)
    if (folder === FOLDER) await mendTriggers(sql, log)
    return { sql, applied }
  } catch (error) {
    throw explain(error)
  }
}

async function apply(tx: Sql, files: readonly Migration[]): Promise<readonly string[]> {
  await lock(tx, 'migrate')
  // A long migration is not a runaway query.
  await tx`set local statement_timeout = 0`
  await refuseReadOnly(tx)
  // Another node may have been faster.
  const place = await findPlace(tx, tx.schemaName)
  const known = place.exists ? await readKnown(tx) : []
  const missing = compare(files, known)
  if (missing.length === 0) return []
  await prepareSchema(tx)
  const applied = files.filter((file) => !missing.includes(file))
  const own = place.exists ? [] : [MIGRATIONS_TABLE]
  await refuseTakenNames(tx, {
    applied: applied.map(({ text }) => text),
    missing: [...own, ...missing.map(({ text }) => text)],
  })
  // A function keeps the search path that it is created with: this schema, with temporary tables last.
  await tx`select set_config('search_path', format('%I, pg_temp', ${tx.schemaName}::text), true)`
  if (!place.exists) {
    const { changes, calls } = await freeChannels(tx, place)
    await tx`
      select set_config('mqtt_status.channel', ${changes}, true),
        set_config('mqtt_status.calls_channel', ${calls}, true)`
    await tx.unsafe(MIGRATIONS_TABLE)
  }
  for (const { name, text, checksum } of missing) {
    await tx.unsafe(text)
    await tx`insert into migrations ${tx({ name, checksum })}`
  }
  return missing.map(({ name }) => name)
}

/** A server that may not write is of no use, even where there is nothing to migrate. */
async function refuseReadOnly(tx: Sql): Promise<void> {
  const [found] = await tx<{ readOnly: boolean }[]>`
    select current_setting('transaction_read_only')::boolean as "readOnly"`
  if (found?.readOnly) throw new SetupError(`The database is read-only.\n  ${READ_ONLY}`)
}

/** A second installation beside the first is seldom what was meant, and without DATABASE_SCHEMA it is a matter of age. */
function warnOfOthers(log: Log, place: Place, wanted: string | null): void {
  if (place.others.length === 0 || (wanted !== null && place.exists)) return
  const facts = { schema: place.schema, others: place.others.map(({ name }) => name) }
  if (place.exists)
    log.warn(facts, 'the database holds several installations; set DATABASE_SCHEMA to say which')
  else log.warn(facts, 'a new installation is made beside others, because DATABASE_SCHEMA says so')
}

/**
 * The names that are still to be applied; changes nothing.
 *
 * @throws SetupError when a newer version has been here, or when a released file was edited
 */
export async function missingMigrations(
  sql: Sql,
  place: Place,
  folder: URL = FOLDER,
): Promise<readonly string[]> {
  const known = place.exists ? await readKnown(sql) : []
  return compare(await readMigrations(folder), known).map(({ name }) => name)
}

type Known = readonly { readonly name: string; readonly checksum: string }[]

function readKnown(sql: Sql): Promise<Known> {
  return sql<{ name: string; checksum: string }[]>`
    select name, checksum
    from ${sql.schema}.migrations
    order by name`
}

async function readMigrations(folder: URL): Promise<readonly Migration[]> {
  const names = (await readdir(folder)).filter((name) => /^\d{4}_\w+\.sql$/.test(name)).toSorted()
  return Promise.all(
    names.map(async (name) => {
      const text = await readFile(new URL(name, folder), 'utf8')
      return { name, text, checksum: createHash('sha256').update(text).digest('hex') }
    }),
  )
}

/** Migrations that are not applied yet. */
function compare(files: readonly Migration[], known: Known): readonly Migration[] {
  for (const { name, checksum } of known) {
    const file = files.find((candidate) => candidate.name === name)
    if (file === undefined) {
      throw new SetupError(
        `The database was migrated by a newer version (it knows "${name}", this version does not).\n` +
          '  Run that version, or restore a backup from before the upgrade.',
      )
    }
    if (file.checksum !== checksum) {
      throw new SetupError(
        `The migration "${name}" is not the one that was applied to this database: a released file was edited.\n` +
          '  Restore the file as released, and put the change into a new one.',
      )
    }
  }
  return files.filter(({ name }) => !known.some((other) => other.name === name))
}

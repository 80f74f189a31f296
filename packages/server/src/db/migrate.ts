import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { SetupError } from '../errors.ts'
import type { Log } from '../log.ts'
import { explain } from './explain.ts'
import type { Sql } from './sql.ts'
import { mendTriggers } from './triggers.ts'

/** Beside the sources and beside the build alike. */
const FOLDER = new URL('../../migrations/', import.meta.url)

/** Any number will do, as long as all instances agree on it. */
const LOCK = 7_411_001

interface Migration {
  readonly name: string
  readonly text: string
  readonly checksum: string
}

/**
 * Brings the database to the schema of this version: each numbered file once, in order, in one transaction, under a
 * lock, so that any number of instances may start at once.
 *
 * @returns the names that were applied now
 * @throws SetupError when a newer version has been here, when a released file was edited, or when the database can't
 * be reached
 */
export async function migrate(
  sql: Sql,
  log: Log,
  folder: URL = FOLDER,
): Promise<readonly string[]> {
  const files = await readMigrations(folder)
  const applied = await sql
    .begin(async (tx) => {
      await tx`select pg_advisory_xact_lock(${LOCK})`
      // A long migration is not a runaway query.
      await tx`set local statement_timeout = 0`
      await tx`
        create table if not exists migrations (
          name text primary key,
          checksum text not null,
          applied_at timestamptz not null default now()
        )`
      const known = await tx<{ name: string; checksum: string }[]>`
        select name, checksum
        from migrations
        order by name`
      const missing = compare(files, known)
      // Functions keep the search path they are created with: the schema of the tables, and nobody's temporary tables first.
      await tx`select set_config('search_path', format('%I, pg_temp', current_schema()), true)`
      for (const { name, text, checksum } of missing) {
        await tx.unsafe(text)
        await tx`insert into migrations ${tx({ name, checksum })}`
      }
      return missing.map(({ name }) => name)
    })
    .catch((error: unknown) => {
      throw explain(error)
    })
  if (applied.length > 0) log.info({ applied }, 'database migrated')
  if (folder === FOLDER) await mendTriggers(sql, log)
  return applied
}

/**
 * The names that are still to be applied; changes nothing.
 *
 * @throws SetupError when a newer version has been here, or when a released file was edited
 */
export async function missingMigrations(
  sql: Sql,
  folder: URL = FOLDER,
): Promise<readonly string[]> {
  const [found] = await sql<{ there: boolean }[]>`
    select to_regclass('migrations') is not null as there`
  const known = found?.there
    ? await sql<{ name: string; checksum: string }[]>`select name, checksum from migrations`
    : []
  return compare(await readMigrations(folder), known).map(({ name }) => name)
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

/** What is still to be applied. */
function compare(
  files: readonly Migration[],
  known: readonly { name: string; checksum: string }[],
): readonly Migration[] {
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

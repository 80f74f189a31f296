/** Reads and writes the settings of connections. Their status and their secrets are elsewhere. */
import type { SecretField, Settings } from '../../model/connection/settings.ts'
import type { Sql } from '../postgres/sql.ts'
import { iso } from '../postgres/time.ts'
import {
  recordColumns,
  settingAssignments,
  settingColumns,
  settingPairs,
  settingRecord,
} from './setting-columns.ts'

export interface StoredSecret {
  readonly updatedAt: string
  /** The name of a secret that is stored outside of the database, `null` for one that is stored encrypted. */
  readonly reference: string | null
}

export interface StoredConnection extends Settings {
  readonly id: string
  readonly generation: number
  readonly createdAt: string
  readonly updatedAt: string
  readonly secrets: Readonly<Partial<Record<SecretField, StoredSecret>>>
}

/** A row to write. */
export interface SettingsWrite extends Settings {
  readonly id: string
  /** Whether the edit changes `desired`, which counts as a command. */
  readonly commanded: boolean
}

/** The settings of one connection, `null` if there is none. */
export async function findSettings(sql: Sql, id: string): Promise<StoredConnection | null> {
  const [found] = await sql<{ settings: StoredConnection }[]>`
    select ${asJson(sql)} as settings
    from ${sql.schema}.connections c
    where id = ${id}`
  return found?.settings ?? null
}

/** The settings of those of the ids that exist. */
export async function findManySettings(
  sql: Sql,
  ids: readonly string[],
): Promise<ReadonlyMap<string, StoredConnection>> {
  const found = await sql<{ settings: StoredConnection }[]>`
    select ${asJson(sql)} as settings
    from ${sql.schema}.connections c
    where id in (select jsonb_array_elements_text(${sql.json(ids)}))`
  return new Map(found.map(({ settings }) => [settings.id, settings]))
}

/** As {@link findManySettings}; no other transaction changes these rows before this one ends. */
export async function lockSettings(
  tx: Sql,
  ids: readonly string[],
): Promise<ReadonlyMap<string, StoredConnection>> {
  // All transactions lock rows in the order of their ids, so that two of them never wait for each other.
  await tx`
    select id
    from ${tx.schema}.connections
    where id in (select jsonb_array_elements_text(${tx.json(ids)}))
    order by id
    for no key update`
  // The snapshot of the statement above is older than its locks, so a second statement reads the rows.
  return findManySettings(tx, ids)
}

/** Whether two reads found the same settings; `updatedAt` also changes with the status, so it is not compared. */
export function isSameSettings(a: StoredConnection, b: StoredConnection): boolean {
  const text = (stored: StoredConnection): string => JSON.stringify({ ...stored, updatedAt: null })
  return text(a) === text(b)
}

/** All connections in the order of their ids, a page at a time. */
export async function* allSettings(
  sql: Sql,
  pageSize = 1_000,
): AsyncGenerator<readonly StoredConnection[], void, undefined> {
  let after: string | undefined = ''
  while (after !== undefined) {
    const page: readonly { settings: StoredConnection }[] = await sql`
      select ${asJson(sql)} as settings
      from ${sql.schema}.connections c
      where id > ${after}
      order by id
      limit ${pageSize}`
    if (page.length > 0) yield page.map(({ settings }) => settings)
    after = page.length < pageSize ? undefined : page.at(-1)?.settings.id
  }
}

/** @returns the ids that were written; a missing one belongs to another connection already */
export async function insertSettings(
  tx: Sql,
  rows: readonly SettingsWrite[],
  actor: string | null,
): Promise<ReadonlySet<string>> {
  const written = await tx<{ id: string }[]>`
    insert into ${tx.schema}.connections (id, ${settingColumns(tx)}, generation, desired_at, desired_by)
    select r.id, ${recordColumns(tx)},
      case when r.commanded then 1 else 0 end,
      case when r.commanded then now() end,
      case when r.commanded then ${actor}::text end
    from ${recordset(tx, rows)}
    on conflict (id) do nothing
    returning id`
  return new Set(written.map(({ id }) => id))
}

/** Writes all columns of rows that are locked; triggers find out which of them have really changed. */
export async function updateSettings(
  tx: Sql,
  rows: readonly SettingsWrite[],
  actor: string | null,
): Promise<void> {
  await tx`
    update ${tx.schema}.connections c
    set ${settingAssignments(tx)},
      generation = c.generation + case when r.commanded then 1 else 0 end,
      desired_at = case when r.commanded then now() else c.desired_at end,
      desired_by = case when r.commanded then ${actor}::text else c.desired_by end
    from ${recordset(tx, rows)}
    where c.id = r.id`
}

/** @returns the generation that the connection had, `null` if there was no such connection */
export async function deleteSettings(tx: Sql, id: string): Promise<number | null> {
  const [gone] = await tx<{ generation: number }[]>`
    delete from ${tx.schema}.connections
    where id = ${id}
    returning generation`
  return gone?.generation ?? null
}

function recordset(tx: Sql, rows: readonly SettingsWrite[]): ReturnType<Sql> {
  return tx`
    jsonb_to_recordset(${tx.json(rows as never)}) as r (
      id text, commanded boolean, ${settingRecord(tx)}
    )`
}

function asJson(sql: Sql): ReturnType<Sql> {
  return sql`json_build_object(
    'id', c.id,
    ${settingPairs(sql)},
    'generation', c.generation,
    'createdAt', ${iso(sql, 'c.created_at')},
    'updatedAt', ${iso(sql, 'c.updated_at')},
    'secrets', (
      select coalesce(
        json_object_agg(s.field, json_build_object('updatedAt', ${iso(sql, 's.updated_at')}, 'reference', s.reference)),
        '{}'
      )
      from ${sql.schema}.connection_secrets s
      where s.connection_id = c.id
    )
  )`
}

/** The settings of connections, as people edit them: what it is, what to dial, what is wished. No status, no secrets. */
import type { Desired } from '@mqtt-status/protocol'
import type { SecretField } from '../secrets/secrets.ts'
import type { Sql } from '../postgres/sql.ts'
import { iso } from '../postgres/time.ts'

/** What may be edited. Anybody may have written the row, so what is to be dialled is not believed. */
export interface Settings {
  readonly siteId: string
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly managed: boolean
  /** `null`: an observed row whose writer has no notion of a wish. */
  readonly desired: Desired | null
  readonly protocol: unknown
  readonly host: unknown
  readonly port: unknown
  readonly path: unknown
  readonly protocolVersion: unknown
  readonly clientId: unknown
  readonly username: unknown
  readonly keepaliveS: unknown
  readonly tls: unknown
  readonly topics: unknown
  readonly availability: unknown
  readonly sparkplug: unknown
  readonly expectedIntervalS: unknown
}

export interface StoredSecret {
  readonly updatedAt: string
  /** Whether it is only named here and found elsewhere. */
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
  /** Whether `desired` was asked for now, which is a command of its own. */
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

/** Of these ids, those that exist, with their settings. */
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

/** The same, and nobody else changes these rows before this transaction ends. */
export async function lockSettings(
  tx: Sql,
  ids: readonly string[],
): Promise<ReadonlyMap<string, StoredConnection>> {
  // In one order for all, so that no two lockers wait for each other.
  await tx`
    select id
    from ${tx.schema}.connections
    where id in (select jsonb_array_elements_text(${tx.json(ids)}))
    order by id
    for update`
  // Read after the locks were had: the snapshot of the statement above is from before it waited.
  return findManySettings(tx, ids)
}

/** Whether the settings are the same; a status that was written meanwhile is no edit. */
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

/** @returns the ids that were written; one that is missing was taken already */
export async function insertSettings(
  tx: Sql,
  rows: readonly SettingsWrite[],
  actor: string | null,
): Promise<ReadonlySet<string>> {
  const written = await tx<{ id: string }[]>`
    insert into ${tx.schema}.connections (
      id, site_id, name, labels, managed, desired, protocol, host, port, path, protocol_version, client_id, username,
      keepalive_s, tls, topics, availability, sparkplug, expected_interval_s, generation, desired_at, desired_by
    )
    select id, "siteId", name, labels, managed, desired, protocol, host, port, path, "protocolVersion", "clientId",
      username, "keepaliveS", tls, topics, availability, sparkplug, "expectedIntervalS",
      case when commanded then 1 else 0 end,
      case when commanded then now() end,
      case when commanded then ${actor}::text end
    from ${recordset(tx, rows)}
    on conflict (id) do nothing
    returning id`
  return new Set(written.map(({ id }) => id))
}

/** Writes all columns of rows that are locked; triggers notice what has really changed. */
export async function updateSettings(
  tx: Sql,
  rows: readonly SettingsWrite[],
  actor: string | null,
): Promise<void> {
  await tx`
    update ${tx.schema}.connections c
    set site_id = r."siteId",
      name = r.name,
      labels = r.labels,
      managed = r.managed,
      desired = r.desired,
      protocol = r.protocol,
      host = r.host,
      port = r.port,
      path = r.path,
      protocol_version = r."protocolVersion",
      client_id = r."clientId",
      username = r.username,
      keepalive_s = r."keepaliveS",
      tls = r.tls,
      topics = r.topics,
      availability = r.availability,
      sparkplug = r.sparkplug,
      expected_interval_s = r."expectedIntervalS",
      generation = c.generation + case when r.commanded then 1 else 0 end,
      desired_at = case when r.commanded then now() else c.desired_at end,
      desired_by = case when r.commanded then ${actor}::text else c.desired_by end
    from ${recordset(tx, rows)}
    where c.id = r.id`
}

/** @returns the generation that it had, `null` if there was no such connection */
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
      id text, "siteId" text, name text, labels jsonb, managed boolean, desired text, commanded boolean,
      protocol text, host text, port integer, path text, "protocolVersion" integer, "clientId" text, username text,
      "keepaliveS" integer, tls jsonb, topics jsonb, availability jsonb, sparkplug jsonb, "expectedIntervalS" integer
    )`
}

function asJson(sql: Sql): ReturnType<Sql> {
  return sql`json_build_object(
    'id', c.id,
    'siteId', c.site_id,
    'name', c.name,
    'labels', c.labels,
    'managed', c.managed,
    'desired', c.desired,
    'protocol', c.protocol,
    'host', c.host,
    'port', c.port,
    'path', c.path,
    'protocolVersion', c.protocol_version,
    'clientId', c.client_id,
    'username', c.username,
    'keepaliveS', c.keepalive_s,
    'tls', c.tls,
    'topics', c.topics,
    'availability', c.availability,
    'sparkplug', c.sparkplug,
    'expectedIntervalS', c.expected_interval_s,
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

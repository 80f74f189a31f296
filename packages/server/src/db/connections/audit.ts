/** Who asked for what, and when. It names what was changed, never to what: settings are read where they are. */
import type { Sql } from '../postgres/sql.ts'
import { iso } from '../postgres/time.ts'

/** What an entry tells of: a command, or an edit of the settings. */
export interface AuditEntry {
  /** Rises with every entry. */
  readonly id: number
  readonly connectionId: string
  /** Where the connection was; `null` for commands of former versions. */
  readonly siteId: string | null
  readonly action: string
  /** `null` where nobody has to say who it is. */
  readonly actor: string | null
  readonly at: string
  readonly generation: number
  /** The fields that were set, for edits. */
  readonly fields: readonly string[]
}

export interface Edit {
  readonly connectionId: string
  readonly siteId: string
  readonly action: 'create' | 'change' | 'delete'
  readonly generation: number
  readonly fields: readonly string[]
}

/** The ids that are meant; `*` = any. */
type Names = '*' | ReadonlySet<string>

export interface AuditQuery {
  /** Whose entries may be told. */
  readonly sites: Names
  readonly connections: Names
  /** Of this connection only. */
  readonly connectionId?: string
  /** Entries below this id; the newest without it. */
  readonly before?: number
  readonly limit: number
}

/** Notes edits, within the transaction that makes them. */
export async function recordEdits(
  tx: Sql,
  edits: readonly Edit[],
  actor: string | null,
): Promise<void> {
  await tx`
    insert into ${tx.schema}.commands (connection_id, site_id, action, actor, generation, fields)
    select "connectionId", "siteId", action, ${actor}::text, generation, fields
    from jsonb_to_recordset(${tx.json(edits as never)}) as e (
      "connectionId" text,
      "siteId" text,
      action text,
      generation bigint,
      fields jsonb
    )`
}

/** The newest first. */
export function readAudit(sql: Sql, query: AuditQuery): Promise<readonly AuditEntry[]> {
  const { sites, connections, connectionId, before, limit } = query
  const everything = sites === '*' || connections === '*'
  return sql<AuditEntry[]>`
    select id,
      connection_id as "connectionId",
      site_id as "siteId",
      action,
      actor,
      ${iso(sql, 'at')} as at,
      generation,
      coalesce(fields, '[]') as fields
    from ${sql.schema}.commands
    where (
        ${everything}
        or site_id in (select jsonb_array_elements_text(${sql.json(list(sites))}))
        or connection_id in (select jsonb_array_elements_text(${sql.json(list(connections))}))
      )
      and (${connectionId ?? null}::text is null or connection_id = ${connectionId ?? null})
      and (${before ?? null}::bigint is null or id < ${before ?? null})
    order by id desc
    limit ${limit}`
}

function list(names: Names): string[] {
  return names === '*' ? [] : [...names]
}

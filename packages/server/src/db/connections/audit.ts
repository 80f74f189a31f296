/**
 * The audit, in the table `commands`: it had only commands at first, and has edits as well now. The entries of commands
 * also make a repeated request with the same idempotency key harmless.
 */
import type { Action } from '@mqtt-status/protocol'
import type { AuditEntry, AuditQuery } from '../../model/audit.ts'
import type { Sql } from '../postgres/sql.ts'
import { iso } from '../postgres/time.ts'

export interface Edit {
  readonly connectionId: string
  readonly siteId: string
  readonly action: 'create' | 'change' | 'delete'
  readonly generation: number
  readonly fields: readonly string[]
}

/** How one caller names one request. */
export interface RequestKey {
  readonly id: string
  readonly actor: string | null
  readonly idempotencyKey: string | null
}

/** The command that the caller sent with the same idempotency key in the last 24 h, `null` if there is none. */
export async function findCommand(
  tx: Sql,
  { id, actor, idempotencyKey }: RequestKey,
): Promise<{ action: string; generation: number } | null> {
  if (idempotencyKey === null) return null
  const [former] = await tx<{ action: string; generation: number }[]>`
    select action, generation
    from ${tx.schema}.commands
    where connection_id = ${id}
      and idempotency_key = ${idempotencyKey}
      and actor is not distinct from ${actor}
      and at > now() - interval '24 hours'
    order by commands.id desc
    limit 1`
  return former ?? null
}

/** Records a command, in the transaction that makes it. */
export async function recordCommand(
  tx: Sql,
  { id, actor, idempotencyKey }: RequestKey,
  made: { readonly siteId: string | null; readonly action: Action; readonly generation: number },
): Promise<void> {
  const { siteId, action, generation } = made
  await tx`
    insert into ${tx.schema}.commands (connection_id, site_id, action, actor, idempotency_key, generation)
    values (${id}, ${siteId}, ${action}, ${actor}, ${idempotencyKey}, ${generation})`
}

/** Records edits, in the transaction that makes them. */
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

/** The newest entries first. */
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

function list(names: AuditQuery['sites']): string[] {
  return names === '*' ? [] : [...names]
}

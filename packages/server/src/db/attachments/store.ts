/** The rows of `attachments`: what is attached, and how it fares. */
import type { Attachment, Refusal } from '../../model/attachment.ts'
import type { Sql } from '../postgres/sql.ts'

/** A fragment over `attachments a`: one row as an `Attachment`. */
export function asAttachment(sql: Sql): ReturnType<Sql> {
  return sql`json_build_object(
    'id', a.id,
    'name', a.name,
    'prefix', a.prefix,
    'options', a.options,
    'comparedAt', a.compared_at,
    'rowCount', a.row_count,
    'error', a.error,
    'refusedCount', a.refused_count,
    'refused', a.refused
  )`
}

/** All attachments in the order of their names. */
export async function readAttachments(sql: Sql): Promise<readonly Attachment[]> {
  const found = await sql<{ attachment: Attachment }[]>`
    select ${asAttachment(sql)} as attachment
    from ${sql.schema}.attachments a
    order by a.name`
  return found.map(({ attachment }) => attachment)
}

export interface Backlog {
  readonly id: number
  /** Notes that no node has read yet. */
  readonly notes: number
  readonly connections: number
}

/** What is to be done, and what is there, by attachment. */
export function readBacklogs(sql: Sql): Promise<readonly Backlog[]> {
  return sql<Backlog[]>`
    select a.id,
      (select count(*)::int from ${sql.schema}.attachment_changes n where n.attachment = a.id) as notes,
      (select count(*)::int from ${sql.schema}.connections c where c.attachment = a.id) as connections
    from ${sql.schema}.attachments a`
}

/** All rows were compared. */
export async function recordCompared(sql: Sql, id: number, rows: number): Promise<void> {
  await sql`
    update ${sql.schema}.attachments
    set compared_at = now(), row_count = ${rows}, error = null
    where id = ${id}`
}

/** The mirror works again. */
export async function clearError(sql: Sql, id: number): Promise<void> {
  await sql`
    update ${sql.schema}.attachments
    set error = null
    where id = ${id} and error is not null`
}

/** Keeps the time at which an error of the same code began. */
export async function recordError(
  sql: Sql,
  id: number,
  { code, message }: { readonly code: string; readonly message: string },
): Promise<void> {
  await sql`
    update ${sql.schema}.attachments
    set error = jsonb_build_object(
      'code', ${code}::text,
      'message', ${message}::text,
      'since', case when error ->> 'code' = ${code} then error -> 'since' else to_jsonb(now()) end,
      'last', now(),
      'count', case when error ->> 'code' = ${code} then (error ->> 'count')::int + 1 else 1 end
    )
    where id = ${id}`
}

/** Rows that are left out, in place of those that were recorded before. */
export async function recordRefused(
  sql: Sql,
  id: number,
  { count, first }: { readonly count: number; readonly first: readonly Refusal[] },
): Promise<void> {
  await sql`
    update ${sql.schema}.attachments
    set refused_count = ${count}, refused = ${sql.json(first as never)}
    where id = ${id}
      and (refused_count, refused) is distinct from (${count}::int, ${sql.json(first as never)}::jsonb)`
}

/** How many connections mirror rows of the table, and how many rows are left out. */
export async function countMirrored(
  sql: Sql,
  id: number,
): Promise<{ readonly connections: number; readonly refused: number }> {
  const [found] = await sql<{ connections: number; refused: number }[]>`
    select
      (select count(*)::int from ${sql.schema}.connections c where c.attachment = a.id) as connections,
      a.refused_count as refused
    from ${sql.schema}.attachments a
    where a.id = ${id}`
  return found ?? { connections: 0, refused: 0 }
}

/** The attached table whose row the connection mirrors; `null` if it mirrors none. */
export async function findSource(sql: Sql, connectionId: string): Promise<string | null> {
  const [found] = await sql<{ name: string }[]>`
    select a.name
    from ${sql.schema}.connections c
    join ${sql.schema}.attachments a on a.id = c.attachment
    where c.id = ${connectionId}`
  return found?.name ?? null
}

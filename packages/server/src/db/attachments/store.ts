/** The rows of `attachments`: what is attached, and how it fares. */
import type { Attachment, Refusal } from '../../model/attachment.ts'
import type { Sql } from '../postgres/sql.ts'
import { isOpen } from './wishes.ts'

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
    'wishError', a.wish_error,
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
  /** Clicks that the other program does not have yet. */
  readonly wishes: number
  readonly connections: number
}

/** What is to be done, and what is there, by attachment. */
export function readBacklogs(sql: Sql): Promise<readonly Backlog[]> {
  return sql<Backlog[]>`
    select a.id,
      (select count(*)::int from ${sql.schema}.attachment_changes n where n.attachment = a.id) as notes,
      (select count(*)::int from ${sql.schema}.connections c where c.attachment = a.id and ${isOpen(sql)}) as wishes,
      (select count(*)::int from ${sql.schema}.connections c where c.attachment = a.id) as connections
    from ${sql.schema}.attachments a`
}

/** All rows were compared. @param rows how many there are; `null` = as before */
export async function recordCompared(sql: Sql, id: number, rows: number | null): Promise<void> {
  await sql`
    update ${sql.schema}.attachments
    set compared_at = now(), row_count = coalesce(${rows}::bigint, row_count), error = null
    where id = ${id}`
}

/** What has failed: the mirror, or the handing over of wishes. */
type Work = 'error' | 'wish_error'

/** Keeps the time at which an error of the same code began. */
export async function recordError(
  sql: Sql,
  id: number,
  { work = 'error', code, message }: { work?: Work; code: string; message: string },
): Promise<void> {
  const column = sql(work)
  await sql`
    update ${sql.schema}.attachments
    set ${column} = jsonb_build_object(
      'code', ${code}::text,
      'message', ${message}::text,
      'since', case when ${column} ->> 'code' = ${code} then ${column} -> 'since' else to_jsonb(now()) end,
      'last', now(),
      'count', case when ${column} ->> 'code' = ${code} then (${column} ->> 'count')::int + 1 else 1 end
    )
    where id = ${id}`
}

/** Every wish could be handed over. */
export async function clearWishError(sql: Sql, id: number): Promise<void> {
  await sql`
    update ${sql.schema}.attachments
    set wish_error = null
    where id = ${id} and wish_error is not null`
}

/** Of many rows that are left out, the first are named. */
const SHOWN = 20

/** Rows that are left out, in place of those that were recorded before. */
export async function recordRefused(
  sql: Sql,
  id: number,
  refused: readonly Refusal[],
): Promise<void> {
  const count = refused.length
  const first = refused.slice(0, SHOWN)
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

/** The attached tables whose rows these connections mirror, by connection; those that mirror none are left out. */
export async function findSources(
  sql: Sql,
  connectionIds: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const found = await sql<{ id: string; name: string }[]>`
    select c.id, a.name
    from ${sql.schema}.connections c
    join ${sql.schema}.attachments a on a.id = c.attachment
    where c.id in (select jsonb_array_elements_text(${sql.json(connectionIds)}))`
  return new Map(found.map(({ id, name }) => [id, name]))
}

/** What the node with the turn looks at: whether there are notes, whether notes were lost, whether tables have changed. */
import type { Attachment } from '../../model/attachment.ts'
import type { Sql } from '../postgres/sql.ts'
import { asAttachment } from './store.ts'
import { isOpen } from './wishes.ts'

export interface Look {
  /** Attachments with notes. */
  readonly noted: readonly number[]
  /** Attachments with clicks that the other program does not have yet. */
  readonly wished: readonly number[]
  /** Rises when a note could not be written. */
  readonly losses: number
  /** All transactions before it have ended. */
  readonly xmin: bigint
  /** No transaction from it on had begun. */
  readonly xmax: bigint
}

/** Takes a fraction of a millisecond where there are no notes, and some ten with 100,000. */
export async function look(sql: Sql): Promise<Look> {
  const [found] = await sql<
    { noted: number[]; wished: number[]; losses: number; xmin: string; xmax: string }[]
  >`
    select
      (
        select coalesce(json_agg(attachment), '[]')
        from (select attachment from ${sql.schema}.attachment_changes group by attachment) noted
      ) as noted,
      (
        select coalesce(json_agg(distinct c.attachment), '[]')
        from ${sql.schema}.connections c
        where ${isOpen(sql)}
      ) as wished,
      (select case when is_called then last_value else 0 end from ${sql.schema}.attachment_losses) as losses,
      pg_snapshot_xmin(pg_current_snapshot())::text as xmin,
      pg_snapshot_xmax(pg_current_snapshot())::text as xmax`
  if (found === undefined) throw new Error('The notes were not read')
  return { ...found, xmin: BigInt(found.xmin), xmax: BigInt(found.xmax) }
}

export interface Sight {
  readonly attachment: Attachment
  /** Changes with the options, and with the files, partitions, columns and triggers of the tables. */
  readonly fingerprint: string
  /** Tables that are not there any more. */
  readonly missing: readonly string[]
  /** Tables whose changes are not noted, because the trigger is missing or disabled. */
  readonly silent: readonly string[]
}

/** All attachments with the state of their tables. */
export async function readSights(sql: Sql): Promise<readonly Sight[]> {
  return sql<Sight[]>`
    select ${asAttachment(sql)} as attachment,
      f.fingerprint,
      f.missing,
      f.silent
    from ${sql.schema}.attachments a
    cross join lateral (
      select md5(concat_ws(';',
          a.changed_at,
          ${commandColumns(sql)},
          string_agg(fingerprint, ';' order by name)
        )) as fingerprint,
        coalesce(json_agg(name) filter (where oid is null), '[]') as missing,
        coalesce(json_agg(name) filter (where oid is not null and not heard), '[]') as silent
      from (
        select o.name,
          o.oid,
          (
            select string_agg(
              concat_ws(':', c.oid, c.relfilenode,
                (
                  select string_agg(concat_ws(',', at.attname, at.atttypid), ',' order by at.attnum)
                  from pg_attribute at
                  where at.attrelid = c.oid and at.attnum > 0
                ),
                (
                  select string_agg(concat_ws(',', tg.tgname, tg.tgenabled), ',' order by tg.tgname)
                  from pg_trigger tg
                  where tg.tgrelid = c.oid and not tg.tgisinternal
                )
              ), ' ' order by c.oid
            )
            from pg_class c
            where c.oid = o.oid or c.oid in (select relid from pg_partition_tree(o.oid))
          ) as fingerprint,
          exists (
            select from pg_trigger tg
            join pg_proc p on p.oid = tg.tgfoid
            join pg_namespace n on n.oid = p.pronamespace
            where tg.tgrelid = o.oid
              and tg.tgenabled in ('A', 'O')
              and tg.tgtype::int & 1 = 1
              and n.nspname = ${sql.schemaName}
              and p.proname ~ ('^attachment_' || a.id || '_changed')
          ) as heard
        from (
          select concat_ws('.', t ->> 'schema', t ->> 'name') as name,
            to_regclass(format('%I.%I', t ->> 'schema', t ->> 'name')) as oid
          from jsonb_array_elements(jsonb_build_array(a.options -> 'table') || coalesce(a.options -> 'joins', '[]')) t
        ) o
      ) tables
    ) f
    order by a.id`
}

/** A fragment over `attachments a`: the columns of the table for commands. */
function commandColumns(sql: Sql): ReturnType<Sql> {
  return sql`(
    select string_agg(concat_ws(',', at.attname, at.atttypid, at.attnotnull), ',' order by at.attnum)
    from pg_attribute at
    where at.attnum > 0
      and at.attrelid = to_regclass(
        quote_ident(a.options #>> '{commands,schema}') || '.' || quote_ident(a.options #>> '{commands,name}')
      )
  )`
}

/** How long a node keeps the turn without renewing it. */
const TURN = '6 s'

/** Takes the turn, or keeps it. */
export async function takeTurn(sql: Sql, node: string): Promise<boolean> {
  const { count } = await sql`
    update ${sql.schema}.attachment_turn
    set node = ${node}, until = now() + ${TURN}::text::interval
    where node = ${node} or until is null or until <= now()`
  return count === 1
}

/** Another node takes it at once. */
export async function leaveTurn(sql: Sql, node: string): Promise<void> {
  await sql`update ${sql.schema}.attachment_turn set until = null where node = ${node}`
}

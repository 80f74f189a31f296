/**
 * Makes connections equal to the rows of an attached table. The rows are read after the notes were taken, so they are at
 * least as new as what the notes tell of; order does not matter, and a repetition changes nothing.
 */
import type { Refusal } from '../../model/attachment.ts'
import type { Sql } from '../postgres/sql.ts'
import { functionOf } from './mirror-sql.ts'

export interface Written {
  /** Rows that were read. */
  readonly read: number
  readonly written: number
  readonly deleted: number
  /** Keys whose connection another transaction has locked; they are noted again. */
  readonly locked: number
  /** Rows whose id a connection of another origin has. */
  readonly taken: readonly Refusal[]
}

/** How long a statement waits for a lock. It waits for none but those of migrations of the attached table. */
const LOCK_TIMEOUT = '500ms'

/**
 * Begins the work on one attachment, on one node at a time, in a transaction.
 *
 * @returns whether it is this node's turn
 */
export async function enter(tx: Sql, id: number): Promise<boolean> {
  // Each statement sees what was committed before it, whatever the role's default is.
  await tx`set transaction isolation level read committed`
  await tx.unsafe(`set local lock_timeout = '${LOCK_TIMEOUT}'`)
  const [found] = await tx<{ entered: boolean }[]>`
    select pg_try_advisory_xact_lock(hashtext(${`${tx.schemaName}.attachments`}), ${id}::int) as entered`
  return found?.entered === true
}

/** Takes notes of an attachment. @returns their keys; a null key stands for all rows */
export async function takeNotes(
  tx: Sql,
  id: number,
  limit: number,
): Promise<readonly (string | null)[]> {
  const taken = await tx<{ key: string | null }[]>`
    with taken as (
      delete from ${tx.schema}.attachment_changes
      where ctid = any (array(
        select ctid
        from ${tx.schema}.attachment_changes
        where attachment = ${id}
        limit ${limit}
      ))
      returning key
    )
    select distinct key
    from taken`
  return taken.map(({ key }) => key)
}

/** Takes the notes of these keys. */
export async function takeNotesOf(tx: Sql, id: number, keys: readonly string[]): Promise<void> {
  await tx`
    delete from ${tx.schema}.attachment_changes
    where attachment = ${id} and key in (select jsonb_array_elements_text(${tx.json(keys)}))`
}

/** Takes all notes of an attachment, because all rows are about to be compared. */
export async function takeAllNotes(tx: Sql, id: number): Promise<void> {
  await tx`delete from ${tx.schema}.attachment_changes where attachment = ${id}`
}

/** Notes every key of the attached table and of its connections, so that they are read in portions. */
export async function noteAll(tx: Sql, id: number): Promise<void> {
  await tx`
    insert into ${tx.schema}.attachment_changes (attachment, key)
    select ${id}::int, key
    from ${tx.schema}.${tx(functionOf({ id }, 'keys'))}() as keys (key)
    union
    select attachment, attachment_key
    from ${tx.schema}.connections
    where attachment = ${id}`
}

/**
 * Writes the connections of these keys, or of all rows. Connections that another transaction has locked are noted again.
 *
 * @param keys `null` = all rows
 */
export async function mirrorRows(
  tx: Sql,
  id: number,
  keys: readonly string[] | null,
): Promise<Written> {
  const only = keys === null ? tx`null::jsonb` : tx`${tx.json(keys)}::jsonb`
  const [written] = await tx<Written[]>`
    with source as materialized (
      select *
      from ${tx.schema}.${tx(functionOf({ id }, 'rows'))}(${only})
    ), compared as materialized (
      ${comparedRows(tx, id)}
    ), gone as materialized (
      select c.id, c.attachment_key as source_key
      from ${tx.schema}.connections c
      where c.attachment = ${id}
        and (${keys === null} or c.attachment_key in (select jsonb_array_elements_text(${only})))
        and not exists (select from source s where s.id = c.id)
    ), due as materialized (
      select id, source_key from compared where present and differs and not taken
      union all
      select id, source_key from gone
    ), free as materialized (
      select c.id
      from ${tx.schema}.connections c
      where c.attachment = ${id} and c.id in (select id from due)
      order by c.id
      for no key update skip locked
    ), deleted as (
      delete from ${tx.schema}.connections c
      using gone, free
      where c.id = gone.id and c.id = free.id
      returning c.id
    ), written as (
      ${writeRows(tx, id)}
    ), noted as (
      insert into ${tx.schema}.attachment_changes (attachment, key)
      select ${id}::int, source_key
      from due
      where id not in (select id from free)
      returning key
    )
    select (select count(*)::int from source) as read,
      (select count(*)::int from written) as written,
      (select count(*)::int from deleted) as deleted,
      (select count(*)::int from noted) as locked,
      (
        select coalesce(json_agg(json_build_object(
          'key', source_key,
          'code', 'id_taken',
          'message', 'A connection that is not of this table has the id "' || id || '" already.'
        )), '[]')
        from compared
        where taken
      ) as taken`
  if (written === undefined) throw new Error('The result of the comparison is missing')
  return written
}

/** A fragment: the rows of `source`, each with what its connection says. */
function comparedRows(tx: Sql, id: number): ReturnType<Sql> {
  return tx`
    select s.*,
      c.id is not null as present,
      c.id is not null and c.attachment is distinct from ${id}::int as taken,
      (c.site_id, c.name, c.labels, c.managed, c.status, c.reason, c.detail, c.last_message_at, c.desired, c.attachment_key)
        is distinct from
        (s.site_id, s.name, s.labels, false, s.status, s.reason, s.detail, s.last_message_at, null::text, s.source_key) as differs
    from source s
    left join ${tx.schema}.connections c on c.id = s.id`
}

/** A fragment: inserts what is missing, and updates what differs and is `free`. */
function writeRows(tx: Sql, id: number): ReturnType<Sql> {
  return tx`
    insert into ${tx.schema}.connections as c (
      id, site_id, name, labels, managed, status, reason, detail, last_message_at, desired, attachment, attachment_key
    )
    select id, site_id, name, labels, false, status, reason, detail, last_message_at, null, ${id}::int, source_key
    from compared
    where not present or (differs and id in (select id from free))
    order by id
    on conflict (id) do update
    set site_id = excluded.site_id,
      name = excluded.name,
      labels = excluded.labels,
      managed = false,
      status = excluded.status,
      reason = excluded.reason,
      detail = excluded.detail,
      last_message_at = excluded.last_message_at,
      desired = null,
      attachment_key = excluded.attachment_key
    where c.attachment = ${id}
    returning id`
}

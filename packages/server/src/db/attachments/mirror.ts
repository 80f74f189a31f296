/**
 * Makes connections equal to the rows of an attached table. The rows are read after the notes were taken, so they are at
 * least as new as what the notes tell of; order does not matter, and a repetition changes nothing.
 */
import type { Refusal } from '../../model/attachment.ts'
import type { Sql } from '../postgres/sql.ts'
import { functionOf } from './mirror-sql.ts'
import { isOpen } from './wishes.ts'

export interface Written {
  /** Rows that were read. */
  readonly read: number
  /** Rows whose id a connection of another origin has. */
  readonly taken: readonly Refusal[]
}

/** From where the wish of a row comes. */
type Wishes = 'none' | 'column' | 'status'

interface Comparing {
  readonly id: number
  readonly wishes: Wishes
  /** Whether the rows are read because they were written. */
  readonly noted: boolean
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

async function wishesOf(tx: Sql, id: number): Promise<Wishes> {
  const [found] = await tx<{ column: boolean; commands: boolean }[]>`
    select coalesce(options -> 'desired', 'null') <> 'null' as column,
      coalesce(options -> 'commands', 'null') <> 'null' as commands
    from ${tx.schema}.attachments
    where id = ${id}`
  if (found?.column === true) return 'column'
  return found?.commands === true ? 'status' : 'none'
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
  const comparing = { id, wishes: await wishesOf(tx, id), noted: keys !== null }
  const [written] = await tx<Written[]>`
    with source as materialized (
      select *
      from ${tx.schema}.${tx(functionOf({ id }, 'rows'))}(${only})
    ), compared as materialized (
      ${comparedRows(tx, comparing)}
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
      ${writeRows(tx, comparing)}
    ), noted as (
      insert into ${tx.schema}.attachment_changes (attachment, key)
      select ${id}::int, source_key
      from due
      where id not in (select id from free)
      returning key
    )
    select (select count(*)::int from source) as read,
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

/** A fragment: the rows of `source`, each with what its connection says and has to say. */
function comparedRows(tx: Sql, { id, wishes, noted }: Comparing): ReturnType<Sql> {
  return tx`
    select s.id, s.source_key, s.site_id, s.name, s.labels, s.status, s.reason, s.detail, s.last_message_at,
      w.desired, o.observed_generation,
      c.id is not null as present,
      c.id is not null and c.attachment is distinct from ${id}::int as taken,
      (
        c.site_id, c.name, c.labels, c.managed, c.status, c.reason, c.detail, c.last_message_at, c.attachment_key,
        c.desired, c.observed_generation
      ) is distinct from (
        s.site_id, s.name, s.labels, false, s.status, s.reason, s.detail, s.last_message_at, s.source_key,
        w.desired, o.observed_generation
      ) as differs
    from source s
    left join ${tx.schema}.connections c on c.id = s.id
    cross join lateral (select ${wishOf(tx, wishes)} as desired) w
    cross join lateral (
      select case when ${isConfirmed(tx, { wishes, noted })} then c.generation else coalesce(c.observed_generation, 0) end
    ) o (observed_generation)`
}

/** A fragment: the wish that a connection has to have. One that the other program does not have yet stays as it is. */
function wishOf(tx: Sql, wishes: Wishes): ReturnType<Sql> {
  switch (wishes) {
    case 'none':
      return tx`s.desired`
    case 'column':
      return tx`case when ${isOpen(tx)} then c.desired else s.desired end`
    case 'status':
      // The status follows a wish only some time after the program has got it.
      return tx`case
        when ${isOpen(tx)} then c.desired
        when c.desired is not null and c.generation > c.observed_generation
          and not (c.status is distinct from s.status and ${tx.schema}.attachment_obeys(c.desired, s.status))
          then c.desired
        else s.desired
      end`
  }
}

/**
 * A fragment: whether the other program shows that it acts on the last wish that it was handed. Its status agrees, or has
 * changed that way; for a reconnect, the row was also written while it is connected; or the program wishes otherwise.
 */
function isConfirmed(tx: Sql, { wishes, noted }: Omit<Comparing, 'id'>): ReturnType<Sql> {
  if (wishes === 'none') return tx`false`
  return tx`
    not ${isOpen(tx)}
    and c.generation > c.observed_generation
    and (
      (c.restart_generation <= c.attachment_restart_generation and ${tx.schema}.attachment_agrees(w.desired, s.status))
      or (c.restart_generation > c.attachment_restart_generation and ${noted} and s.status = 'connected')
      or (c.status is distinct from s.status and ${tx.schema}.attachment_obeys(w.desired, s.status))
      or (${wishes === 'column'} and w.desired is distinct from c.desired)
    )`
}

/**
 * A fragment: inserts what is missing, and updates what differs and is `free`. A command may come between the comparison and
 * the update: its wish stays as it is.
 */
function writeRows(tx: Sql, { id, wishes }: Pick<Comparing, 'id' | 'wishes'>): ReturnType<Sql> {
  return tx`
    insert into ${tx.schema}.connections as c (
      id, site_id, name, labels, managed, status, reason, detail, last_message_at, attachment, attachment_key,
      desired, observed_generation
    )
    select id, site_id, name, labels, false, status, reason, detail, last_message_at, ${id}::int, source_key,
      desired, observed_generation
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
      attachment_key = excluded.attachment_key,
      desired = case when ${wishes !== 'none'} and ${isOpen(tx)} then c.desired else excluded.desired end,
      observed_generation = greatest(c.observed_generation, excluded.observed_generation),
      attachment_restart_generation = case
        when excluded.observed_generation = c.generation then c.restart_generation
        else c.attachment_restart_generation
      end,
      -- What was asked for before the row took commands is no wish.
      attachment_generation = case when c.desired is null then c.generation else c.attachment_generation end
    where c.attachment = ${id}
    returning id`
}

/**
 * Makes connections of an attachment unknown that could not be read: of one row, or of all. Rows that another transaction has
 * locked stay as they are.
 *
 * @returns how many were changed
 */
export async function distrust(
  sql: Sql,
  id: number,
  { key, detail }: { readonly key: string | null; readonly detail: string },
): Promise<number> {
  const { count } = await sql`
    with untrusted as materialized (
      select c.id
      from ${sql.schema}.connections c
      where c.attachment = ${id}
        and (${key}::text is null or c.attachment_key = ${key})
        and c.status <> 'unknown'
      for no key update skip locked
    )
    update ${sql.schema}.connections c
    set status = 'unknown', reason = 'supervisor_lost', detail = ${detail}
    from untrusted
    where c.id = untrusted.id`
  return count
}

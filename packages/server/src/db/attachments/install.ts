/** Creates, changes and drops the objects of an attachment. */
import { nameOf } from '../../model/attachment.ts'
import type { Attachment, AttachmentOptions, TableName } from '../../model/attachment.ts'
import type { Sql } from '../postgres/sql.ts'
import { quoted } from '../postgres/sql.ts'
import { wishFunctions } from './wish-sql.ts'
import {
  functionOf,
  functionStatements,
  notingName,
  relation,
  triggerNames,
  triggerStatements,
} from './mirror-sql.ts'
import type { InstalledTable } from './mirror-sql.ts'

export interface InstallPlan {
  readonly options: AttachmentOptions
  /** The attached table and the joined ones. */
  readonly tables: readonly InstalledTable[]
}

/** The statements, for people; the id of a new attachment is not known yet. */
export function describeInstall(
  schema: string,
  id: number,
  { options, tables }: InstallPlan,
): string[] {
  const place = { schema, id }
  return [
    ...functionStatements(place, options),
    ...wishFunctions(place, options),
    ...tables.flatMap((table) => triggerStatements(place, table)),
  ]
}

/**
 * Installs the attachment in one transaction, or changes it in place. Functions are replaced without a lock on the table;
 * only missing triggers need one, and it waits 500 ms at most, because writers would wait behind it.
 *
 * @returns the id of the attachment
 */
export async function install(tx: Sql, plan: InstallPlan): Promise<number> {
  const { options, tables } = plan
  await tx`set local lock_timeout = '500ms'`
  const [row] = await tx<{ id: number }[]>`
    insert into ${tx.schema}.attachments (name, prefix, options)
    values (${nameOf(options.table)}, ${options.prefix}, ${tx.json(options as never)})
    on conflict (name) do update
    set prefix = excluded.prefix, options = excluded.options, changed_at = now(), error = null, wish_error = null
    returning id`
  if (row === undefined) throw new Error('The attachment was not stored')
  const place = { schema: tx.schemaName, id: row.id }
  // The columns of a result can not be changed in place.
  for (const name of ['rows', 'keys', 'wish'] as const)
    await tx.unsafe(`drop function if exists ${quoted(tx.schemaName)}.${functionOf(place, name)}`)
  for (const statement of functionStatements(place, options)) await tx.unsafe(statement)
  for (const statement of wishFunctions(place, options)) await tx.unsafe(statement)
  await grantFunctions(tx, place.id)
  await dropStrays(tx, place.id, tables)
  for (const table of tables) await createTriggers(tx, place.id, table)
  await tx`insert into ${tx.schema}.attachment_changes values (${place.id}, null)`
  return place.id
}

/** Removes the attachment, its objects and its connections. Waits 500 ms at most for the lock of a table. */
export async function uninstall(tx: Sql, { id }: Pick<Attachment, 'id'>): Promise<number> {
  await tx`set local lock_timeout = '500ms'`
  await dropStrays(tx, id, [])
  await tx`delete from ${tx.schema}.attachment_changes where attachment = ${id}`
  const { count } = await tx`delete from ${tx.schema}.connections where attachment = ${id}`
  await tx`delete from ${tx.schema}.attachments where id = ${id}`
  return count
}

interface OwnFunction {
  readonly name: string
  /** As SQL, with its arguments. */
  readonly signature: string
}

function functionsOf(tx: Sql, id: number): Promise<readonly OwnFunction[]> {
  return tx<OwnFunction[]>`
    select p.proname as name,
      quote_ident(n.nspname) || '.' || quote_ident(p.proname) || '(' || pg_get_function_identity_arguments(p.oid) || ')' as signature
    from pg_proc p
    join pg_namespace n on n.oid = p.pronamespace
    where n.nspname = ${tx.schemaName} and p.proname ~ ${`^attachment_${id}_`}`
}

/** Those who may write connections may read the rows that are mirrored into them. */
async function grantFunctions(tx: Sql, id: number): Promise<void> {
  const roles = await tx<{ role: string }[]>`
    select distinct quote_ident(r.rolname) as role
    from pg_class c
    cross join lateral aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) acl
    join pg_roles r on r.oid = acl.grantee
    where c.oid = ${`${quoted(tx.schemaName)}.connections`}::text::regclass
      and acl.privilege_type in ('INSERT', 'UPDATE')`
  for (const { signature } of await functionsOf(tx, id)) {
    await tx.unsafe(`revoke all on function ${signature} from public`)
    for (const { role } of roles)
      await tx.unsafe(`grant execute on function ${signature} to ${role}`)
  }
}

/** Drops triggers and functions of this attachment that it does not need any more. */
async function dropStrays(tx: Sql, id: number, keep: readonly InstalledTable[]): Promise<void> {
  const place = { schema: tx.schemaName, id }
  const needed = keep.flatMap((installed) =>
    [installed.table, ...installed.partitions].map((table) => ({
      on: relation(table),
      run: notingName(place, installed.alias),
    })),
  )
  const triggers = await tx<{ table: string; name: string }[]>`
    select c.oid::regclass::text as table, t.tgname as name
    from pg_trigger t
    join pg_class c on c.oid = t.tgrelid
    join pg_proc p on p.oid = t.tgfoid
    join pg_namespace n on n.oid = p.pronamespace
    where n.nspname = ${tx.schemaName}
      and p.proname ~ ${`^attachment_${id}_changed`}
      and t.tgparentid = 0
      and (c.oid, p.proname) not in (
        select to_regclass("on")::oid, run
        from jsonb_to_recordset(${tx.json(needed)}) as needed ("on" text, run text)
        where to_regclass("on") is not null
      )`
  for (const { table, name } of triggers)
    await tx.unsafe(`drop trigger ${quoted(name)} on ${table}`)
  const names = [
    ...needed.map(({ run }) => run),
    functionOf(place, 'rows'),
    functionOf(place, 'keys'),
    functionOf(place, 'wish'),
  ]
  for (const { name, signature } of await functionsOf(tx, id))
    if (keep.length === 0 || !names.includes(name)) await tx.unsafe(`drop function ${signature}`)
}

/** Leaves the table alone, and its lock, where all triggers are there already. */
async function createTriggers(tx: Sql, id: number, installed: InstalledTable): Promise<void> {
  const place = { schema: tx.schemaName, id }
  const names = triggerNames(place, installed.alias)
  const relations = [installed.table, ...installed.partitions]
  const [found] = await tx<{ complete: boolean }[]>`
    select count(*) = ${relations.length + 1}::int as complete
    from pg_trigger t
    where t.tgparentid = 0
      and t.tgenabled = 'A'
      and t.tgrelid in (
        select value::regclass::oid
        from jsonb_array_elements_text(${tx.json(relations.map(relation))})
      )
      and t.tgname in (${names.rows}, ${names.truncate})`
  if (found?.complete === true) return
  await tx.unsafe(`drop trigger if exists ${quoted(names.rows)} on ${relation(installed.table)}`)
  for (const each of relations)
    await tx.unsafe(`drop trigger if exists ${quoted(names.truncate)} on ${relation(each)}`)
  for (const statement of triggerStatements(place, installed)) await tx.unsafe(statement)
}

export interface Blocker {
  readonly pid: number
  readonly application: string
  readonly user: string
  readonly state: string
  readonly since: string
}

/** Sessions that hold a lock on the table, the one with the oldest transaction first. */
export function findBlockers(sql: Sql, table: TableName): Promise<readonly Blocker[]> {
  return sql<Blocker[]>`
    select distinct on (a.xact_start, l.pid) l.pid,
      coalesce(a.application_name, '') as application,
      coalesce(a.usename, '') as user,
      coalesce(a.state, '') as state,
      to_char(now() - a.xact_start, 'HH24:MI:SS') as since
    from pg_locks l
    left join pg_stat_activity a on a.pid = l.pid
    where l.relation = ${relation(table)}::text::regclass
      and l.granted
      and l.pid <> pg_backend_pid()
      and l.mode not in ('AccessShareLock', 'RowShareLock')
    order by a.xact_start, l.pid
    limit 5`
}

/** Looks up in the catalogue what a table is, before it is attached. Reads only. */
import type { TableName } from '../../model/attachment.ts'
import type { Sql } from '../postgres/sql.ts'

export interface InspectedColumn {
  readonly name: string
  /** As people read it, for example `character varying(20)`. */
  readonly type: string
  /** The type without its modifier, as SQL for a function with a fixed search path. */
  readonly sqlType: string
  /** Under a domain, the name of its base type in `pg_type`. */
  readonly baseType: string
  readonly isNullable: boolean
  /** Computed when it is read: a trigger does not see its value. */
  readonly isVirtual: boolean
  /** Postgres computes its value, and no statement may set it. */
  readonly isComputed: boolean
  /** It gets a value where a new row names none. */
  readonly hasDefault: boolean
}

export interface InspectedTable extends TableName {
  readonly oid: number
  /** `r` a table, `p` a partitioned table, or another kind of relation. */
  readonly kind: string
  readonly isTemporary: boolean
  readonly owner: string
  readonly role: string
  /** Whether this role may do what only the owner may. */
  readonly isOwned: boolean
  readonly isSystem: boolean
  /** What this role may do with its rows. */
  readonly mayInsert: boolean
  readonly mayUpdate: boolean
  /** Row security that hides rows also from the owner. */
  readonly isGuarded: boolean
  /** Tables whose rows are read as rows of this one. */
  readonly heirs: readonly string[]
  /** All tables of a partitioned table that have a file, or this one. */
  readonly partitions: readonly TableName[]
  readonly columns: readonly InspectedColumn[]
  /** Columns that are unique on their own. */
  readonly unique: readonly string[]
  /** Sets of several columns that are unique together. */
  readonly uniqueTogether: readonly (readonly string[])[]
}

/** @param parts the name, with or without its schema @returns `null` where there is no such table */
export async function inspectTable(
  sql: Sql,
  parts: readonly string[],
): Promise<InspectedTable | null> {
  const name = parts.map((part) => `"${part.replaceAll('"', '""')}"`).join('.')
  const [found] = await sql<{ table: InspectedTable }[]>`
    select json_build_object(
      'oid', c.oid::bigint,
      'schema', n.nspname,
      'name', c.relname,
      'kind', c.relkind,
      'isTemporary', c.relpersistence = 't',
      'owner', pg_get_userbyid(c.relowner),
      'role', current_user,
      'isOwned', pg_has_role(c.relowner, 'usage'),
      'mayInsert', has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'insert'),
      'mayUpdate', has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'update'),
      'isSystem', n.nspname in ('pg_catalog', 'information_schema') or n.nspname = ${sql.schemaName},
      'isGuarded', c.relrowsecurity and c.relforcerowsecurity,
      'heirs', (
        select coalesce(json_agg(i.inhrelid::regclass::text order by 1), '[]')
        from pg_inherits i
        where i.inhparent = c.oid and c.relkind <> 'p'
      ),
      'partitions', (
        select coalesce(json_agg(json_build_object('schema', pn.nspname, 'name', p.relname) order by p.oid), '[]')
        from pg_partition_tree(c.oid) tree
        join pg_class p on p.oid = tree.relid
        join pg_namespace pn on pn.oid = p.relnamespace
        where c.relkind = 'p' and p.oid <> c.oid
      ),
      'columns', ${columnsAsJson(sql)},
      'unique', ${uniqueAsJson(sql)},
      'uniqueTogether', ${uniqueTogetherAsJson(sql)}
    ) as table
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    where c.oid = to_regclass(${name})`
  return found?.table ?? null
}

/** Fragments over `pg_class c`. */
function columnsAsJson(sql: Sql): ReturnType<Sql> {
  return sql`(
    select coalesce(json_agg(json_build_object(
      'name', a.attname,
      'type', format_type(a.atttypid, a.atttypmod),
      'sqlType', quote_ident(tn.nspname) || '.' || quote_ident(ty.typname),
      'baseType', (
        with recursive base as (
          select ty.oid, ty.typname, ty.typtype, ty.typbasetype
          union all
          select b.oid, b.typname, b.typtype, b.typbasetype
          from base join pg_type b on b.oid = base.typbasetype
          where base.typtype = 'd'
        )
        select typname from base where typtype <> 'd'
      ),
      'isNullable', not a.attnotnull,
      'isVirtual', a.attgenerated = 'v',
      'isComputed', a.attgenerated <> '' or a.attidentity = 'a',
      'hasDefault', a.atthasdef or a.attidentity <> '' or ty.typdefault is not null
    ) order by a.attnum), '[]')
    from pg_attribute a
    join pg_type ty on ty.oid = a.atttypid
    join pg_namespace tn on tn.oid = ty.typnamespace
    where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  )`
}

function uniqueAsJson(sql: Sql): ReturnType<Sql> {
  return sql`(
    select coalesce(json_agg(distinct a.attname), '[]')
    from pg_index i
    join pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0]
    where i.indrelid = c.oid and i.indisunique and i.indisvalid and i.indpred is null
      and i.indexprs is null and i.indnkeyatts = 1
  )`
}

function uniqueTogetherAsJson(sql: Sql): ReturnType<Sql> {
  return sql`(
    select coalesce(json_agg(columns), '[]')
    from (
      select json_agg(a.attname order by a.attnum) as columns
      from pg_index i
      join pg_attribute a on a.attrelid = c.oid and a.attnum = any (i.indkey::smallint[])
      where i.indrelid = c.oid and i.indisunique and i.indisvalid and i.indpred is null
        and i.indexprs is null and i.indnkeyatts > 1
      group by i.indexrelid
    ) together
  )`
}

/** The value as Postgres prints it once it is of the type. @throws the refusal of Postgres */
export async function printedAs(sql: Sql, type: string, word: string): Promise<string> {
  const [found] = await sql<{ word: string }[]>`
    select (${word}::text::${sql.unsafe(type)})::text as word`
  return found?.word ?? word
}

/** Tables of other schemas with this name, or with a name that contains it. */
export async function similarTables(sql: Sql, name: string): Promise<readonly string[]> {
  const found = await sql<{ name: string }[]>`
    select quote_ident(n.nspname) || '.' || quote_ident(c.relname) as name
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p')
      and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast', ${sql.schemaName})
      and position(lower(${name}) in lower(c.relname)) > 0
    order by lower(c.relname) <> lower(${name}), 1
    limit 5`
  return found.map(({ name: similar }) => similar)
}

/** Statements that an administrator has to run before this role may attach tables; empty where it may. */
export async function missingRights(sql: Sql): Promise<readonly string[]> {
  const [found] = await sql<{ role: string; missing: readonly string[] }[]>`
    with needed (privilege, target, granted) as (
      values
        ('usage, create on schema', quote_ident(${sql.schemaName}),
          has_schema_privilege(${sql.schemaName}, 'usage') and has_schema_privilege(${sql.schemaName}, 'create')),
        ('select on', 'migrations', has_table_privilege(${table(sql, 'migrations')}, 'select')),
        ('select, insert, update, delete on', 'attachments',
          has_table_privilege(${table(sql, 'attachments')}, 'select')
            and has_table_privilege(${table(sql, 'attachments')}, 'insert')
            and has_table_privilege(${table(sql, 'attachments')}, 'update')
            and has_table_privilege(${table(sql, 'attachments')}, 'delete')),
        ('select, insert, delete on', 'attachment_changes',
          has_table_privilege(${table(sql, 'attachment_changes')}, 'select')
            and has_table_privilege(${table(sql, 'attachment_changes')}, 'insert')
            and has_table_privilege(${table(sql, 'attachment_changes')}, 'delete')),
        ('select, insert, update, delete on', 'connections',
          has_table_privilege(${table(sql, 'connections')}, 'select')
            and has_table_privilege(${table(sql, 'connections')}, 'insert')
            and has_table_privilege(${table(sql, 'connections')}, 'update')
            and has_table_privilege(${table(sql, 'connections')}, 'delete')),
        ('execute on function', 'attachment_lost()',
          has_function_privilege(${`${table(sql, 'attachment_lost')}()`}, 'execute'))
    )
    select quote_ident(current_user) as role,
      coalesce(json_agg(
        'grant ' || privilege || ' '
          || case when target = quote_ident(${sql.schemaName}) then target else quote_ident(${sql.schemaName}) || '.' || target end
          || ' to ' || quote_ident(current_user) || ';'
      ) filter (where not granted), '[]') as missing
    from needed`
  return found?.missing ?? []
}

function table({ schemaName }: Sql, name: string): string {
  return `"${schemaName.replaceAll('"', '""')}"."${name}"`
}

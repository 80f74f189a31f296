/** What a database consists of, apart from rows, as lines of text that can be compared. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type postgres from 'postgres'

/** Objects of every kind that a program may leave behind, with what they are made of. */
export async function catalogue(sql: postgres.Sql): Promise<string[]> {
  const lines = await sql<{ line: string }[]>`
    with own as (
      select oid from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema'
    )
    select format('%s %s %s', relkind, c.oid::regclass, concat_ws(' ',
      relacl, reloptions, relpersistence, relrowsecurity, relforcerowsecurity, relreplident)) as line
    from pg_class c where relnamespace in (select oid from own)
    union all
    select format('column %s.%s %s', attrelid::regclass, attname, concat_ws(' ',
      format_type(atttypid, atttypmod), attnotnull, attidentity, attgenerated, attacl, attoptions,
      pg_get_expr(adbin, adrelid)))
    from pg_attribute
    join pg_class c on c.oid = attrelid
    left join pg_attrdef on adrelid = attrelid and adnum = attnum
    where attnum > 0 and not attisdropped and relnamespace in (select oid from own)
    union all
    select format('index %s', pg_get_indexdef(indexrelid))
    from pg_index join pg_class c on c.oid = indrelid where relnamespace in (select oid from own)
    union all
    select format('view %s', pg_get_viewdef(oid)) from pg_class
    where relkind in ('v', 'm') and relnamespace in (select oid from own)
    union all
    select format('sequence %s %s', seqrelid::regclass, concat_ws(' ',
      seqtypid::regtype, seqstart, seqincrement, seqmin, seqmax, seqcache, seqcycle))
    from pg_sequence
    union all
    select format('function %s %s', proacl, pg_get_functiondef(oid)) from pg_proc
    where prokind <> 'a' and pronamespace in (select oid from own)
    union all
    select format('aggregate %s', oid::regprocedure) from pg_proc
    where prokind = 'a' and pronamespace in (select oid from own)
    union all
    select format('trigger %s %s', tgenabled, pg_get_triggerdef(oid)) from pg_trigger
    where not tgisinternal
    union all
    select format('constraint %s of %s: %s', conname, conrelid::regclass, pg_get_constraintdef(oid))
    from pg_constraint where connamespace in (select oid from own)
    union all
    select format('type %s %s', oid::regtype, typacl) from pg_type
    where typnamespace in (select oid from own)
    union all
    select format('schema %s %s', nspname, nspacl) from pg_namespace
    where nspname !~ '^pg_(toast|temp)'
    union all
    select format('rule %s', pg_get_ruledef(oid)) from pg_rewrite where rulename <> '_RETURN'
    union all
    select format('statistics %s', pg_get_statisticsobjdef(oid)) from pg_statistic_ext
    union all
    select format('policy %s of %s', polname, polrelid::regclass) from pg_policy
    union all
    select format('event trigger %s', evtname) from pg_event_trigger
    union all
    select format('extension %s', extname) from pg_extension
    union all
    select format('publication %s', pubname) from pg_publication
    union all
    select format('replication slot %s', slot_name) from pg_replication_slots
    union all
    select format('role %s', rolname) from pg_roles
    union all
    select format('setting of role %s in database %s: %s', setrole, setdatabase, setconfig)
    from pg_db_role_setting
    union all
    select format('default rights %s', defaclacl) from pg_default_acl
    union all
    select format('cast %s as %s', castsource::regtype, casttarget::regtype) from pg_cast
    where oid >= 16384
    union all
    select format('%s of %s', description, pg_describe_object(classoid, objoid, objsubid))
    from pg_description where objoid >= 16384`
  return lines.map(({ line }) => line).toSorted()
}

/** What `pg_dump --schema-only` prints, without the key that is another one in each dump. */
export async function schemaDump(pgDump: string, url: string): Promise<string> {
  const { stdout } = await promisify(execFile)(pgDump, ['--schema-only', '--no-owner', url], {
    maxBuffer: 64_000_000,
  })
  return stdout.replace(/^\\(un)?restrict .*$/gm, '')
}

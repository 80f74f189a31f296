/** What a database consists of, apart from rows, as lines of text that can be compared. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type postgres from 'postgres'

/** Objects of every kind that a program may leave behind, with what they are made of. */
export async function catalogue(sql: postgres.Sql): Promise<string[]> {
  const lines = await sql<{ line: string }[]>`
    select format('%s %s %s', relkind, oid::regclass, relacl) as line
    from pg_class where not relnamespace::regnamespace::text ~ '^(pg_|information_schema)'
    union all
    select format('column %s.%s %s', attrelid::regclass, attname, format_type(atttypid, atttypmod))
    from pg_attribute join pg_class c on c.oid = attrelid
    where attnum > 0 and not attisdropped
      and not c.relnamespace::regnamespace::text ~ '^(pg_|information_schema)'
    union all
    select format('function %s %s %s', oid::regprocedure, proacl, md5(prosrc))
    from pg_proc where not pronamespace::regnamespace::text ~ '^(pg_|information_schema)'
    union all
    select format('trigger %s of %s %s', tgname, tgrelid::regclass, tgenabled)
    from pg_trigger where not tgisinternal
    union all
    select format('constraint %s of %s: %s', conname, conrelid::regclass, pg_get_constraintdef(oid))
    from pg_constraint where not connamespace::regnamespace::text ~ '^(pg_|information_schema)'
    union all
    select format('type %s', oid::regtype) from pg_type
    where not typnamespace::regnamespace::text ~ '^(pg_|information_schema)'
    union all
    select format('schema %s %s', nspname, nspacl) from pg_namespace
    where nspname !~ '^pg_(toast|temp)'
    union all
    select format('event trigger %s', evtname) from pg_event_trigger
    union all
    select format('publication %s', pubname) from pg_publication
    union all
    select format('rule %s of %s', rulename, ev_class::regclass) from pg_rewrite
    union all
    select format('policy %s of %s', polname, polrelid::regclass) from pg_policy
    union all
    select format('role %s', rolname) from pg_roles
    union all
    select format('default rights %s', defaclacl) from pg_default_acl
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

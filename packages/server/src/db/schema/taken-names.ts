/** Names of a schema that a new installation needs, and that something else has already. */
import { SetupError } from '../../errors.ts'
import { DEFAULT_SCHEMA } from '../postgres/sql.ts'
import type { Sql } from '../postgres/sql.ts'

const CREATES =
  /^create (?:or replace )?(?:unique )?(table|sequence|index|function) (?:if not exists )?(\w+)/gm

interface Names {
  /** Tables, sequences and indexes share one name space, and tables need a type of their name, too. */
  readonly relations: readonly string[]
  readonly functions: readonly string[]
}

export interface Migrating {
  /** SQL that earlier migrations have run; its objects belong to the server. */
  readonly applied: readonly string[]
  /** SQL that the server runs next. */
  readonly missing: readonly string[]
}

/**
 * Refuses a schema in which other objects have names that the migrations create, before it changes the schema.
 *
 * @throws SetupError that lists these objects
 */
export async function refuseTakenNames(tx: Sql, { applied, missing }: Migrating): Promise<void> {
  const ours = namesIn(applied)
  const needed = namesIn(missing)
  const relations = needed.relations.filter((name) => !ours.relations.includes(name))
  const functions = needed.functions.filter((name) => !ours.functions.includes(name))
  const taken = await tx<{ kind: string; name: string }[]>`
    select case c.relkind
        when 'S' then 'sequence'
        when 'v' then 'view'
        when 'm' then 'materialized view'
        when 'c' then 'type'
        when 'f' then 'foreign table'
        when 'i' then 'index'
        when 'I' then 'index'
        else 'table'
      end as kind, c.relname::text as name
    from pg_catalog.pg_class c
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where n.nspname = ${tx.schemaName}
      and c.relname in (select jsonb_array_elements_text(${tx.json(relations)}))
    union all
    select 'type', t.typname::text
    from pg_catalog.pg_type t
    join pg_catalog.pg_namespace n on n.oid = t.typnamespace
    where n.nspname = ${tx.schemaName}
      and t.typrelid = 0
      and t.typname in (select jsonb_array_elements_text(${tx.json(relations)}))
    union all
    select 'function', p.proname::text
    from pg_catalog.pg_proc p
    join pg_catalog.pg_namespace n on n.oid = p.pronamespace
    where n.nspname = ${tx.schemaName}
      and p.proname in (select jsonb_array_elements_text(${tx.json(functions)}))
    order by 1, 2`
  if (taken.length === 0) return
  const list = taken.map(({ kind, name }) => `the ${kind} "${name}"`).join(', ')
  const another = tx.schemaName === DEFAULT_SCHEMA ? `${DEFAULT_SCHEMA}_2` : DEFAULT_SCHEMA
  const cure =
    applied.length === 0
      ? `Set DATABASE_SCHEMA to a schema of its own, for example ${another}; the server creates it.`
      : 'Rename them, or move them to another schema.'
  throw new SetupError(
    `The schema "${tx.schemaName}" has names that this server needs for itself: ${list}.\n` +
      `  ${cure} Nothing was changed.`,
  )
}

function namesIn(texts: readonly string[]): Names {
  const created = texts.flatMap((text) => [...text.matchAll(CREATES)])
  const named = (isWanted: (kind: string) => boolean): string[] =>
    created.filter(([, kind = '']) => isWanted(kind)).map(([, , name = '']) => name)
  return {
    relations: named((kind) => kind !== 'function'),
    functions: named((kind) => kind === 'function'),
  }
}

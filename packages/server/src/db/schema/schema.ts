/** The schema of the tables: made where it is missing and this role may, otherwise an error with the statement to run. */
import { SetupError } from '../../errors.ts'
import type { Sql } from '../postgres/sql.ts'

interface Rights {
  readonly exists: boolean
  /** Whether this role may make tables in the schema, or the schema itself where it is missing. */
  readonly allowed: boolean
  readonly role: string
  readonly database: string
  /** Names as SQL takes them. */
  readonly schemaSql: string
  readonly roleSql: string
}

/** @throws SetupError where this role may not create the schema, or may not create tables in it */
export async function prepareSchema(tx: Sql): Promise<void> {
  const [rights] = await tx<Rights[]>`
    select n.oid is not null as exists,
      case
        when n.oid is null then has_database_privilege(current_database(), 'create')
        else has_schema_privilege(n.oid, 'create') and has_schema_privilege(n.oid, 'usage')
      end as allowed,
      current_user::text as role,
      current_database()::text as database,
      quote_ident(${tx.schemaName}) as "schemaSql",
      quote_ident(current_user) as "roleSql"
    from (select) one
    left join pg_catalog.pg_namespace n on n.nspname = ${tx.schemaName}`
  if (rights === undefined) throw new Error('No rights were read')
  if (!rights.allowed) throw refusal(tx.schemaName, rights)
  if (!rights.exists) await tx`create schema ${tx.schema}`
}

function refusal(
  schema: string,
  { exists, role, database, schemaSql, roleSql }: Rights,
): SetupError {
  return exists
    ? new SetupError(
        `The schema "${schema}" is there, but the role "${role}" may not create tables in it.\n` +
          `  Run as its owner: grant usage, create on schema ${schemaSql} to ${roleSql};`,
      )
    : new SetupError(
        `The schema "${schema}" is not there, and the role "${role}" may not create it in the database "${database}".\n` +
          `  Run as an administrator of that database: create schema ${schemaSql} authorization ${roleSql};`,
      )
}

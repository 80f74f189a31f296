/** The check of `doctor` for rights of other roles in the schema of the server. */
import type { Sql } from '../db/postgres/sql.ts'
import type { Answer } from './finding.ts'

interface Fault {
  readonly found: string
  readonly cure: string
}

/**
 * Whether other roles may create objects in the schema, or PUBLIC may use its tables. The functions of the server run with the
 * rights of their owner and look names up in this schema, so a role that may create objects there can obtain these rights.
 */
export async function grants(sql: Sql): Promise<Answer> {
  const faults = [...(await creators(sql)), ...(await openTables(sql))]
  if (faults.length === 0)
    return {
      state: 'ok',
      found: 'no other role may create objects in the schema, or use its tables as PUBLIC',
    }
  return {
    state: 'warning',
    found: faults.map(({ found }) => found).join('; '),
    cure: faults.map(({ cure }) => cure).join('\n'),
  }
}

async function creators(sql: Sql): Promise<Fault[]> {
  const [found] = await sql<{ schema: string; roles: string | null }[]>`
    select quote_ident(n.nspname) as schema, string_agg(distinct
      case acl.grantee when 0 then 'PUBLIC' else quote_ident(pg_get_userbyid(acl.grantee)) end, ', ') as roles
    from pg_namespace n, lateral aclexplode(n.nspacl) acl
    where n.nspname = ${sql.schemaName} and acl.privilege_type = 'CREATE' and acl.grantee <> n.nspowner
      and acl.grantee not in (select relowner from pg_class where relnamespace = n.oid and relname = 'connections')
    group by n.nspname`
  if (!found?.roles) return []
  const { schema, roles } = found
  return [
    {
      found: `${roles} may create objects in the schema ${schema}, and obtain the rights of the server with them`,
      cure: `revoke create on schema ${schema} from ${roles};`,
    },
  ]
}

/** PUBLIC stands for every role of the database server. */
async function openTables(sql: Sql): Promise<Fault[]> {
  const [found] = await sql<{ tables: string | null }[]>`
    select string_agg(distinct format('%I.%I', n.nspname, c.relname), ', ') as tables
    from pg_class c join pg_namespace n on n.oid = c.relnamespace, lateral (
      select grantee from aclexplode(c.relacl)
      union all
      select column_acl.grantee from pg_attribute a, lateral aclexplode(a.attacl) column_acl where a.attrelid = c.oid
    ) acl
    where n.nspname = ${sql.schemaName} and c.relkind in ('r', 'p') and acl.grantee = 0
      and c.relowner = (
        select relowner from pg_class where relnamespace = n.oid and relname = 'connections')`
  if (!found?.tables) return []
  return [
    {
      found: `PUBLIC may use ${found.tables}`,
      cure: `revoke all on ${found.tables} from PUBLIC;`,
    },
  ]
}

/** Everything that is found out before a table is attached. Changes nothing. */
import { severalPartners, takeCensus } from '../db/attachments/census.ts'
import type { Census } from '../db/attachments/census.ts'
import { inspectTable, missingRights, similarTables } from '../db/attachments/inspect.ts'
import type { InspectedTable } from '../db/attachments/inspect.ts'
import type { InstallPlan } from '../db/attachments/install.ts'
import { readAttachments } from '../db/attachments/store.ts'
import type { Sql } from '../db/postgres/sql.ts'
import { SetupError } from '../errors.ts'
import { nameOf, TABLE_ALIAS } from '../model/attachment.ts'
import type { Attachment, AttachmentOptions } from '../model/attachment.ts'
import { describeError } from './fault.ts'
import { findOutlets } from './find-outlets.ts'
import type { NamePart } from './identifier.ts'
import { refuse } from './request.ts'
import type { AttachRequest } from './request.ts'
import { resolve } from './resolve.ts'

export interface Prepared {
  readonly table: InspectedTable
  readonly plan: InstallPlan
  readonly census: Census
  /** How the table is attached already; `null` if it is not. */
  readonly former: Attachment | null
}

/** Kinds of relations that have no rows of their own, or whose rows change elsewhere. */
const KINDS: Readonly<Record<string, string>> = {
  v: 'a view: attach the table that it reads',
  m: 'a materialized view: attach the table that it reads',
  f: 'a foreign table: its changes are not seen here. Let logical replication bring them into a table of this database, and attach that one',
  S: 'a sequence',
  c: 'a type',
  i: 'an index',
  I: 'an index',
}

/** @throws SetupError that lists what is wrong, and what to do */
export async function prepare(sql: Sql, request: AttachRequest): Promise<Prepared> {
  const table = await find(sql, '--table', request.table)
  refuse(faultsOf(table, sql))
  refuse(await missingRightsFaults(sql, table))
  const tables = new Map([[TABLE_ALIAS, table]])
  for (const join of request.joins) {
    if (tables.has(join.alias))
      throw new SetupError(`--join: the alias "${join.alias}" is taken; choose another one.`)
    tables.set(join.alias, await find(sql, '--join', join.table))
  }
  refuse([...tables].slice(1).flatMap(([, joined]) => ownershipFaults(joined)))
  const commandTable =
    request.commandTable === null ? null : await find(sql, '--command-table', request.commandTable)
  const options = resolve(request, tables, await findOutlets(sql, request, { table, commandTable }))
  const attachments = await readAttachments(sql)
  const former = attachments.find(({ name }) => name === nameOf(table)) ?? null
  refuse(prefixFaults(attachments, options))
  const census = await countOrExplain(sql, options)
  if (await severalPartners(sql, options))
    throw new SetupError(
      '--join: some rows have several partners in the joined table; join by a column that is unique there.\n  Nothing was changed.',
    )
  const plan: InstallPlan = {
    options,
    tables: [...tables].map(([alias, { schema, name, partitions }]) => ({
      ...{ alias, partitions },
      table: { schema, name },
    })),
  }
  return { table, plan, census, former }
}

async function find(sql: Sql, flag: string, name: readonly NamePart[]): Promise<InspectedTable> {
  const exact = name.map(({ text }) => text)
  const folded = name.map(({ text, isQuoted }) => (isQuoted ? text : text.toLowerCase()))
  const found = (await inspectTable(sql, exact)) ?? (await inspectTable(sql, folded))
  if (found !== null) return found
  const similar = await similarTables(sql, folded.at(-1) ?? '')
  const hint =
    similar.length === 0
      ? 'Name it as schema.table, and check DATABASE_URL: is it the database of your program?'
      : `Did you mean ${similar.join(', ')}?`
  throw new SetupError(`${flag}: there is no table "${exact.join('.')}".\n  ${hint}`)
}

function faultsOf(table: InspectedTable, sql: Sql): string[] {
  const name = nameOf(table)
  if (table.schema === sql.schemaName)
    return [`--table: ${name} is a table of mqtt-status itself; name one of your program.`]
  if (table.isSystem) return [`--table: ${name} is a table of Postgres itself.`]
  const kind = KINDS[table.kind]
  if (kind !== undefined) return [`--table: ${name} is ${kind}.`]
  if (table.isTemporary)
    return [`--table: ${name} is temporary: it ends with the session that has created it.`]
  if (table.heirs.length > 0)
    return [
      `--table: other tables inherit from ${name} (${table.heirs.join(', ')}), and their changes are not noted. ` +
        'Attach tables without heirs, or partition the table.',
    ]
  return ownershipFaults(table)
}

function ownershipFaults(table: InspectedTable): string[] {
  if (table.isOwned) return []
  return [
    `${nameOf(table)} belongs to the role "${table.owner}", and only its owner may create the trigger that notes changes. ` +
      `Set DATABASE_URL to the address with the role "${table.owner}", or run as that role: grant "${table.owner}" to "${table.role}";`,
  ]
}

async function missingRightsFaults(sql: Sql, { role }: InspectedTable): Promise<string[]> {
  const missing = await missingRights(sql)
  if (missing.length === 0) return []
  return [
    `The role "${role}" may not attach tables yet. Run as the owner of the schema "${sql.schemaName}":\n` +
      missing.map((statement) => `    ${statement}`).join('\n'),
  ]
}

function prefixFaults(
  attachments: readonly Attachment[],
  { prefix, table }: AttachmentOptions,
): string[] {
  const other = attachments.find((each) => each.prefix === prefix && each.name !== nameOf(table))
  if (other === undefined) return []
  return [`--prefix: "${prefix}" is the prefix of ${other.name}; choose another one.`]
}

/** Errors of the operator's own SQL are explained with what Postgres says. */
async function countOrExplain(sql: Sql, options: AttachmentOptions): Promise<Census> {
  try {
    return await takeCensus(sql, options)
  } catch (error) {
    const { code, message } = describeError(error)
    const isOwn = options.where !== null || options.joins.length > 0
    if (!isOwn || !/^(42|22|21|0A|P0001)/.test(code)) throw error
    const flags = [
      ...(options.where === null ? [] : ['--where']),
      ...(options.joins.length === 0 ? [] : ['--join']),
    ]
    throw new SetupError(
      `${flags.join(' or ')}: Postgres refuses the condition (${message}).\n` +
        `  The attached table has the alias "${TABLE_ALIAS}" there. Nothing was changed.`,
      { cause: error },
    )
  }
}

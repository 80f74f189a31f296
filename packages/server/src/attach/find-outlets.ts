/** Asks the database about the options for clicks. Changes nothing. */
import { printedAs } from '../db/attachments/inspect.ts'
import type { InspectedTable } from '../db/attachments/inspect.ts'
import type { Sql } from '../db/postgres/sql.ts'
import type { CommandTable, WishColumn } from '../model/attachment.ts'
import { describeError } from './fault.ts'
import { commandTableFaults, findWishColumn, ownColumn, wishColumn } from './outlets.ts'
import type { Outlets } from './outlets.ts'
import type { AttachRequest, DesiredRequest } from './request.ts'

/** The tables of a request. */
export interface OutletTables {
  readonly table: InspectedTable
  /** That of `--command-table`; `null` without the option. */
  readonly commandTable: InspectedTable | null
}

/** Looks up where clicks are written, with everything that is wrong with it. */
export async function findOutlets(
  sql: Sql,
  request: AttachRequest,
  { table, commandTable }: OutletTables,
): Promise<Outlets> {
  const faults: string[] = []
  const desired =
    request.desired === null
      ? null
      : await findDesired(sql, request.desired, {
          ...{ table, faults },
          others: [request.id, request.status],
        })
  const key = ownColumn(request.id, table)
  if (commandTable === null) return { desired, commands: null, faults }
  faults.push(...commandTableFaults(commandTable, key))
  return { desired, commands: toCommandTable(commandTable), faults }
}

async function findDesired(
  sql: Sql,
  { column: name, words }: DesiredRequest,
  {
    table,
    faults,
    others,
  }: { table: InspectedTable; faults: string[]; others: Parameters<typeof findWishColumn>[2] },
): Promise<WishColumn | null> {
  const column = findWishColumn(name, table, others)
  if (typeof column === 'string') {
    faults.push(column)
    return null
  }
  const print = async (word: string): Promise<{ word: string } | { refusal: string }> => {
    try {
      return { word: await printedAs(sql, column.type, word) }
    } catch (error) {
      const { code, message } = describeError(error)
      if (!/^(22|23)/.test(code)) throw error
      return { refusal: message }
    }
  }
  const found = wishColumn(column, words, {
    connected: await print(words.connected),
    disconnected: await print(words.disconnected),
  })
  faults.push(...found.faults)
  return found.column
}

function toCommandTable({ schema, name, columns }: InspectedTable): CommandTable {
  const column = (wanted: string): InspectedTable['columns'][number] | undefined =>
    columns.find((candidate) => candidate.name === wanted)
  const by = column('requested_by')
  return {
    ...{ schema, name },
    keyType: column('key')?.sqlType ?? '',
    requestedByType: by?.type ?? '',
    needsRequestedBy: by?.isNullable === false,
  }
}

/** An attached table: a table of another program whose rows are mirrored into `connections`. */
import { STATUSES } from '@mqtt-status/protocol'
import type { Desired, Status } from '@mqtt-status/protocol'

/** The alias of the attached table in the clauses of `--where` and `--join`. */
export const TABLE_ALIAS = 't'

export interface TableName {
  readonly schema: string
  readonly name: string
}

/** A column of the attached table, or of a joined one. */
export interface SourceColumn {
  readonly alias: string
  readonly name: string
}

/** A table whose columns complete the rows of the attached table; at most one of its rows belongs to each. */
export interface SourceJoin extends TableName {
  readonly alias: string
  /** The condition, as SQL. */
  readonly on: string
}

/** The column of the attached table with the wish: whether its program shall keep the row connected. */
export interface WishColumn {
  readonly name: string
  /** Its type, as SQL. */
  readonly type: string
  /** The text of its two values, as Postgres prints it. */
  readonly words: Readonly<Record<Desired, string>>
}

/** A table of the other program into which each wish is written as a row. */
export interface CommandTable extends TableName {
  /** The types of two of its columns, as SQL. */
  readonly keyType: string
  readonly requestedByType: string
  readonly needsRequestedBy: boolean
}

/** What is mirrored, and how; all names are looked up already. */
export interface AttachmentOptions {
  readonly table: TableName
  readonly prefix: string
  readonly key: string
  /** The type of the key, as SQL. */
  readonly keyType: string
  readonly site: SourceColumn
  readonly name: SourceColumn
  readonly status: SourceColumn
  /** From words of the status column; a word that is missing here is `unknown`. */
  readonly map: Readonly<Record<string, Status>>
  readonly reason: SourceColumn | null
  readonly detail: SourceColumn | null
  readonly lastMessage: SourceColumn | null
  readonly labels: Readonly<Record<string, SourceColumn>>
  /** Rows for which this condition is not true are not mirrored, as SQL. */
  readonly where: string | null
  readonly joins: readonly SourceJoin[]
  /** Where a click is written; without both, connections take no commands. */
  readonly desired: WishColumn | null
  readonly commands: CommandTable | null
  /** By alias: the columns of each table whose changes are noted; `null` = all columns. */
  readonly watched: Readonly<Record<string, readonly string[] | null>>
}

export interface AttachmentError {
  /** The SQLSTATE, or a word of ours. */
  readonly code: string
  readonly message: string
  readonly since: string
  readonly last: string
  readonly count: number
}

/** A row of the attached table that could not be mirrored. */
export interface Refusal {
  readonly key: string
  readonly code: string
  readonly message: string
}

export interface Attachment {
  readonly id: number
  /** The attached table, as `schema.table`. */
  readonly name: string
  readonly prefix: string
  readonly options: AttachmentOptions
  readonly comparedAt: string | null
  readonly rowCount: number | null
  readonly error: AttachmentError | null
  /** Why an open wish could not be handed over; `null` where every wish was, or none is open. */
  readonly wishError: AttachmentError | null
  readonly refusedCount: number
  readonly refused: readonly Refusal[]
}

/** The table as people write it. */
export function nameOf({ schema, name }: TableName): string {
  return `${schema}.${name}`
}

/** The words of a mapping, and our own, which mean themselves unless the mapping says otherwise. */
export function completeMap(map: Readonly<Record<string, Status>>): Record<string, Status> {
  return { ...Object.fromEntries(STATUSES.map((status) => [status, status])), ...map }
}

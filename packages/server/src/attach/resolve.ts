/** Looks up the names of a request in the tables that were inspected, and refuses what can not be mirrored. */
import type { InspectedColumn, InspectedTable } from '../db/attachments/inspect.ts'
import { completeMap, nameOf, TABLE_ALIAS } from '../model/attachment.ts'
import type { AttachmentOptions, SourceColumn } from '../model/attachment.ts'
import { findName } from './identifier.ts'
import type { NamePart } from './identifier.ts'
import type { Outlets } from './outlets.ts'
import { refuse } from './request.ts'
import type { AttachRequest } from './request.ts'

/** Types whose text identifies a value in every session, whatever its settings. */
const KEY_TYPES: readonly string[] = [
  ...['int2', 'int4', 'int8', 'numeric', 'text', 'varchar', 'bpchar', 'uuid'],
]
const TIME_TYPES: readonly string[] = ['timestamptz', 'timestamp', 'date']

/** The tables of a request by alias; the attached table has the alias `t`. */
export type Tables = ReadonlyMap<string, InspectedTable>

/** @throws SetupError that lists every fault */
export function resolve(
  request: AttachRequest,
  tables: Tables,
  outlets: Outlets,
): AttachmentOptions {
  const resolver = new Resolver(tables)
  const options = resolver.options(request, outlets)
  refuse([...resolver.faults, ...outlets.faults])
  return options
}

class Resolver {
  readonly faults: string[] = []
  readonly #tables: Tables
  readonly #table: InspectedTable

  constructor(tables: Tables) {
    this.#tables = tables
    const table = tables.get(TABLE_ALIAS)
    if (table === undefined) throw new Error('The attached table is missing')
    this.#table = table
  }

  options(request: AttachRequest, { desired, commands }: Outlets): AttachmentOptions {
    const { schema, name } = this.#table
    const key = this.#key(request.id)
    const columns = {
      site: this.#column('--site', request.site),
      name: this.#column('--name', request.name),
      status: this.#column('--status', request.status),
      reason: this.#optional('--reason', request.reason),
      detail: this.#optional('--detail', request.detail),
      lastMessage: this.#time('--last-message', request.lastMessage),
      labels: Object.fromEntries(
        Object.entries(request.labels).map(([label, column]) => [
          label,
          this.#column(`--label ${label}`, column),
        ]),
      ),
    }
    const joins = request.joins.map(({ alias, on }) => {
      const joined = this.#tables.get(alias)
      return { schema: joined?.schema ?? '', name: joined?.name ?? '', alias, on }
    })
    const { labels, ...single } = columns
    const read = [
      { alias: TABLE_ALIAS, name: key?.name ?? '' },
      ...(desired === null ? [] : [{ alias: TABLE_ALIAS, name: desired.name }]),
      ...[...Object.values(single), ...Object.values(labels)].filter((column) => column !== null),
    ]
    const clauses = [request.where ?? '', ...joins.map(({ on }) => on)].join('\n')
    return {
      table: { schema, name },
      prefix: request.prefix ?? defaultPrefix(name),
      key: key?.name ?? '',
      keyType: key?.sqlType ?? '',
      ...columns,
      map: completeMap(request.map),
      where: request.where,
      joins,
      desired,
      commands,
      watched: Object.fromEntries(
        [...this.#tables].map(([alias, table]) => [
          alias,
          watchedColumns(table, alias, { read, clauses }),
        ]),
      ),
    }
  }

  #key(name: readonly NamePart[]): InspectedColumn | null {
    const found = this.#find('--id', name)
    if (found === null) return null
    const { alias, column } = found
    const { unique, uniqueTogether } = this.#table
    const of = nameOf(this.#table)
    if (alias !== TABLE_ALIAS)
      this.faults.push(`--id: "${column.name}" is a column of a joined table; name one of ${of}.`)
    else if (column.isNullable)
      this.faults.push(
        `--id: "${column.name}" may be null, and a row without a key can not be followed. Name the primary key, ` +
          `or run: alter table ${of} alter column ${column.name} set not null;`,
      )
    else if (!unique.includes(column.name)) {
      const together = uniqueTogether.find((columns) => columns.includes(column.name))
      const why =
        together === undefined
          ? `no unique index says that "${column.name}" differs in all rows`
          : `"${column.name}" is unique only together with ${together.filter((other) => other !== column.name).join(', ')}`
      this.faults.push(
        `--id: ${why}. Name the primary key, or run: create unique index on ${of} (${column.name});`,
      )
    } else if (!KEY_TYPES.includes(column.baseType))
      this.faults.push(
        `--id: "${column.name}" is of the type ${column.type}; expected a whole number, a numeric, a text or a uuid.`,
      )
    return column
  }

  #optional(flag: string, name: readonly NamePart[] | null): SourceColumn | null {
    return name === null ? null : this.#column(flag, name)
  }

  #time(flag: string, name: readonly NamePart[] | null): SourceColumn | null {
    if (name === null) return null
    const found = this.#find(flag, name)
    if (found !== null && !TIME_TYPES.includes(found.column.baseType))
      this.faults.push(
        `${flag}: "${found.column.name}" is of the type ${found.column.type}; expected a timestamp or a date.`,
      )
    return { alias: found?.alias ?? '', name: found?.column.name ?? '' }
  }

  #column(flag: string, name: readonly NamePart[]): SourceColumn {
    const found = this.#find(flag, name)
    return { alias: found?.alias ?? '', name: found?.column.name ?? '' }
  }

  #find(
    flag: string,
    name: readonly NamePart[],
  ): { readonly alias: string; readonly column: InspectedColumn } | null {
    const [first, second] = name
    if (first === undefined) return null
    const part = second ?? first
    const alias =
      second === undefined
        ? TABLE_ALIAS
        : findName(first, [...this.#tables.keys(), this.#table.name])
    const table =
      alias === this.#table.name
        ? this.#table
        : alias === null
          ? undefined
          : this.#tables.get(alias)
    if (table === undefined) {
      const known = [...this.#tables.keys()].join(', ')
      this.faults.push(
        `${flag}: there is no table with the alias "${first.text}"; there is ${known}.`,
      )
      return null
    }
    const column = findName(
      part,
      table.columns.map(({ name: column }) => column),
    )
    const found = table.columns.find((candidate) => candidate.name === column)
    if (found !== undefined) {
      const isOwn = table === this.#table
      return { alias: isOwn ? TABLE_ALIAS : (alias ?? ''), column: found }
    }
    const names = table.columns.map(({ name: known }) => known).join(', ')
    this.faults.push(`${flag}: ${nameOf(table)} has no column "${part.text}"; it has ${names}.`)
    return null
  }
}

/** As card ids begin with it, it has only characters that go into URLs. */
function defaultPrefix(table: string): string {
  return `${table.replace(/[^A-Za-z0-9._-]/g, '_').slice(0, 63)}-`
}

/**
 * The columns whose changes are noted: those that are mirrored, and those whose names stand in a condition. `null` = all,
 * where a condition may read the row as a whole, or a value is computed when it is read.
 */
function watchedColumns(
  { columns }: InspectedTable,
  alias: string,
  { read, clauses }: { read: readonly SourceColumn[]; clauses: string },
): readonly string[] | null {
  if (wholeRow(alias).test(clauses) || /[*]|u&"/i.test(clauses)) return null
  const text = clauses.toLowerCase()
  const watched = columns.filter(
    ({ name }) =>
      text.includes(name.toLowerCase()) ||
      read.some((column) => column.alias === alias && column.name === name),
  )
  return watched.some(({ isVirtual }) => isVirtual) || watched.length === 0
    ? null
    : watched.map(({ name }) => name)
}

/** An alias that is not followed by a dot. */
function wholeRow(alias: string): RegExp {
  return new RegExp(`\\b${alias}\\b(?!\\s*\\.)`, 'i')
}

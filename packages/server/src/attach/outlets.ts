/** Where clicks are written: the column of `--desired`, the table of `--command-table`. Refuses what can not be written. */
import type { InspectedColumn, InspectedTable } from '../db/attachments/inspect.ts'
import { nameOf, TABLE_ALIAS } from '../model/attachment.ts'
import type { CommandTable, WishColumn } from '../model/attachment.ts'
import { sameWords } from './desired-map.ts'
import type { DesiredWords } from './desired-map.ts'
import { findName } from './identifier.ts'
import type { NamePart } from './identifier.ts'

export interface Outlets {
  readonly desired: WishColumn | null
  readonly commands: CommandTable | null
  /** What is wrong with them. */
  readonly faults: readonly string[]
}

const TEXTS: readonly string[] = ['text', 'varchar', 'bpchar']
const WHOLE_NUMBERS: readonly string[] = ['int2', 'int4', 'int8', 'numeric']
const TIMES: readonly string[] = ['timestamptz', 'timestamp']
/** The longest word in the column `action`. */
const LONGEST_ACTION = 'disconnect'.length

/** The column of the attached table that the name means. @returns a text where it can not take wishes */
export function findWishColumn(
  name: readonly NamePart[],
  table: InspectedTable,
  others: readonly (readonly NamePart[])[],
): InspectedColumn | string {
  const column = ownColumn(name, table)
  if (column === null) {
    const names = table.columns.map(({ name: known }) => known).join(', ')
    const text = name.map((part) => part.text).join('.')
    return `--desired: ${nameOf(table)} has no column "${text}"; it has ${names}.`
  }
  if (column.isComputed)
    return `--desired: Postgres computes "${column.name}", so no click can be written into it. Name a column that your program writes.`
  if (others.some((other) => ownColumn(other, table) === column))
    return `--desired: "${column.name}" is the column of --id or --status. Name a column of its own, from which your program reads what is wanted.`
  if (!table.mayUpdate)
    return `--desired: the role "${table.role}" may not write ${nameOf(table)}. Run as its owner: grant update on ${nameOf(table)} to "${table.role}";`
  return column
}

/** The words of a map as Postgres prints them. @param printed what it has made of each; a text where it refuses the word */
export function wishColumn(
  column: InspectedColumn,
  words: DesiredWords,
  printed: Readonly<Record<keyof DesiredWords, { word: string } | { refusal: string }>>,
): { readonly column: WishColumn; readonly faults: readonly string[] } {
  const faults: string[] = []
  const read = (wish: keyof DesiredWords): string => {
    const found = printed[wish]
    const given = `--desired-map: "${column.name}" is of the type ${column.type}, and "${words[wish]}"`
    if ('refusal' in found) {
      faults.push(`${given} is no value of it (${found.refusal}).`)
      return words[wish]
    }
    const isText = TEXTS.includes(column.baseType)
    if (isText && found.word.trimEnd() !== words[wish].trimEnd())
      faults.push(`${given} is too long for it.`)
    return found.word
  }
  const canonical = { connected: read('connected'), disconnected: read('disconnected') }
  if (faults.length === 0) faults.push(...sameWords(canonical))
  return { column: { name: column.name, type: column.sqlType, words: canonical }, faults }
}

/** What is wrong with a table for commands; empty where rows can be inserted. */
export function commandTableFaults(table: InspectedTable, key: InspectedColumn | null): string[] {
  const name = nameOf(table)
  if (!['r', 'p'].includes(table.kind) || table.isTemporary || table.isSystem)
    return [`--command-table: ${name} is no table of your program.`]
  const missing = Object.keys(EXPECTED).filter((column) => columnOf(table, column) === null)
  if (missing.length > 0)
    return [
      `--command-table: ${name} has no column ${missing.join(', ')}. It needs ${describeExpected(key)}.`,
    ]
  const wrong = [...typeFaults(table, key), ...otherColumnFaults(table)]
  if (!table.mayInsert)
    wrong.push(
      `--command-table: the role "${table.role}" may not insert into ${name}. Run as its owner: grant insert on ${name} to "${table.role}"; grant usage on schema ${table.schema} to "${table.role}";`,
    )
  return wrong
}

/** The columns that a command fills. */
function typeFaults(table: InspectedTable, key: InspectedColumn | null): string[] {
  const name = nameOf(table)
  const wrong = Object.entries(EXPECTED).flatMap(([column, { types, what }]) => {
    const found = columnOf(table, column)
    if (found === null || types.includes(found.baseType)) return []
    return [`--command-table: ${name}.${column} is of the type ${found.type}; expected ${what}.`]
  })
  if (wrong.length > 0) return wrong
  const action = columnOf(table, 'action')?.type ?? ''
  if (Number(/\((\d+)\)/.exec(action)?.[1] ?? LONGEST_ACTION) < LONGEST_ACTION)
    wrong.push(
      `--command-table: ${name}.action is of the type ${action}; "disconnect" needs ${LONGEST_ACTION} characters.`,
    )
  const keyColumn = columnOf(table, 'key')
  if (keyColumn !== null && key !== null && !fits(key, keyColumn))
    wrong.push(
      `--command-table: ${name}.key is of the type ${keyColumn.type}; expected ${key.type}, as "${key.name}", or text.`,
    )
  return wrong
}

/** The columns that it leaves out. */
function otherColumnFaults(table: InspectedTable): string[] {
  const others = table.columns.filter(
    (column) => !column.isNullable && !column.hasDefault && !Object.hasOwn(EXPECTED, column.name),
  )
  if (others.length === 0) return []
  const names = others.map((column) => column.name).join(', ')
  return [
    `--command-table: ${nameOf(table)} needs a value for ${names}, and a command has none. Give each a default, or allow null.`,
  ]
}

function columnOf({ columns }: InspectedTable, name: string): InspectedColumn | null {
  return columns.find((column) => column.name === name) ?? null
}

const EXPECTED: Readonly<
  Record<string, { readonly types: readonly string[]; readonly what: string }>
> = {
  key: { types: [...TEXTS, ...WHOLE_NUMBERS, 'uuid'], what: 'the type of the key, or text' },
  action: { types: TEXTS, what: 'text' },
  requested_at: { types: TIMES, what: 'timestamptz' },
  requested_by: { types: TEXTS, what: 'text' },
  generation: { types: ['int8', 'numeric', 'int4'], what: 'bigint' },
}

function describeExpected(key: InspectedColumn | null): string {
  return `key (${key?.type ?? 'the type of the key'}), action (text), requested_at (timestamptz), requested_by (text) and generation (bigint)`
}

/** Whether each value of the key has a value of the other type. */
function fits(key: InspectedColumn, other: InspectedColumn): boolean {
  return (
    TEXTS.includes(other.baseType) ||
    key.baseType === other.baseType ||
    (WHOLE_NUMBERS.includes(key.baseType) && WHOLE_NUMBERS.includes(other.baseType))
  )
}

/** A column of the attached table, with or without its alias or name before it. */
export function ownColumn(
  name: readonly NamePart[],
  table: InspectedTable,
): InspectedColumn | null {
  const [first, second] = name
  if (first === undefined) return null
  if (second !== undefined && findName(first, [TABLE_ALIAS, table.name]) === null) return null
  const found = findName(
    second ?? first,
    table.columns.map((column) => column.name),
  )
  return table.columns.find((column) => column.name === found) ?? null
}

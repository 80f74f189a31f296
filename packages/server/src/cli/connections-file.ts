/** Files of connections: CSV with one column a field (`tls.ca`, `labels.region`), or JSON as the management API takes it. */
import { parse } from 'csv-parse/sync'
import { stringify } from 'csv-stringify/sync'
import { SetupError } from '../errors.ts'
import { isObject } from '../model/connection/schemas.ts'
import { SECRET_FIELDS, SETTING_NAMES, SETTING_ROWS } from '../model/connection/settings.ts'
import type { SettingRow } from '../model/connection/settings.ts'

export type FileFormat = 'csv' | 'json'

export interface FileRow {
  /** The line of a CSV file, the number of the item in a JSON file; both begin with 1. */
  readonly line: number
  readonly body: Readonly<Record<string, unknown>>
}

interface Cells {
  readonly numbers: ReadonlySet<string>
  readonly booleans: ReadonlySet<string>
  readonly words: ReadonlySet<string>
  /** Columns of their members may follow them, as `tls.ca`. */
  readonly objects: ReadonlySet<string>
}

/** How the cell of each setting is read. */
const CELLS: Cells = {
  numbers: settingsWhere(({ type }) => type === 'integer'),
  booleans: settingsWhere(({ type }) => type === 'boolean'),
  words: settingsWhere(({ csv }) => csv === 'words'),
  objects: settingsWhere(({ type, csv }) => type === 'jsonb' && csv !== 'words'),
}
/** Spaces may be part of a secret. */
const VERBATIM: ReadonlySet<string> = new Set(SECRET_FIELDS)
/** One value a column first, then a column for each member of an object, then objects with any members. */
const COLUMNS: readonly string[] = [
  'id',
  ...SETTING_NAMES.filter((name) => !CELLS.objects.has(name)),
  ...SETTING_NAMES.flatMap((name) => memberColumns(name, SETTING_ROWS[name])),
  ...SETTING_NAMES.filter((name) => SETTING_ROWS[name].csv === 'any member'),
]

/** The format by the ending of the name; `null` for another ending. */
export function formatOf(path: string): FileFormat | null {
  const ending = /\.(csv|json)$/i.exec(path)?.[1]?.toLowerCase()
  return ending === 'csv' || ending === 'json' ? ending : null
}

/** @throws SetupError where the file can't be parsed; the message never quotes the file, which may contain secrets */
export function readRows(text: string, format: FileFormat): readonly FileRow[] {
  return format === 'csv' ? readCsv(text) : readJson(text)
}

/** The inverse of `readRows`, for connections without secrets. */
export function writeRows(
  rows: readonly Readonly<Record<string, unknown>>[],
  format: FileFormat,
): string {
  if (format === 'json') return JSON.stringify({ connections: rows }, null, 2)
  const lines = rows.map((row) => COLUMNS.map((column) => toCell(valueAt(row, column))))
  return stringify([[...COLUMNS], ...lines]).trimEnd()
}

function readJson(text: string): readonly FileRow[] {
  const content = parseJson(text)
  const items: unknown = isObject(content) ? content['connections'] : content
  if (!Array.isArray(items))
    throw new SetupError(
      'The file has no list of connections.\n  Expected [{"id": …}, …] or {"connections": [{"id": …}, …]}.',
    )
  return items.map((item: unknown, index) => {
    if (isObject(item)) return { line: index + 1, body: item }
    throw new SetupError(`Item ${index + 1} of the file is not an object.`)
  })
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, '')) as unknown
  } catch (error) {
    // The message of JSON.parse quotes the file; its line and column do not.
    const place =
      error instanceof Error ? /line \d+ column \d+/.exec(error.message)?.[0] : undefined
    throw new SetupError(`The file is not JSON${place === undefined ? '' : `: see ${place}`}.`)
  }
}

interface CsvRecord {
  readonly info: { readonly lines: number }
  readonly record: Readonly<Record<string, string>>
}

function readCsv(text: string): readonly FileRow[] {
  const records = parseCsv(text)
  return records.map(({ info, record }) => ({ line: info.lines, body: toBody(record) }))
}

function parseCsv(text: string): readonly CsvRecord[] {
  try {
    return parse(text, {
      bom: true,
      info: true,
      skip_empty_lines: true,
      columns: (header: string[]) => header.map((name) => name.trim()),
    }) as unknown as CsvRecord[]
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown failure'
    const lines =
      error instanceof Error && 'lines' in error ? ` in line ${String(error.lines)}` : ''
    throw new SetupError(
      `The file is not CSV as expected${lines} (${code}).\n` +
        '  Expected commas between the cells, a first line with the names of the fields, and as many cells in every line.',
    )
  }
}

/** An empty cell leaves its field out. */
function toBody(record: Readonly<Record<string, string>>): Record<string, unknown> {
  const body: Record<string, unknown> = {}
  for (const [column, cell] of Object.entries(record)) {
    if (cell.trim() === '') continue
    const value = toValue(column, VERBATIM.has(column) ? cell : cell.trim())
    const [parent = '', ...rest] = column.split('.')
    const child = rest.join('.')
    if (child === '' || !CELLS.objects.has(parent)) body[column] = value
    else body[parent] = { ...(isObject(body[parent]) ? body[parent] : {}), [child]: value }
  }
  return body
}

/** A cell that can't be parsed stays a text; the check of the field then reports what it expects. */
function toValue(column: string, cell: string): unknown {
  if (CELLS.numbers.has(column)) return /^\d+$/.test(cell) ? Number(cell) : cell
  if (CELLS.booleans.has(column)) return cell === 'true' ? true : cell === 'false' ? false : cell
  const isList = CELLS.words.has(column)
  if ((isList && cell.startsWith('[')) || (CELLS.objects.has(column) && cell.startsWith('{')))
    return jsonOr(cell)
  return isList ? cell.split(/\s+/) : cell
}

function jsonOr(cell: string): unknown {
  try {
    return JSON.parse(cell) as unknown
  } catch {
    return cell
  }
}

function toCell(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (Array.isArray(value)) {
    const texts = value.map(String)
    return texts.some((text) => /\s/.test(text)) ? JSON.stringify(value) : texts.join(' ')
  }
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function valueAt(row: Readonly<Record<string, unknown>>, column: string): unknown {
  const [parent = '', child] = column.split('.')
  const value = row[parent]
  if (child === undefined) return value
  return isObject(value) ? value[child] : undefined
}

function settingsWhere(test: (row: SettingRow) => boolean): ReadonlySet<string> {
  return new Set(SETTING_NAMES.filter((name) => test(SETTING_ROWS[name])))
}

function memberColumns(name: string, { csv = [] }: SettingRow): string[] {
  return typeof csv === 'string' ? [] : csv.map((member) => `${name}.${member}`)
}

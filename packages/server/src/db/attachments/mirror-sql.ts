/**
 * The SQL of an attachment: a function and triggers that note what changes in the attached table, and functions that read its
 * rows as they are mirrored. They belong to the role that attaches the table, so that neither the server nor the writers of
 * the table need any rights on the other side.
 */
import { TABLE_ALIAS } from '../../model/attachment.ts'
import type { AttachmentOptions, SourceColumn, TableName } from '../../model/attachment.ts'
import { quoted } from '../postgres/sql.ts'
import { dollarQuoted, literal } from './quoting.ts'

/** Notes of one transaction, after which it asks for a comparison of all rows: each takes one of 64 cached subtransactions. */
const MOST_NOTES = 32
/** A longer name is cut. */
export const NAME_LENGTH = 200
const REASON_LENGTH = 200
const DETAIL_LENGTH = 300
const LABEL_LENGTH = 256

export interface AttachmentPlace {
  /** The schema of `connections`. */
  readonly schema: string
  readonly id: number
}

/** A table with triggers: the attached one, or a joined one. */
export interface InstalledTable {
  readonly alias: string
  readonly table: TableName
  readonly partitions: readonly TableName[]
}

/** The name of a function of an attachment. */
export function functionOf({ id }: Pick<AttachmentPlace, 'id'>, name: string): string {
  return `attachment_${id}_${name}`
}

/** The names of the triggers on one table; another attachment of the same table, and another installation, has others. */
export function triggerNames(
  { schema, id }: AttachmentPlace,
  alias: string,
): { readonly rows: string; readonly truncate: string } {
  const joined = alias === TABLE_ALIAS ? '' : `_${alias}`
  const rows = `${schema.slice(0, 20)}_attachment_${id}${joined}`
  return { rows, truncate: `${rows}_truncate` }
}

/** The functions; each statement can be run again. */
export function functionStatements(place: AttachmentPlace, options: AttachmentOptions): string[] {
  return [
    notingFunction(place, TABLE_ALIAS, options),
    ...options.joins.map(({ alias }) => notingFunction(place, alias, options)),
    rowsFunction(place, options),
    keysFunction(place, options),
  ]
}

/** The triggers of one table. */
export function triggerStatements(
  place: AttachmentPlace,
  { table, alias, partitions }: InstalledTable,
): string[] {
  const names = triggerNames(place, alias)
  const on = relation(table)
  const run = `${quoted(place.schema)}.${quoted(notingName(place, alias))}()`
  const rows = [
    `create trigger ${quoted(names.rows)}\nafter insert or update or delete on ${on}\nfor each row execute function ${run}`,
    `alter table ${on} enable always trigger ${quoted(names.rows)}`,
  ]
  // Postgres copies row triggers to the partitions, also to later ones, and statement triggers to none.
  const truncate = [table, ...partitions].flatMap((each) => [
    `create trigger ${quoted(names.truncate)}\nafter truncate on ${relation(each)}\nfor each statement execute function ${run}`,
    `alter table ${relation(each)} enable always trigger ${quoted(names.truncate)}`,
  ])
  return [...rows, ...truncate]
}

/** A table as SQL. */
export function relation({ schema, name }: TableName): string {
  return `${quoted(schema)}.${quoted(name)}`
}

/** The function that the triggers of a table run. */
export function notingName(place: AttachmentPlace, alias: string): string {
  return functionOf(place, alias === TABLE_ALIAS ? 'changed' : `changed_${alias}`)
}

/**
 * Every name and operator is qualified, because the function has no search path of its own: setting one costs more than all
 * the rest of an unchanged row. Its own errors never reach the writer. A session keeps the plans that it has made before a
 * migration of the table, and they fail with columns of other types: then the row is noted by the name of its key, which takes
 * longer. Where that fails too, the function raises a sequence, and a node compares all rows.
 */
function notingFunction(place: AttachmentPlace, alias: string, options: AttachmentOptions): string {
  const { id, schema } = place
  const own = quoted(schema)
  const counter = `'mqtt_status.attachment_${id}'`
  const watched = options.watched[alias] ?? null
  const [before, after] =
    watched === null
      ? ['old', 'new']
      : [`row(${fields('old', watched)})`, `row(${fields('new', watched)})`]
  // Called as a function: an operator between two rows would be looked up for each column, by its name.
  const same = `pg_catalog.record_image_eq(${before}, ${after})`
  const key = (row: 'old' | 'new'): string =>
    alias === TABLE_ALIAS ? `${row}.${quoted(options.key)}::pg_catalog.text` : 'null'
  const body = `declare
  noted pg_catalog.text := pg_catalog.current_setting(${counter}, true);
  times pg_catalog.int4;
  former pg_catalog.text;
  latter pg_catalog.text;
begin
  if noted operator(pg_catalog.=) 'all' then return null; end if;
  begin
    if tg_op operator(pg_catalog.=) 'UPDATE' then
      if ${same} then return null; end if;
      former := ${key('old')};
      latter := ${key('new')};
    elsif tg_op operator(pg_catalog.=) 'INSERT' then
      latter := ${key('new')};
    elsif tg_op operator(pg_catalog.=) 'DELETE' then
      latter := ${key('old')};
    end if;
    times := case when noted operator(pg_catalog.<>) '' then noted::pg_catalog.int4 else 0 end;
    if latter is null or times operator(pg_catalog.>=) ${MOST_NOTES} then
      ${noteOf(place, 'null')}
      perform pg_catalog.set_config(${counter}, 'all', true);
      return null;
    end if;
    if former operator(pg_catalog.<>) latter then
      ${noteOf(place, 'former')}
    end if;
    ${noteOf(place, 'latter')}
    perform pg_catalog.set_config(${counter}, (times operator(pg_catalog.+) 1)::pg_catalog.text, true);
  exception when others then
    begin
${notingByName(place, alias, options)}
    exception when others then
      begin
        perform pg_catalog.set_config(${counter}, 'all', true);
        perform ${own}.attachment_lost();
      exception when others then
        return null;
      end;
    end;
  end;
  return null;
end`
  return `create or replace function ${own}.${quoted(notingName(place, alias))}() returns trigger
language plpgsql security definer as ${dollarQuoted(body)}`
}

/** Statements that note a row without its columns in a plan. A row that has not changed is noted, too. */
function notingByName(
  place: AttachmentPlace,
  alias: string,
  { key, keyType }: AttachmentOptions,
): string {
  const named = (row: 'old' | 'new'): string => {
    const text = `pg_catalog.jsonb_extract_path_text(pg_catalog.to_jsonb(${row}), ${literal(key)})`
    // The text of this type has no blanks at its end.
    return keyType.endsWith('.bpchar') ? `pg_catalog.rtrim(${text})` : text
  }
  const former = alias === TABLE_ALIAS ? named('old') : 'null'
  const latter = alias === TABLE_ALIAS ? named('new') : 'null'
  return `      former := null;
      latter := null;
      times := case when noted operator(pg_catalog.<>) '' then noted::pg_catalog.int4 else 0 end;
      if tg_op operator(pg_catalog.=) 'UPDATE' or tg_op operator(pg_catalog.=) 'DELETE' then
        former := ${former};
      end if;
      if tg_op operator(pg_catalog.=) 'UPDATE' or tg_op operator(pg_catalog.=) 'INSERT' then
        latter := ${latter};
      end if;
      if (former is null and latter is null) or times operator(pg_catalog.>=) ${MOST_NOTES} then
        ${noteOf(place, 'null')}
        perform pg_catalog.set_config('mqtt_status.attachment_${place.id}', 'all', true);
        return null;
      end if;
      if former is not null then
        ${noteOf(place, 'former')}
      end if;
      if latter is not null and (former is null or former operator(pg_catalog.<>) latter) then
        ${noteOf(place, 'latter')}
      end if;
      perform pg_catalog.set_config('mqtt_status.attachment_${place.id}', (times operator(pg_catalog.+) 1)::pg_catalog.text, true);`
}

/** Statements that write a note. They never wait for a lock of the table of notes. */
function noteOf({ id, schema }: AttachmentPlace, key: string): string {
  const notes = `${quoted(schema)}.attachment_changes`
  return `lock table ${notes} in row exclusive mode nowait;
      insert into ${notes} values (${id}, ${key});`
}

/** The clauses that choose the rows of the attached table, with those of joined tables beside them. */
export function sourceRows(table: string, { joins, where }: AttachmentOptions): string {
  return [
    `from ${table} ${TABLE_ALIAS}`,
    ...joins.map((join) => `left join ${relation(join)} ${quoted(join.alias)} on (${join.on}\n)`),
    `where ${where === null ? 'true' : `(${where}\n)`}`,
  ].join('\n')
}

/** The rows as they are mirrored: all, or those with the given keys. */
function rowsFunction(place: AttachmentPlace, options: AttachmentOptions): string {
  const { key, keyType } = options
  const given = `array(select jsonb_array_elements_text(only_keys))::${keyType}[]`
  // "offset 0" keeps Postgres from reading the condition for rows with other keys: one of them may make it fail.
  const some = `(select * from ${relation(options.table)} where ${quoted(key)} = any (${given}) offset 0)`
  const select = (table: string): string =>
    [
      `return query select ${rowColumns(place, options).join(',\n')}`,
      sourceRows(table, options),
    ].join('\n')
  const body = `#variable_conflict use_column
begin
  if only_keys is null then
    ${select(relation(options.table))};
  else
    ${select(some)};
  end if;
end`
  return `create or replace function ${quoted(place.schema)}.${functionOf(place, 'rows')}(only_keys jsonb)
returns table (
  source_key text, id text, site_id text, name text, labels jsonb, status text, reason text, detail text,
  last_message_at timestamptz, desired text
)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp set timezone = 'UTC' set datestyle = 'ISO' as ${dollarQuoted(body)}`
}

function rowColumns({ schema }: AttachmentPlace, options: AttachmentOptions): string[] {
  const own = quoted(schema)
  const key = `${TABLE_ALIAS}.${quoted(options.key)}::text`
  const text = (column: SourceColumn | null): string =>
    column === null ? 'null' : `${columnOf(column)}::text`
  const line = (column: SourceColumn | null, most: number): string =>
    `${own}.attachment_line(${text(column)}, ${most})`
  const id = `${own}.attachment_shorten(${literal(options.prefix)} || ${own}.attachment_encode(${key}))`
  const labels = Object.entries(options.labels).map(
    ([label, column]) => `${literal(label)}, left(${text(column)}, ${LABEL_LENGTH})`,
  )
  const map = literal(JSON.stringify(options.map))
  const status = `coalesce(${map}::jsonb ->> ${text(options.status)}, 'unknown')`
  return [
    key,
    id,
    `${own}.attachment_shorten(coalesce(${text(options.site)}, ''))`,
    `coalesce(${line(options.name, NAME_LENGTH)}, ${key})`,
    `jsonb_strip_nulls(jsonb_build_object(${labels.join(', ')}))`,
    status,
    line(options.reason, REASON_LENGTH),
    line(options.detail, DETAIL_LENGTH),
    options.lastMessage === null
      ? 'null::timestamptz'
      : `${columnOf(options.lastMessage)}::timestamptz`,
    wishOf(options, status),
  ]
}

/** The wish as the row has it. Without a column for it, the wish of a row is what its status shows. */
function wishOf({ desired, commands }: AttachmentOptions, status: string): string {
  if (desired !== null) {
    const { connected, disconnected } = desired.words
    return `case ${TABLE_ALIAS}.${quoted(desired.name)}::text when ${literal(connected)} then 'connected' when ${literal(disconnected)} then 'disconnected' end`
  }
  if (commands === null) return 'null'
  return `case when ${status} in ('disconnected', 'disconnecting') then 'disconnected' else 'connected' end`
}

/** All keys, also of rows that can't be read otherwise. */
function keysFunction(place: AttachmentPlace, { table, key }: AttachmentOptions): string {
  return `create or replace function ${quoted(place.schema)}.${functionOf(place, 'keys')}() returns setof text
language sql stable security definer set search_path = pg_catalog, pg_temp as ${dollarQuoted(
    `select ${TABLE_ALIAS}.${quoted(key)}::text from ${relation(table)} ${TABLE_ALIAS}`,
  )}`
}

function columnOf({ alias, name }: SourceColumn): string {
  return `${quoted(alias)}.${quoted(name)}`
}

function fields(row: 'old' | 'new', names: readonly string[]): string {
  return names.map((name) => `${row}.${quoted(name)}`).join(', ')
}

/** The table of connection settings against what is written elsewhere about them: migrations and documentation. */
import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import {
  DIAL_NAMES,
  INITIAL_SETTINGS,
  SECRET_FIELDS,
  SETTING_NAMES,
  SETTING_ROWS,
} from '../../packages/server/src/model/connection/settings.ts'

const ROOT = new URL('../../', import.meta.url)
const MIGRATIONS = new URL('packages/server/migrations/', ROOT)
const SQL = readdirSync(MIGRATIONS)
  .toSorted()
  .map((name) => readFileSync(new URL(name, MIGRATIONS), 'utf8'))
  .join('\n')

/** Columns of `connections` that are no settings: key, wishes' circumstances, what was seen, ownership, feed, times. */
const OTHER_COLUMNS = new Set([
  ...['id', 'generation', 'restart_generation', 'desired_at', 'desired_by'],
  ...['status', 'reason', 'detail', 'mqtt_reason_code', 'since', 'observed_generation'],
  ...['subscriptions_ok', 'last_message_at', 'device', 'device_since'],
  ...['owner_id', 'epoch', 'revision', 'changed', 'created_at', 'updated_at'],
  ...['attachment', 'attachment_key'],
])

interface Column {
  readonly name: string
  readonly type: string
  readonly required: boolean
  readonly initial: unknown
}

/** The columns that the migrations give to `connections`. */
function columns(): Column[] {
  const [, created = ''] = /create table connections \(\n(.*?)\n\);/s.exec(SQL) ?? []
  const added = [...SQL.matchAll(/alter table connections\n(.*?);/gs)].flatMap(([, body = '']) =>
    [...body.matchAll(/add column (.+?),?$/gm)].map(([, line = '']) => line),
  )
  return [...created.split('\n'), ...added].flatMap((line) => {
    const [, name, type, rest = ''] =
      /^\s*([a-z_]+) (text|integer|boolean|jsonb)\b(.*)$/.exec(line) ?? []
    if (name === undefined || type === undefined) return []
    const [, text] = /default ('[^']*'|\w+)/.exec(rest) ?? []
    return [
      {
        name,
        type,
        required: rest.includes('not null') && text === undefined,
        initial: parse(type, text),
      },
    ]
  })
}

function parse(type: string, text: string | undefined): unknown {
  if (text === undefined) return null
  const bare = text.replaceAll("'", '')
  return type === 'text' ? bare : JSON.parse(bare)
}

/** The columns that a trigger compares, as its newest definition names them. */
function comparedBy(trigger: string): string[] {
  const found = [
    ...SQL.matchAll(new RegExp(`create trigger ${trigger} before update.*?execute`, 'gs')),
  ]
  const [, old = ''] = /\((old\..*?)\)/s.exec(found.at(-1)?.[0] ?? '') ?? []
  return [...old.matchAll(/old\.(\w+)/g)].map(([, name = '']) => name)
}

test('every column of connections is a setting of the table, with its type and default, or is no setting', () => {
  const found = columns().filter(({ name }) => !OTHER_COLUMNS.has(name))
  const expected = SETTING_NAMES.map((name) => {
    const { column, type, required = false } = SETTING_ROWS[name]
    return { name: column, type, required, initial: required ? null : INITIAL_SETTINGS[name] }
  })
  const byName = (a: { name: string }, b: { name: string }): number => (a.name < b.name ? -1 : 1)
  expect(found.toSorted(byName)).toEqual(expected.toSorted(byName))
})

test('a change of each dial setting, and of no other, raises the generation', () => {
  const dial = DIAL_NAMES.map((name) => SETTING_ROWS[name].column)
  expect(comparedBy('connections_1_dial').toSorted()).toEqual(dial.toSorted())
})

test('the table of secrets takes the secret settings and no others', () => {
  const [, list = ''] =
    [...SQL.matchAll(/connection_secrets_field check \(field in \((.*?)\)\)/g)].at(-1) ?? []
  expect(list.split(', ')).toEqual(SECRET_FIELDS.map((field) => `'${field}'`))
})

test('every setting has one line in the docs, with its field and its column', () => {
  const [, section = ''] = readFileSync(new URL('docs/mqtt.md', ROOT), 'utf8').split(
    '## Settings of a connection\n',
  )
  const [table = ''] = section.split('\n## ')
  const lines = [...table.matchAll(/^\| `(\w+)` \| `(\w+)` \| (\w+) \| .+ \|$/gm)].map((line) =>
    line.slice(1, 4),
  )
  const expected = SETTING_NAMES.map((name) => {
    const { column, type } = SETTING_ROWS[name]
    return [name, column, type]
  })
  expect(lines).toEqual(expected)
})

/** What `mqtt-status attach` has found out, as lines for the operator. */
import { STATUSES } from '@mqtt-status/protocol'
import type { Prepared } from '../attach/prepare.ts'
import type { Census } from '../db/attachments/census.ts'
import { nameOf, TABLE_ALIAS } from '../model/attachment.ts'
import type { AttachmentOptions, SourceColumn } from '../model/attachment.ts'

export function describeAttach({ table, plan, census, former }: Prepared): string[] {
  const { options } = plan
  const kind = table.kind === 'p' ? `, partitioned (${table.partitions.length} partitions)` : ''
  return [
    `${nameOf(table)}${kind}: ${census.rows} rows are mirrored${options.where === null ? '' : ` (where ${options.where})`}, keyed by ${options.key}`,
    ...(former === null ? [] : ['It is attached already: the mirror is changed in place.']),
    ...columnLines(options, table.columns),
    ...idLines(options, census),
    '',
    `Status (${columnOf(options.status)}):`,
    ...statusLines(options, census),
    '',
    ...clickLines(options),
    ...noteLines(census, table.isGuarded),
  ]
}

function columnLines(options: AttachmentOptions, columns: Prepared['table']['columns']): string[] {
  const type = (column: SourceColumn): string =>
    column.alias === TABLE_ALIAS
      ? (columns.find(({ name }) => name === column.name)?.type ?? '')
      : 'of a joined table'
  const { site, name, status, reason, detail, lastMessage, labels } = options
  const shown = { site, name, status, reason, detail, 'last message': lastMessage }
  const all = [
    ...Object.entries(shown),
    ...Object.entries(labels).map(([label, column]) => [`label ${label}`, column] as const),
  ]
  return all.flatMap(([meaning, column]) =>
    column === null ? [] : [`  ${meaning.padEnd(12)} from ${columnOf(column)} (${type(column)})`],
  )
}

function idLines(
  { prefix }: AttachmentOptions,
  { example, encodedIds, encodedExample }: Census,
): string[] {
  const first =
    example === null
      ? `The card of a row has the id "${prefix}" and its key`
      : `The card of the row ${example.key} has connection-id="${example.id}"`
  if (encodedExample === null) return ['', `${first}.`]
  return [
    '',
    `${first}.`,
    `${encodedIds} keys have characters that ids can not have, or are too long: "${encodedExample.key}" becomes "${encodedExample.id}".`,
  ]
}

function statusLines({ map }: AttachmentOptions, { statuses, moreStatuses }: Census): string[] {
  const unknown = statuses.filter(({ word }) => word === null || map[word] === undefined)
  const seen = new Set(statuses.map(({ word }) => word))
  const own: readonly string[] = STATUSES
  const unseen = Object.keys(map).filter((word) => !seen.has(word) && !own.includes(word))
  const shorten = (word: string | null): string =>
    word === null ? 'null' : word.length > 60 ? `${word.slice(0, 59)}…` : word
  const lines = statuses.map(({ word, count }) => {
    const meaning = word === null ? undefined : map[word]
    return `  ${shorten(word).padEnd(16)} → ${(meaning ?? 'unknown').padEnd(13)} ${count} rows${meaning === undefined ? ', not mapped' : ''}`
  })
  const example = unknown.find(({ word }) => word !== null)?.word ?? null
  return [
    ...lines,
    ...(moreStatuses > 0 ? [`  … and ${moreStatuses} more words, not mapped`] : []),
    ...unseen.map(
      (word) => `  ${shorten(word).padEnd(16)} → ${(map[word] ?? '').padEnd(13)} no row has it now`,
    ),
    ...(example === null
      ? []
      : [
          `Words that are not mapped are shown as unknown. To map one: --map "${shorten(example)}=connecting"`,
        ]),
  ]
}

function clickLines({ desired, commands }: AttachmentOptions): string[] {
  if (desired === null && commands === null)
    return ['Clicks: none. Cards have no buttons without --desired or --command-table.']
  return [
    ...(desired === null
      ? []
      : [
          `Clicks: Connect writes ${desired.name} = ${desired.words.connected}, Disconnect writes ${desired.name} = ${desired.words.disconnected}.`,
        ]),
    ...(commands === null ? [] : [`Clicks: each is a row of ${nameOf(commands)}.`]),
  ]
}

function noteLines(census: Census, isGuarded: boolean): string[] {
  const { withoutSite, withoutName, longNames, takenIds } = census
  const notes = [
    {
      there: withoutSite > 0,
      text: `${withoutSite} rows have no site: only tokens for all sites see them.`,
    },
    { there: withoutName > 0, text: `${withoutName} rows have no name: cards show their key.` },
    {
      there: longNames > 0,
      text: `${longNames} names are longer than 200 characters, and are cut.`,
    },
    {
      there: takenIds.length > 0,
      text: `These ids belong to other connections, so their rows are left out: ${takenIds.join(', ')}. Choose another --prefix.`,
    },
    {
      there: isGuarded,
      text: 'Row security is forced for the owner of the table: rows that its policies hide are not mirrored.',
    },
  ]
  const found = notes.filter(({ there }) => there).map(({ text }) => `! ${text}`)
  return found.length === 0 ? [''] : ['', ...found, '']
}

function columnOf({ alias, name }: SourceColumn): string {
  return alias === TABLE_ALIAS ? name : `${alias}.${name}`
}

/** Reads the options of `mqtt-status attach`, before the database is asked what their names mean. */
import { STATUSES } from '@mqtt-status/protocol'
import type { Status } from '@mqtt-status/protocol'
import { SetupError } from '../errors.ts'
import { parseDesiredMap } from './desired-map.ts'
import type { DesiredWords } from './desired-map.ts'
import { parseName } from './identifier.ts'
import type { NamePart } from './identifier.ts'

/** The options as they were typed. */
export interface AttachFlags {
  readonly table?: string
  readonly id?: string
  readonly site?: string
  readonly name?: string
  readonly status?: string
  readonly map?: readonly string[]
  readonly reason?: string
  readonly detail?: string
  readonly lastMessage?: string
  readonly label?: readonly string[]
  readonly where?: string
  readonly join?: readonly string[]
  readonly prefix?: string
  readonly desired?: string
  readonly desiredMap?: readonly string[]
  readonly commandTable?: string
}

type Name = readonly NamePart[]

export interface JoinRequest {
  readonly table: Name
  readonly alias: string
  readonly on: string
}

export interface DesiredRequest {
  readonly column: Name
  readonly words: DesiredWords
}

export interface AttachRequest {
  readonly table: Name
  /** `null`: the name of the table and a hyphen. */
  readonly prefix: string | null
  readonly id: Name
  readonly site: Name
  readonly name: Name
  readonly status: Name
  readonly map: Readonly<Record<string, Status>>
  readonly reason: Name | null
  readonly detail: Name | null
  readonly lastMessage: Name | null
  readonly labels: Readonly<Record<string, Name>>
  readonly where: string | null
  readonly joins: readonly JoinRequest[]
  readonly desired: DesiredRequest | null
  readonly commandTable: Name | null
}

const PREFIX = /^[A-Za-z0-9._-]{0,64}$/
const MAX_LABELS = 64
const MAX_LABEL_NAME = 64
const JOIN =
  /^\s*((?:"(?:[^"]|"")+"|[^\s".]+)(?:\.(?:"(?:[^"]|"")+"|[^\s".]+))?)\s+(?:as\s+)?([A-Za-z_]\w*)\s+on\s+(\S[^]*)$/i

/** @throws SetupError that lists every fault */
export function parseRequest(flags: AttachFlags): AttachRequest {
  const faults: string[] = []
  const reader = new Reader(faults)
  const request: AttachRequest = {
    table: reader.required('--table', flags.table),
    prefix: flags.prefix ?? null,
    id: reader.required('--id', flags.id),
    site: reader.required('--site', flags.site),
    name: reader.required('--name', flags.name),
    status: reader.required('--status', flags.status),
    map: parseMap(flags.map ?? [], faults),
    reason: reader.optional('--reason', flags.reason),
    detail: reader.optional('--detail', flags.detail),
    lastMessage: reader.optional('--last-message', flags.lastMessage),
    labels: reader.labels(flags.label ?? []),
    where: clause('--where', flags.where, faults),
    joins: (flags.join ?? []).flatMap((text) => reader.join(text)),
    desired: reader.desired(flags.desired, flags.desiredMap ?? []),
    commandTable: reader.optional('--command-table', flags.commandTable),
  }
  if (flags.prefix !== undefined && !PREFIX.test(flags.prefix))
    faults.push(
      `--prefix: found "${flags.prefix}", expected at most 64 letters, digits or one of . _ -`,
    )
  refuse(faults)
  return request
}

/** @throws SetupError where there is a fault */
export function refuse(faults: readonly string[]): void {
  if (faults.length === 0) return
  const [first = ''] = faults
  if (faults.length === 1) throw new SetupError(`${first}\n  Nothing was changed.`)
  throw new SetupError(
    `${faults.length} faults; nothing was changed:\n${faults.map((fault) => `  ${fault}`).join('\n')}`,
  )
}

class Reader {
  readonly #faults: string[]

  constructor(faults: string[]) {
    this.#faults = faults
  }

  required(flag: string, text: string | undefined): Name {
    if (text === undefined || text.trim() === '') {
      this.#faults.push(`${flag} is missing: ${MEANINGS[flag] ?? ''}.`)
      return []
    }
    return this.optional(flag, text) ?? []
  }

  optional(flag: string, text: string | undefined): Name | null {
    if (text === undefined) return null
    const name = parseName(text)
    if (name !== null && name.length <= 2) return name
    this.#faults.push(
      `${flag}: found "${text}", expected a name like ${EXAMPLES[flag] ?? 'title'}.`,
    )
    return null
  }

  labels(texts: readonly string[]): Readonly<Record<string, Name>> {
    const labels: Record<string, Name> = {}
    for (const text of texts) {
      const at = text.indexOf('=')
      const [label, column] = [text.slice(0, Math.max(0, at)).trim(), text.slice(at + 1)]
      if (label === '' || label.length > MAX_LABEL_NAME || column.trim() === '')
        this.#faults.push(
          `--label: found "${text}", expected label=column, with a label of at most ${MAX_LABEL_NAME} characters.`,
        )
      else if (Object.hasOwn(labels, label))
        this.#faults.push(`--label: "${label}" is there twice; leave one out.`)
      else labels[label] = this.optional(`--label ${label}`, column) ?? []
    }
    if (texts.length > MAX_LABELS) this.#faults.push(`--label: expected ${MAX_LABELS} at most.`)
    return labels
  }

  desired(column: string | undefined, texts: readonly string[]): DesiredRequest | null {
    if (column === undefined) {
      if (texts.length > 0)
        this.#faults.push(
          '--desired-map: --desired is missing: the column into which a click is written.',
        )
      return null
    }
    const name = this.optional('--desired', column)
    const words = parseDesiredMap(texts, this.#faults)
    return name === null || words === null ? null : { column: name, words }
  }

  join(text: string): JoinRequest[] {
    const [, table = '', alias = '', on = ''] = JOIN.exec(text) ?? []
    const name = parseName(table)
    if (name !== null && clause('--join', on, this.#faults) !== null)
      return [{ table: name, alias: alias.toLowerCase(), on: on.trim() }]
    this.#faults.push(
      `--join: found "${text}", expected a table, an alias and a condition, like "sites s on s.id = t.site_id".`,
    )
    return []
  }
}

const MEANINGS: Readonly<Record<string, string>> = {
  '--table': 'the table whose rows are connections',
  '--id': 'the column that identifies a row',
  '--site': 'the column with the site of a row, as tokens name it',
  '--name': 'the column with the name that cards show',
  '--status': 'the column with the status',
}

const EXAMPLES: Readonly<Record<string, string>> = {
  '--table': 'mqtt_mqttconnection or shop.connections',
  '--id': 'id',
  '--desired': 'enabled',
  '--command-table': 'mqtt_commands or shop.commands',
}

/** SQL of the operator, who may do all that it does; one clause, so that a slip shows here and not in a function. */
function clause(flag: string, text: string | undefined, faults: string[]): string | null {
  if (text === undefined) return null
  if (text.trim() === '') faults.push(`${flag}: found nothing, expected a condition.`)
  if (text.includes(';') || text.includes('--') || text.includes('/*'))
    faults.push(`${flag}: found "${text}", expected one condition without ; and comments.`)
  return text.trim()
}

function parseMap(texts: readonly string[], faults: string[]): Readonly<Record<string, Status>> {
  const map: Record<string, Status> = {}
  for (const text of texts) {
    const at = text.lastIndexOf('=')
    const [word, meaning] = [text.slice(0, Math.max(0, at)), text.slice(at + 1).trim()]
    const status = STATUSES.find((known) => known === meaning)
    if (at < 0 || status === undefined)
      faults.push(
        `--map: found "${text}", expected word=status, where status is one of ${STATUSES.join(', ')}.`,
      )
    else if (Object.hasOwn(map, word) && map[word] !== status)
      faults.push(`--map: "${word}" means ${map[word] ?? ''} and ${status}; leave one out.`)
    else map[word] = status
  }
  return map
}

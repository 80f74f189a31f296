/**
 * The settings of a connection: one row each. Types, lists of names, SQL, columns of CSV files, checks and defaults are
 * derived from this table. A new setting takes a row here, a migration that adds the column (and, for a dial setting,
 * names it in the trigger `connections_1_dial`), and a line in docs/mqtt.md.
 */
import { DESIRED } from '@mqtt-status/protocol'
import type { Desired } from '@mqtt-status/protocol'
import * as v from 'valibot'
import * as is from './schemas.ts'
import type { Protocol } from './transport-protocols.ts'
import type { Availability, Schema, Sparkplug, TlsSettings } from './schemas.ts'

/** What the rooms know of one setting. */
export interface SettingRow {
  readonly column: string
  readonly type: 'text' | 'integer' | 'boolean' | 'jsonb'
  /** Whether it says what to dial. The server checks dial settings together, and a change of one raises the generation. */
  readonly dial: boolean
  /** A new connection can't be without it. */
  readonly required?: true
  /** What a new connection has. `null` in the row of a dial setting means its default, which the schema fills in. */
  readonly initial: unknown
  readonly schema: Schema<unknown>
  /** How a JSON value stands in a CSV file: as words in one cell, in a column for each member, or in one for any member. */
  readonly csv?: 'words' | 'any member' | readonly string[]
}

/* eslint-disable @typescript-eslint/no-unnecessary-type-assertion -- isolatedDeclarations takes the types of calls from them */
const SETTINGS = {
  siteId: {
    column: 'site_id',
    type: 'text',
    dial: false,
    required: true,
    initial: '',
    schema: is.line(128) as Schema<string>,
  },
  name: {
    column: 'name',
    type: 'text',
    dial: false,
    required: true,
    initial: '',
    schema: is.line(200) as Schema<string>,
  },
  labels: {
    column: 'labels',
    type: 'jsonb',
    dial: false,
    initial: {},
    schema: is.labels as Schema<Readonly<Record<string, string>>>,
    csv: 'any member',
  },
  managed: {
    column: 'managed',
    type: 'boolean',
    dial: false,
    initial: true,
    schema: v.boolean('expected true or false') as Schema<boolean>,
  },
  /** `null`: an observed row whose writer has no such notion. */
  desired: {
    column: 'desired',
    type: 'text',
    dial: false,
    initial: 'disconnected',
    schema: v.nullable(
      v.picklist(DESIRED, 'expected connected or disconnected'),
    ) as Schema<Desired | null>,
  },
  protocol: {
    column: 'protocol',
    type: 'text',
    dial: true,
    initial: 'mqtt',
    schema: is.protocol as Schema<Protocol>,
  },
  host: {
    column: 'host',
    type: 'text',
    dial: true,
    initial: null,
    schema: is.host as Schema<string>,
  },
  /** Default: see {@link TRANSPORT_PROTOCOLS}. */
  port: {
    column: 'port',
    type: 'integer',
    dial: true,
    initial: null,
    schema: v.nullable(is.whole(1, 65_535)) as Schema<number | null>,
  },
  /** Of the WebSocket. Most brokers serve MQTT at the default; Mosquitto answers at any path. */
  path: {
    column: 'path',
    type: 'text',
    dial: true,
    initial: null,
    schema: v.nullable(is.path, '/mqtt') as Schema<string>,
  },
  /** 4 = MQTT 3.1.1, which every broker speaks; MQTT.js does not fall back from 5. */
  protocolVersion: {
    column: 'protocol_version',
    type: 'integer',
    dial: true,
    initial: null,
    schema: v.nullable(v.picklist([4, 5], 'expected 4 (MQTT 3.1.1) or 5'), 4) as Schema<4 | 5>,
  },
  /** Default: one that the server makes from the id of the connection. */
  clientId: {
    column: 'client_id',
    type: 'text',
    dial: true,
    initial: null,
    schema: v.nullable(is.someText) as Schema<string | null>,
  },
  username: {
    column: 'username',
    type: 'text',
    dial: true,
    initial: null,
    schema: v.nullable(is.text) as Schema<string | null>,
  },
  /** A session ends 1.5 times this after its broker went silent. */
  keepaliveS: {
    column: 'keepalive_s',
    type: 'integer',
    dial: true,
    initial: null,
    schema: v.nullable(is.whole(1, 65_535), 30) as Schema<number>,
  },
  tls: {
    column: 'tls',
    type: 'jsonb',
    dial: true,
    initial: null,
    schema: v.nullable(is.tls, {}) as Schema<TlsSettings>,
    csv: ['ca', 'cert', 'servername'],
  },
  topics: {
    column: 'topics',
    type: 'jsonb',
    dial: true,
    initial: null,
    schema: v.nullable(is.topics, []) as Schema<readonly string[]>,
    csv: 'words',
  },
  availability: {
    column: 'availability',
    type: 'jsonb',
    dial: true,
    initial: null,
    schema: v.nullable(is.availability) as Schema<Availability | null>,
    csv: ['topic', 'online', 'offline'],
  },
  sparkplug: {
    column: 'sparkplug',
    type: 'jsonb',
    dial: true,
    initial: null,
    schema: v.nullable(is.sparkplug) as Schema<Sparkplug | null>,
    csv: ['group', 'node', 'device'],
  },
  /** A device that was silent for three times this long is stale. */
  expectedIntervalS: {
    column: 'expected_interval_s',
    type: 'integer',
    dial: true,
    initial: null,
    schema: v.nullable(is.whole(1, 31_536_000), 300) as Schema<number>,
  },
} as const
/* eslint-enable @typescript-eslint/no-unnecessary-type-assertion */

export type SettingName = keyof typeof SETTINGS
type Names<Dial extends boolean> = {
  [K in SettingName]: (typeof SETTINGS)[K]['dial'] extends Dial ? K : never
}[SettingName]
type GeneralName = Names<false>
export type DialName = Names<true>

type Checked<K extends SettingName> = {
  readonly [N in K]: v.InferOutput<(typeof SETTINGS)[N]['schema']>
}

export type GeneralSettings = Checked<GeneralName>

/** What to dial, as it is stored: unchecked, because any program may have written the row. `null` = not set. */
export type StoredDial = { readonly [K in DialName]: unknown }

/** What to dial, checked, with its defaults; without secrets, and where `port` is null, that of the protocol. */
export type CheckedDial = Checked<DialName>

/** All settings as they are stored. */
export type Settings = GeneralSettings & StoredDial

/** A dial setting that a draft names as a whole; of `tls` a draft may name single members. */
export type DialField = Exclude<DialName, 'tls'>
export type TlsMember = (typeof SETTINGS)['tls']['csv'][number]
export type SecretField = (typeof SECRET_FIELDS)[number]

/** The table with rows of one type. */
export const SETTING_ROWS: Readonly<Record<SettingName, SettingRow>> = SETTINGS

export const SETTING_NAMES: readonly SettingName[] = Object.keys(SETTINGS) as SettingName[]
export const GENERAL_NAMES: readonly GeneralName[] = SETTING_NAMES.filter(isGeneral)
export const DIAL_NAMES: readonly DialName[] = SETTING_NAMES.filter(isDial)
export const DIAL_FIELDS: readonly DialField[] = DIAL_NAMES.filter((name) => name !== 'tls')
export const REQUIRED_NAMES: readonly GeneralName[] = GENERAL_NAMES.filter(
  (name) => SETTING_ROWS[name].required === true,
)
export const TLS_MEMBERS: readonly TlsMember[] = SETTINGS.tls.csv

/** Settings that are encrypted in a table of their own and never leave the server. Their names are those of that table. */
export const SECRET_FIELDS = ['password', 'tls.key'] as const

/** The settings of a new connection that its creator has not named. */
export const INITIAL_SETTINGS: Settings = column('initial')

/** The same, of what to dial alone. */
export const INITIAL_DIAL: StoredDial = pick(DIAL_NAMES, INITIAL_SETTINGS)

/** The check of each dial setting. */
export const DIAL_SCHEMAS: Pick<Column<'schema'>, DialName> = pick(DIAL_NAMES, column('schema'))

/** These settings of an object that may have more. */
export function pick<K extends SettingName, T extends Readonly<Record<K, unknown>>>(
  names: readonly K[],
  from: T,
): Pick<T, K> {
  // Every name is there, because `names` lists them all.
  return Object.fromEntries(names.map((name) => [name, from[name]])) as Pick<T, K>
}

type Column<P extends 'initial' | 'schema'> = {
  readonly [K in SettingName]: (typeof SETTINGS)[K][P]
}

function column<P extends 'initial' | 'schema'>(property: P): Column<P> {
  const cells = SETTING_NAMES.map((name) => [name, SETTINGS[name][property]])
  return Object.fromEntries(cells) as Column<P>
}

function isGeneral(name: SettingName): name is GeneralName {
  return !SETTINGS[name].dial
}

function isDial(name: SettingName): name is DialName {
  return SETTINGS[name].dial
}

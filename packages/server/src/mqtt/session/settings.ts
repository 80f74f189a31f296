/** What to dial, checked: anybody may have written the row, and MQTT.js takes impossible options in silence. */
import { isIP } from 'node:net'
import * as v from 'valibot'
import type { FaultCode, FieldFault } from './field-fault.ts'
import { clean } from '../reasons/reasons.ts'
import type { Failure } from '../reasons/failure.ts'
import { tlsFaults, tlsSchema, withKey } from './tls-settings.ts'
import type { TlsSettings } from './tls-settings.ts'

export type { FaultCode, FieldFault } from './field-fault.ts'

/** As stored, unchecked; what is not set is null. Nothing in it is secret but a key that was written there by hand. */
export interface StoredSettings {
  readonly protocol: unknown
  readonly host: unknown
  readonly port: unknown
  /** Of the WebSocket. */
  readonly path: unknown
  readonly protocolVersion: unknown
  readonly clientId: unknown
  readonly username: unknown
  readonly keepaliveS: unknown
  readonly tls: unknown
  readonly topics: unknown
  readonly availability: unknown
  readonly sparkplug: unknown
  readonly expectedIntervalS: unknown
}

/** What is kept apart from the row, decrypted; never part of a log, a reply or an error. */
export interface Secrets {
  readonly password?: string
  /** The private key of the client certificate, in PEM form; wins over `tls.key` of the row. */
  readonly tlsKey?: string
}

/** Where a device says itself whether it is there: its birth message and its last will. */
export interface Availability {
  readonly topic: string
  readonly online: string
  readonly offline: string
}

/** An edge node, or one device behind it, in Sparkplug B. */
export interface Sparkplug {
  readonly group: string
  readonly node: string
  readonly device: string | null
}

export type Protocol = (typeof PROTOCOLS)[number]

export interface DialSettings {
  readonly protocol: Protocol
  readonly host: string
  readonly port: number
  /** Only of use with ws and wss. */
  readonly path: string
  /** 4 = MQTT 3.1.1, 5 = MQTT 5. */
  readonly protocolVersion: 4 | 5
  /** `null`: one that is made from the connection's id. */
  readonly clientId: string | null
  readonly username: string | null
  readonly password: string | null
  readonly keepaliveS: number
  readonly tls: TlsSettings
  readonly topics: readonly string[]
  readonly availability: Availability | null
  readonly sparkplug: Sparkplug | null
  /** A device that was silent for three times this long is stale. */
  readonly expectedIntervalS: number
}

export type Validation =
  | { readonly ok: true; readonly settings: DialSettings }
  | { readonly ok: false; readonly faults: readonly FieldFault[] }

const PROTOCOLS = ['mqtt', 'mqtts', 'ws', 'wss'] as const
/** Those of the registered schemes. */
const DEFAULT_PORT: Readonly<Record<Protocol, number>> = {
  mqtt: 1883,
  mqtts: 8883,
  ws: 80,
  wss: 443,
}
/** Where most brokers serve MQTT; Mosquitto answers at any path. */
const DEFAULT_PATH = '/mqtt'
/** A lost peer is noticed after 1.5 times this. */
const DEFAULT_KEEPALIVE_S = 30
const DEFAULT_INTERVAL_S = 300
const MAX_INTERVAL_S = 31_536_000
const MAX_TOPICS = 20

/** MQTT 5, 1.5.4: no NUL; at most 65,535 bytes. */
const text = v.pipe(
  v.string('expected a text'),
  v.maxBytes(65_535, 'expected 65,535 bytes at most'),
  v.check((value) => !value.includes('\0'), 'expected no NUL character'),
)

function whole(min: number, max: number): v.GenericSchema<unknown, number> {
  const expected = `expected a whole number from ${min} to ${max}`
  return v.pipe(
    v.number(expected),
    v.integer(expected),
    v.minValue(min, expected),
    v.maxValue(max, expected),
  )
}

/** MQTT 5, 4.7: "#" only at the end, "+" and "#" only as whole levels. */
function isTopicFilter(filter: string): boolean {
  const levels = filter.split('/')
  return (
    filter !== '' &&
    levels.every(
      (level, i) =>
        !/[+#]/.test(level) || level === '+' || (level === '#' && i === levels.length - 1),
    )
  )
}

function isHost(host: string): boolean {
  return isIP(host.replace(/^\[(.*)\]$/, '$1')) !== 0 || /^[^\s/@:?#[\]\\%]{1,253}$/.test(host)
}

const payload = v.nullish(v.pipe(text, v.nonEmpty('expected at least one character')))
const level = v.pipe(
  text,
  v.regex(/^[^/+#]+$/, 'expected one level of a topic, without "/", "+" and "#"'),
)

const availabilitySchema = v.strictObject({
  topic: v.pipe(text, v.regex(/^[^+#]+$/, 'expected one topic, without "+" and "#"')),
  online: payload,
  offline: payload,
})

const sparkplugSchema = v.strictObject({ group: level, node: level, device: v.nullish(level) })

const schema = v.object({
  protocol: v.picklist(PROTOCOLS, 'expected mqtt, mqtts, ws or wss'),
  host: v.pipe(text, v.check(isHost, 'expected a host name or an address, without a port')),
  port: v.nullable(whole(1, 65_535)),
  path: v.nullable(
    v.pipe(text, v.regex(/^\/[!-~]*$/, 'expected a path like /mqtt, without spaces')),
  ),
  protocolVersion: v.nullable(v.picklist([4, 5], 'expected 4 (MQTT 3.1.1) or 5')),
  clientId: v.nullable(v.pipe(text, v.nonEmpty('expected at least one character'))),
  username: v.nullable(text),
  keepaliveS: v.nullable(whole(1, 65_535)),
  tls: v.nullable(tlsSchema),
  topics: v.nullable(
    v.pipe(
      v.array(
        v.pipe(text, v.check(isTopicFilter, 'expected a topic filter like plant/7/#')),
        'expected a list of topics',
      ),
      v.maxLength(MAX_TOPICS, `expected ${MAX_TOPICS} topics at most`),
    ),
  ),
  availability: v.nullable(availabilitySchema),
  sparkplug: v.nullable(sparkplugSchema),
  expectedIntervalS: v.nullable(whole(1, MAX_INTERVAL_S)),
  password: v.nullable(text),
  tlsKey: v.nullable(text),
})

type Parsed = v.InferOutput<typeof schema>

/**
 * Checks settings as they are stored, together with the secrets that are kept apart from them.
 *
 * @returns the settings with their defaults, or one fault for each field that is wrong
 */
export function validateSettings(stored: StoredSettings, secrets: Secrets = {}): Validation {
  const { password = null, tlsKey = null } = secrets
  const parsed = v.safeParse(schema, { ...stored, password, tlsKey })
  const faults = parsed.success ? together(parsed.output) : firstPerField(parsed.issues)
  if (!parsed.success || faults.length > 0) return { ok: false, faults }
  return { ok: true, settings: withDefaults(parsed.output) }
}

/** As {@link validateSettings}; what is wrong is `config_invalid`, with a detail that names the fields. */
export function checkSettings(
  stored: StoredSettings,
  secrets: Secrets = {},
): DialSettings | Failure {
  const result = validateSettings(stored, secrets)
  if (result.ok) return result.settings
  const detail = result.faults.map(({ field, message }) => `${field}: ${message}`).join('; ')
  return { reason: 'config_invalid', detail: clean(detail), code: null }
}

/** What only shows when the settings are seen together. */
function together(parsed: Parsed): FieldFault[] {
  const { protocol, protocolVersion, username, password, availability } = parsed
  const faults = tlsFaults(isSecure(protocol), parsed.tls ?? {}, parsed.tlsKey)
  if (password !== null && username === null && protocolVersion !== 5) {
    faults.push(conflict('password', 'expected a username too: MQTT 3.1.1 sends none without it'))
  }
  if (availability !== null && onlineOf(availability) === offlineOf(availability)) {
    faults.push(conflict('availability.offline', 'expected another text than that of online'))
  }
  return faults
}

function withDefaults(parsed: Parsed): DialSettings {
  const { protocol, clientId, username, password, availability, sparkplug } = parsed
  return {
    protocol,
    host: parsed.host,
    port: parsed.port ?? DEFAULT_PORT[protocol],
    path: parsed.path ?? DEFAULT_PATH,
    // Every broker speaks 3.1.1, and MQTT.js does not fall back from 5.
    protocolVersion: parsed.protocolVersion ?? 4,
    clientId,
    username,
    password,
    keepaliveS: parsed.keepaliveS ?? DEFAULT_KEEPALIVE_S,
    tls: withKey(parsed.tls ?? {}, parsed.tlsKey),
    topics: parsed.topics ?? [],
    availability: availability && {
      topic: availability.topic,
      online: onlineOf(availability),
      offline: offlineOf(availability),
    },
    sparkplug: sparkplug && { ...sparkplug, device: sparkplug.device ?? null },
    expectedIntervalS: parsed.expectedIntervalS ?? DEFAULT_INTERVAL_S,
  }
}

/** Whether what is said to the broker is encrypted. */
function isSecure(protocol: Protocol): boolean {
  return protocol === 'mqtts' || protocol === 'wss'
}

function onlineOf({ online }: v.InferOutput<typeof availabilitySchema>): string {
  return online ?? 'online'
}

function offlineOf({ offline }: v.InferOutput<typeof availabilitySchema>): string {
  return offline ?? 'offline'
}

function conflict(field: string, message: string): FieldFault {
  return { field, code: 'conflict', message }
}

const CODES: Readonly<Record<string, FaultCode>> = {
  picklist: 'choice',
  number: 'type',
  string: 'type',
  array: 'type',
  integer: 'range',
  min_value: 'range',
  max_value: 'range',
  max_bytes: 'too_long',
  max_length: 'too_many',
}

function firstPerField(issues: readonly v.BaseIssue<unknown>[]): FieldFault[] {
  const faults = new Map<string, FieldFault>()
  for (const issue of issues) {
    const field = v.getDotPath(issue) ?? 'row'
    if (!faults.has(field)) faults.set(field, { field, ...describe(issue) })
  }
  return [...faults.values()]
}

function describe(issue: v.BaseIssue<unknown>): Omit<FieldFault, 'field'> {
  const absent = issue.received === 'null' || issue.received === 'undefined'
  if (issue.type === 'strict_object') {
    if (issue.expected === 'Object') return { code: 'type', message: 'expected an object' }
    return issue.expected === 'never'
      ? { code: 'unknown_field', message: 'expected no such field' }
      : { code: 'required', message: 'expected a value' }
  }
  return { code: absent ? 'required' : (CODES[issue.type] ?? 'format'), message: issue.message }
}

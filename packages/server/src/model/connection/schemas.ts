/** What each setting may be. The message of a schema says what it expects. */
import { X509Certificate, createPrivateKey } from 'node:crypto'
import { isIP } from 'node:net'
import * as v from 'valibot'
import { protocolNames, PROTOCOLS } from './transport-protocols.ts'
import type { Protocol } from './transport-protocols.ts'

/** Reads a value that anyone may have written. */
export type Schema<T> = v.GenericSchema<unknown, T>

/** Where a device announces its own state: in its birth message and in its last will. */
export interface Availability {
  readonly topic: string
  readonly online: string
  readonly offline: string
}

/** An edge node of Sparkplug B, or one device behind it. */
export interface Sparkplug {
  readonly group: string
  readonly node: string
  readonly device: string | null
}

export interface TlsSettings {
  readonly ca?: string | undefined
  readonly cert?: string | undefined
  readonly key?: string | undefined
  /** The name that the certificate must be for. @default the host */
  readonly servername?: string | undefined
}

const MAX_LABELS = 64
const MAX_TOPICS = 20
const NOT_EMPTY = 'expected at least one character'

/** MQTT 5, 1.5.4: no NUL, and at most 65,535 bytes. */
export const text: Schema<string> = v.pipe(
  v.string('expected a text'),
  v.maxBytes(65_535, 'expected 65,535 bytes at most'),
  v.check((value) => !value.includes('\0'), 'expected no NUL character'),
)

export const someText: Schema<string> = v.pipe(text, v.nonEmpty(NOT_EMPTY))

/** One line of text, without the spaces around it. */
export function line(max: number): Schema<string> {
  const expected = `expected 1 to ${max} characters, without line breaks`
  return v.pipe(
    v.string('expected a text'),
    v.trim(),
    v.nonEmpty(expected),
    v.maxLength(max, expected),
    v.check((value) => !/\p{Cc}/u.test(value), expected),
  )
}

export function whole(min: number, max: number): Schema<number> {
  const expected = `expected a whole number from ${min} to ${max}`
  return v.pipe(
    v.number(expected),
    v.integer(expected),
    v.minValue(min, expected),
    v.maxValue(max, expected),
  )
}

export const labels: Schema<Readonly<Record<string, string>>> = v.pipe(
  v.custom<Readonly<Record<string, unknown>>>(isObject, 'expected an object of texts'),
  v.record(
    v.pipe(v.string(), v.maxLength(64, 'expected names of at most 64 characters')),
    v.pipe(
      v.string('expected a text'),
      v.maxLength(256, 'expected values of at most 256 characters'),
    ),
  ),
  v.maxEntries(MAX_LABELS, `expected ${MAX_LABELS} labels at most`),
)

export const protocol: Schema<Protocol> = v.picklist(PROTOCOLS, `expected ${protocolNames()}`)

export const host: Schema<string> = v.pipe(
  text,
  v.check(isHost, 'expected a host name or an address, without a port'),
)

export const path: Schema<string> = v.pipe(
  text,
  v.regex(/^\/[!-~]*$/, 'expected a path like /mqtt, without spaces'),
)

export const topics: Schema<readonly string[]> = v.pipe(
  v.array(
    v.pipe(text, v.check(isTopicFilter, 'expected a topic filter like plant/7/#')),
    'expected a list of topics',
  ),
  v.maxLength(MAX_TOPICS, `expected ${MAX_TOPICS} topics at most`),
)

export const availability: Schema<Availability> = v.strictObject({
  topic: v.pipe(text, v.regex(/^[^+#]+$/, 'expected one topic, without "+" and "#"')),
  online: v.nullish(someText, 'online'),
  offline: v.nullish(someText, 'offline'),
})

const level = v.pipe(
  text,
  v.regex(/^[^/+#]+$/, 'expected one level of a topic, without "/", "+" and "#"'),
)

export const sparkplug: Schema<Sparkplug> = v.strictObject({
  group: level,
  node: level,
  device: v.nullish(level, null),
})

const pem = v.pipe(
  v.string('expected a text'),
  v.check(
    (value) => readable(() => new X509Certificate(value)),
    'expected a certificate in PEM form',
  ),
)

export const keyPem: Schema<string> = v.pipe(
  v.string('expected a text'),
  v.check(
    (value) => readable(() => createPrivateKey(value)),
    'expected a private key in PEM form, not encrypted',
  ),
)

/** Unknown members are refused: the server would dial without the certificate of a misspelt one. */
export const tls: Schema<TlsSettings> = v.strictObject({
  ca: v.optional(pem),
  cert: v.optional(pem),
  key: v.optional(keyPem),
  servername: v.optional(
    v.pipe(
      v.string('expected a text'),
      v.regex(/^[^\s/@:\0]{1,253}$/, 'expected the name in the certificate'),
    ),
  ),
})

function isHost(value: string): boolean {
  return isIP(value.replace(/^\[(.*)\]$/, '$1')) !== 0 || /^[^\s/@:?#[\]\\%]{1,253}$/.test(value)
}

/** MQTT 5, 4.7: "#" only at the end, "+" and "#" only as whole levels. */
function isTopicFilter(filter: string): boolean {
  const levels = filter.split('/')
  return (
    filter !== '' &&
    levels.every(
      (part, i) => !/[+#]/.test(part) || part === '+' || (part === '#' && i === levels.length - 1),
    )
  )
}

/** Whether the value is an object with members, not `null` and not a list. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function readable(read: () => unknown): boolean {
  try {
    read()
    return true
  } catch {
    return false
  }
}

/** What to dial, checked: anybody may have written the row, and MQTT.js takes impossible options in silence. */
import { X509Certificate, createPrivateKey } from 'node:crypto'
import * as v from 'valibot'
import { clean } from './reasons.ts'
import type { Failure } from './session-state.ts'

/** As stored, unchecked; what is not set is null. */
export interface StoredSettings {
  readonly protocol: unknown
  readonly host: unknown
  readonly port: unknown
  readonly path: unknown
  readonly protocolVersion: unknown
  readonly clientId: unknown
  readonly username: unknown
  readonly keepaliveS: unknown
  readonly tls: unknown
  readonly topics: unknown
}

export interface TlsSettings {
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  /** The name that the certificate must be for. @default the host */
  readonly servername?: string
}

export interface DialSettings {
  readonly protocol: 'mqtt' | 'mqtts'
  readonly host: string
  readonly port: number
  /** 4 = MQTT 3.1.1, 5 = MQTT 5. */
  readonly protocolVersion: 4 | 5
  readonly clientId: string
  readonly username: string | null
  readonly keepaliveS: number
  readonly tls: TlsSettings
  readonly topics: readonly string[]
}

const DEFAULT_PORT = { mqtt: 1883, mqtts: 8883 }
/** A lost peer is noticed after 1.5 times this. */
const DEFAULT_KEEPALIVE_S = 30
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

const pem = v.pipe(
  text,
  v.check(
    (value) => readable(() => new X509Certificate(value)),
    'expected a certificate in PEM form',
  ),
)
const keyPem = v.pipe(
  text,
  v.check((value) => readable(() => createPrivateKey(value)), 'expected a private key in PEM form'),
)

const tlsSchema = v.object({
  ca: v.optional(pem),
  cert: v.optional(pem),
  key: v.optional(keyPem),
  servername: v.optional(text),
})

const schema = v.object({
  protocol: v.picklist(
    ['mqtt', 'mqtts'],
    'expected mqtt or mqtts (ws and wss are not supported yet)',
  ),
  host: v.pipe(
    text,
    v.regex(/^[^\s/@]{1,255}$/, 'expected a host name or an address, without a port'),
  ),
  port: v.nullable(whole(1, 65_535)),
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
})

/** @returns the settings with their defaults, or `config_invalid` with a detail that names the field */
export function checkSettings(
  stored: StoredSettings,
  defaultClientId: string,
): DialSettings | Failure {
  const parsed = v.safeParse(schema, stored)
  if (!parsed.success)
    return invalid(
      parsed.issues.map((issue) => `${v.getDotPath(issue) ?? 'row'}: ${issue.message}`),
    )
  const { protocol, host, port, protocolVersion, clientId, username, keepaliveS, tls, topics } =
    parsed.output
  const fault = tlsFault(protocol, tls ?? {})
  if (fault !== null) return invalid([fault])
  return {
    protocol,
    host,
    port: port ?? DEFAULT_PORT[protocol],
    // Every broker speaks 3.1.1, and MQTT.js does not fall back from 5.
    protocolVersion: protocolVersion ?? 4,
    clientId: clientId ?? defaultClientId,
    username,
    keepaliveS: keepaliveS ?? DEFAULT_KEEPALIVE_S,
    tls: dropUndefined(tls ?? {}),
    topics: topics ?? [],
  }
}

/** What only shows when the settings are seen together. */
function tlsFault(protocol: string, { cert, key }: v.InferOutput<typeof tlsSchema>): string | null {
  if (cert === undefined && key === undefined) return null
  if (protocol === 'mqtt')
    return 'tls: expected protocol mqtts; with plain mqtt a certificate would be of no use'
  if (cert === undefined || key === undefined) return 'tls: expected both cert and key, or neither'
  return belongTogether(cert, key) ? null : 'tls: the key does not belong to the certificate'
}

function invalid(faults: readonly string[]): Failure {
  return { reason: 'config_invalid', detail: clean(faults.join('; ')), code: null }
}

function readable(read: () => unknown): boolean {
  try {
    read()
    return true
  } catch {
    return false
  }
}

function belongTogether(cert: string, key: string): boolean {
  return new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))
}

function dropUndefined(tls: v.InferOutput<typeof tlsSchema>): TlsSettings {
  return Object.fromEntries(Object.entries(tls).filter(([, value]) => value !== undefined))
}

/** The schemas of settings, each with the words for a value that it refuses. */
import { createSecretKey } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'
import * as v from 'valibot'
import { parseAddress } from './connection-string/address.ts'
import type { PostgresAddress } from './connection-string/address.ts'
import { ConnectionStringFault } from './connection-string/fault.ts'
import { formatDuration, parseDuration } from './duration.ts'

/** A port, or an inclusive range of ports. */
export type PortRange = number | readonly [from: number, to: number]

/** A key that secrets are encrypted with, and the name that stored secrets refer to. */
export interface SecretKey {
  readonly id: string
  /** 256 bits; an object, so that no log and no JSON contains them. */
  readonly key: KeyObject
}

/** A whole number in a range. */
export function whole(min: number, max: number): v.GenericSchema<string, number> {
  const expected = `a whole number from ${min} to ${max}`
  return v.pipe(
    v.string(`expected ${expected}`),
    v.regex(/^\d+$/, `expected ${expected}`),
    v.transform(Number),
    v.minValue(min, `expected ${expected}`),
    v.maxValue(max, `expected ${expected}`),
  )
}

/** One of two words; the first means `true`. */
export function either(yes: string, no: string): v.GenericSchema<string, boolean> {
  return v.pipe(
    v.picklist([yes, no], `expected ${yes} or ${no}`),
    v.transform((text) => text === yes),
  )
}

/** One of a few words. */
export function word<const Word extends string>(
  words: readonly Word[],
): v.GenericSchema<string, Word> {
  const expected = `expected ${words.slice(0, -1).join(', ')} or ${words.at(-1) ?? ''}`
  return v.picklist(words, expected)
}

/** Ten years: a token that is valid for longer is no better than a password. */
export const LONGEST_TTL_S: number = 3_650 * 86_400

/** A duration like `30m`, `12h` or `7d`, in seconds. */
export function duration(maxS: number): v.GenericSchema<string, number> {
  const expected = `expected a duration like 30m, 12h or 7d, ${formatDuration(maxS)} at most`
  return v.pipe(
    v.string(expected),
    v.transform((text) => parseDuration(text) ?? Number.NaN),
    v.number(expected),
    v.maxValue(maxS, expected),
  )
}

/** Items separated by commas. */
export const list: v.GenericSchema<string | undefined, string[]> = v.pipe(
  v.optional(v.string(), ''),
  v.transform((text) =>
    text
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== ''),
  ),
)

/** A path; a slash is added at its end. */
export const basePath: v.GenericSchema<string, string> = v.pipe(
  v.string(),
  v.regex(/^\/[\w\-./~]*$/, 'expected a path like /mqtt-status/'),
  v.transform((path) => (path.endsWith('/') ? path : `${path}/`)),
)

/** The secret that signs tokens. */
export const sharedSecret: v.GenericSchema<string, string> = v.pipe(
  v.string(),
  v.check(
    (secret) => Buffer.byteLength(secret) >= 32,
    'expected 32 bytes or more (RFC 7518, 3.2), for example from "openssl rand -base64 48"',
  ),
)

/** The literal name of a schema; Postgres reserves names that begin with `pg_`. */
export const schemaName: v.GenericSchema<string, string> = v.pipe(
  v.string(),
  v.check(
    (text) =>
      /^[\p{L}_][\p{L}\p{N}_$-]*$/u.test(text) &&
      Buffer.byteLength(text) <= 63 &&
      !/^(pg_|information_schema$)/.test(text),
    'expected the name of a schema without quotes or dots, at most 63 bytes, not beginning with pg_',
  ),
)

/** A connection string; faults name what to write instead, and quote no part that may be a secret. */
export const connectionString: v.GenericSchema<string, PostgresAddress> = v.pipe(
  v.string(
    'is not set: expected an address like postgres://user:password@host:5432/database (or run "mqtt-status demo", which brings its own Postgres)',
  ),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    try {
      const address = parseAddress(dataset.value)
      if (address.schema === null || v.safeParse(schemaName, address.schema).success) return address
      addIssue({
        message: `the server takes no schema of the name "${address.schema}"; leave it out of the address, and set DATABASE_SCHEMA`,
      })
    } catch (error) {
      if (!(error instanceof ConnectionStringFault)) throw error
      addIssue({ message: error.message })
    }
    return NEVER
  }),
)

/** Address ranges in CIDR notation; an address alone is a range of one. */
export const cidrs: v.GenericSchema<string | undefined, string[]> = v.pipe(
  list,
  v.mapItems((item) => (isIP(item) === 0 ? item : `${item}/${isIP(item) === 4 ? 32 : 128}`)),
  v.everyItem(
    (item) => ipaddr.isValidCIDR(item),
    'expected addresses or ranges like 192.0.2.7, 10.0.0.0/8 or fd00::/8',
  ),
)

/** Ports and ranges of ports. */
export const ports: v.GenericSchema<string | undefined, PortRange[]> = v.pipe(
  list,
  v.everyItem((item) => toPorts(item) !== null, 'expected ports and ranges like 1883,8000-8100'),
  v.transform((items) => items.map(toPorts).filter((range) => range !== null)),
)

/** Origins of pages, or `*`. */
export const origins: v.GenericSchema<string | undefined, string[] | '*'> = v.pipe(
  list,
  v.checkItems(
    (item) => item === '*' || isOrigin(item),
    ({ input }) => `expected ${originOf(input) ?? 'origins like https://portal.example.com, or *'}`,
  ),
  v.transform((items) => (items.includes('*') ? '*' : items.map((origin) => origin.toLowerCase()))),
)

const KEY_BYTES = 32

/** Keys as `id:base64`, separated by commas or white space. Faults name the position, and never quote the key. */
export const secretKeys: v.GenericSchema<string | undefined, SecretKey[]> = v.pipe(
  v.optional(v.string(), ''),
  v.rawTransform(({ dataset, addIssue }) => {
    const keys: SecretKey[] = []
    const items = dataset.value.split(/[\s,]+/).filter((item) => item !== '')
    for (const [index, item] of items.entries()) {
      const key = toSecretKey(item)
      const twice = typeof key !== 'string' && keys.some(({ id }) => id === key.id)
      if (typeof key === 'string') addIssue({ message: `key ${index + 1}: ${key}` })
      else if (twice) addIssue({ message: `key ${index + 1}: the name "${key.id}" is used twice` })
      else keys.push(key)
    }
    return keys
  }),
)

function toSecretKey(item: string): SecretKey | string {
  const [, id, base64] = /^([\w.-]{1,64}):(.*)$/.exec(item) ?? []
  if (id === undefined || base64 === undefined)
    return 'expected a name, a colon and 32 bytes in base64, as "mqtt-status secrets generate-key" prints it'
  // Node ignores characters that are not base64, so the result is encoded again and compared.
  const bytes = Buffer.from(base64, 'base64')
  const strict = bytes.toString('base64').replace(/=+$/, '') === base64.replace(/=+$/, '')
  if (!strict) return `"${id}" is not base64`
  if (bytes.length !== KEY_BYTES) return `"${id}" has ${bytes.length} bytes, expected ${KEY_BYTES}`
  return { id, key: createSecretKey(bytes) }
}

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text.toLowerCase()
}

/** What to write instead of an address with more than its origin, or with a port that browsers leave out. */
function originOf(text: string): string | null {
  const url = URL.parse(text)
  if (!url || !['http:', 'https:'].includes(url.protocol)) return null
  return `the origin alone, as browsers send it: ${url.origin}`
}

function toPorts(item: string): PortRange | null {
  const [, first, last] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(item) ?? []
  if (first === undefined) return null
  const from = Number(first)
  const to = last === undefined ? from : Number(last)
  if (from < 1 || to > 65535 || from > to) return null
  return from === to ? from : [from, to]
}

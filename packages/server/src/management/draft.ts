/**
 * What somebody sends to create or change a connection, checked as far as it can be checked by itself: names, types,
 * unknown fields. What to dial is passed on as it is; whether it can be dialled is only seen with all settings together.
 */
import type { Desired } from '@mqtt-status/protocol'
import * as v from 'valibot'
import { SECRET_FIELDS } from '../db/secrets/secrets.ts'
import type { SecretField } from '../db/secrets/secrets.ts'
import { StatusError } from '../errors.ts'
import { unstorable } from './storable.ts'

/** What is wrong with one field. */
export interface FieldFault {
  readonly field: string
  /** Stable, for programs. */
  readonly code: string
  /** Never repeats what was sent: it may be a secret in the wrong place. */
  readonly message: string
}

export const GENERAL_FIELDS = ['siteId', 'name', 'labels', 'managed', 'desired'] as const

export const DIAL_FIELDS = [
  'protocol',
  'host',
  'port',
  'path',
  'protocolVersion',
  'clientId',
  'username',
  'keepaliveS',
  'topics',
  'availability',
  'sparkplug',
  'expectedIntervalS',
] as const
export type DialField = (typeof DIAL_FIELDS)[number]

export const TLS_FIELDS = ['ca', 'cert', 'servername'] as const
type TlsField = (typeof TLS_FIELDS)[number]

/** Only the fields that were sent. */
export interface Draft {
  readonly id?: string
  readonly siteId?: string
  readonly name?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly managed?: boolean
  readonly desired?: Desired | null
  readonly dial: Readonly<Partial<Record<DialField, unknown>>>
  /** `null` takes everything away, a member that is `null` only that. */
  readonly tls?: Readonly<Partial<Record<TlsField, unknown>>> | null
  /** `null` deletes. */
  readonly secrets: Readonly<Partial<Record<SecretField, string | null>>>
}

export interface ParsedDraft {
  readonly draft: Draft
  readonly faults: readonly FieldFault[]
}

/** The words of the checks before a dial, for the same kinds of faults. */
const CODES: Readonly<Record<string, string>> = {
  string: 'type',
  boolean: 'type',
  custom: 'type',
  picklist: 'choice',
  max_length: 'too_long',
  max_bytes: 'too_long',
  max_entries: 'too_many',
}

/** What replies carry besides the settings: whoever sends a reply back, edited, means no harm. */
const READ_ONLY: ReadonlySet<string> = new Set([
  'generation',
  'createdAt',
  'updatedAt',
  'hasPassword',
  'passwordUpdatedAt',
  'passwordReference',
])
const TLS_READ_ONLY: ReadonlySet<string> = new Set([
  'hasKey',
  'keyUpdatedAt',
  'keyReference',
  'certificateExpiresAt',
])

const MAX_LABELS = 64
const SECRET_BYTES = 65_535
/** Enough to mend a body by; a hostile one has thousands. */
const MAX_UNKNOWN = 20

/** "." and ".." can't be written into a URL: they mean folders there. */
const id = v.pipe(
  v.string('expected a text'),
  v.regex(
    /^(?!\.{1,2}$)[A-Za-z0-9._~-]{1,128}$/,
    'expected 1 to 128 letters, digits or one of . _ ~ -',
  ),
)

function line(max: number): v.GenericSchema<unknown, string> {
  const expected = `expected 1 to ${max} characters, without line breaks`
  return v.pipe(
    v.string('expected a text'),
    v.trim(),
    v.nonEmpty(expected),
    v.maxLength(max, expected),
    v.check((text) => !/\p{Cc}/u.test(text), expected),
  )
}

const labels = v.pipe(
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

const secret = v.nullable(
  v.pipe(
    v.string('expected a text, or null to delete it'),
    v.nonEmpty('expected at least one character, or null to delete it'),
    v.maxBytes(SECRET_BYTES, `expected ${SECRET_BYTES} bytes at most`),
  ),
)

const FIELDS: Readonly<Record<string, v.GenericSchema>> = {
  id,
  siteId: line(128),
  name: line(200),
  labels,
  managed: v.boolean('expected true or false'),
  desired: v.nullable(
    v.picklist(['connected', 'disconnected'], 'expected connected or disconnected'),
  ),
  password: secret,
}

/**
 * Reads the body of a request, or a row of a file.
 *
 * @throws StatusError `bad_request` where it is no object at all
 */
export function parseDraft(body: unknown): ParsedDraft {
  if (!isObject(body)) throw new StatusError('bad_request', 'The body is not a JSON object.')
  const fault = unstorable(body)
  if (fault !== null) throw new StatusError('bad_request', `The body can not be used: ${fault}.`)
  const faults: FieldFault[] = []
  const checked: Record<string, unknown> = {}
  for (const [field, schema] of Object.entries(FIELDS)) {
    if (Object.hasOwn(body, field))
      checked[field] = settle(schema, { field, value: body[field] }, faults)
  }
  const dial = pick(body, DIAL_FIELDS)
  const { password, ...general } = checked
  const { tls, key } = parseTls(body, faults)
  const known = new Set<string>([...Object.keys(FIELDS), ...DIAL_FIELDS, 'tls'])
  refuseUnknown('', body, { known, ignored: READ_ONLY, faults })
  const secrets = { password, 'tls.key': key }
  const given = SECRET_FIELDS.filter((field) => secrets[field] !== undefined)
  const draft = {
    ...drop(general),
    dial,
    ...(tls === undefined ? {} : { tls }),
    secrets: Object.fromEntries(given.map((field) => [field, secrets[field]])),
  }
  // Each field was checked by its own schema; what has failed is left out, and reported.
  return { draft: draft, faults }
}

/** The faults of a draft for a new connection: what it can't be without. */
export function missingFields(
  { siteId, name }: Draft,
  faults: readonly FieldFault[],
): FieldFault[] {
  return Object.entries({ siteId, name })
    .filter(([field, value]) => value === undefined && !faults.some((f) => f.field === field))
    .map(([field]) => ({ field, code: 'required', message: 'is required' }))
}

function parseTls(
  body: Readonly<Record<string, unknown>>,
  faults: FieldFault[],
): { tls?: Draft['tls']; key?: unknown } {
  const tls = body['tls']
  if (tls === undefined) return {}
  if (tls === null) return { tls: null, key: null }
  if (!isObject(tls)) {
    faults.push({ field: 'tls', code: 'type', message: 'expected an object, or null' })
    return {}
  }
  refuseUnknown('tls.', tls, {
    known: new Set([...TLS_FIELDS, 'key']),
    ignored: TLS_READ_ONLY,
    faults,
  })
  const key = Object.hasOwn(tls, 'key')
    ? settle(secret, { field: 'tls.key', value: tls['key'] }, faults)
    : undefined
  return { tls: pick(tls, TLS_FIELDS), key }
}

function settle(
  schema: v.GenericSchema,
  { field, value }: { field: string; value: unknown },
  faults: FieldFault[],
): unknown {
  const parsed = v.safeParse(schema, value)
  if (parsed.success) return parsed.output
  for (const issue of parsed.issues) {
    const below = v.getDotPath(issue)
    faults.push({
      field: below === null ? field : `${field}.${below}`,
      code: CODES[issue.type] ?? 'format',
      message: issue.message,
    })
  }
  return undefined
}

function refuseUnknown(
  prefix: string,
  given: Readonly<Record<string, unknown>>,
  rules: { known: ReadonlySet<string>; ignored: ReadonlySet<string>; faults: FieldFault[] },
): void {
  const { known, ignored, faults } = rules
  const unknown = Object.keys(given).filter((name) => !known.has(name) && !ignored.has(name))
  for (const name of unknown.slice(0, MAX_UNKNOWN)) {
    faults.push({
      field: `${prefix}${name.slice(0, 64)}`,
      code: 'unknown_field',
      message: 'is not a field of a connection',
    })
  }
}

function pick<K extends string>(
  given: Readonly<Record<string, unknown>>,
  names: readonly K[],
): Partial<Record<K, unknown>> {
  const found = names.filter((name) => Object.hasOwn(given, name) && given[name] !== undefined)
  return Object.fromEntries(found.map((name) => [name, given[name]])) as Partial<Record<K, unknown>>
}

function drop(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

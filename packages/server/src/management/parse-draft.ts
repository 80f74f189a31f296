/**
 * The body of a request that creates or changes a connection, checked field by field: names, types, unknown fields.
 * Dial settings pass unchecked, because only all settings together show whether the server can dial.
 */
import * as v from 'valibot'
import { codeOf } from '../model/connection/field-fault.ts'
import type { FieldFault } from '../model/connection/field-fault.ts'
import { isObject } from '../model/connection/schemas.ts'
import {
  DIAL_FIELDS,
  GENERAL_NAMES,
  REQUIRED_NAMES,
  SECRET_FIELDS,
  SETTING_ROWS,
  TLS_MEMBERS,
} from '../model/connection/settings.ts'
import { StatusError } from '../errors.ts'
import type { Draft } from './draft.ts'
import { TLS_VIEW_ONLY, VIEW_ONLY } from './settings-view.ts'
import { unstorable } from './storable.ts'

export interface ParsedDraft {
  readonly draft: Draft
  readonly faults: readonly FieldFault[]
}

/** Replies carry these besides the settings; a client may edit a reply and send it back. */
const READ_ONLY: ReadonlySet<string> = new Set(VIEW_ONLY)
const TLS_READ_ONLY: ReadonlySet<string> = new Set(TLS_VIEW_ONLY)

const SECRET_BYTES = 65_535
/** A fault for each unknown field of a hostile body would fill the reply. */
const MAX_UNKNOWN = 20

/** "." and ".." stand for folders in a URL, so no id is either. */
const id = v.pipe(
  v.string('expected a text'),
  v.regex(
    /^(?!\.{1,2}$)[A-Za-z0-9._~-]{1,128}$/,
    'expected 1 to 128 letters, digits or one of . _ ~ -',
  ),
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
  ...Object.fromEntries(GENERAL_NAMES.map((name) => [name, SETTING_ROWS[name].schema])),
  password: secret,
}

/**
 * Reads the body of a request, or a row of a file.
 *
 * @throws StatusError `bad_request` if the body is not an object
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
  // The draft leaves out the fields that failed their check.
  return { draft: draft, faults }
}

/** The required fields that a draft for a new connection lacks; one that failed its check is in `faults` already. */
export function missingFields(draft: Draft, faults: readonly FieldFault[]): FieldFault[] {
  return REQUIRED_NAMES.filter(
    (name) => draft[name] === undefined && !faults.some(({ field }) => field === name),
  ).map((field) => ({ field, code: 'required', message: 'is required' }))
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
    known: new Set([...TLS_MEMBERS, 'key']),
    ignored: TLS_READ_ONLY,
    faults,
  })
  const key = Object.hasOwn(tls, 'key')
    ? settle(secret, { field: 'tls.key', value: tls['key'] }, faults)
    : undefined
  return { tls: pick(tls, TLS_MEMBERS), key }
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
      code: codeOf(issue),
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

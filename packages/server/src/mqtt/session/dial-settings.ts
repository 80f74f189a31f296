/** Checks the settings of a connection before each dial, because MQTT.js accepts impossible options without an error. */
import * as v from 'valibot'
import { codeOf } from '../../model/connection/field-fault.ts'
import type { FieldFault } from '../../model/connection/field-fault.ts'
import { text } from '../../model/connection/schemas.ts'
import { TRANSPORT_PROTOCOLS } from '../../model/connection/transport-protocols.ts'
import { DIAL_SCHEMAS } from '../../model/connection/settings.ts'
import type { CheckedDial, StoredDial } from '../../model/connection/settings.ts'
import { clean } from '../reasons/detail.ts'
import type { Failure } from '../reasons/failure.ts'
import { tlsFaults, withKey } from './tls-faults.ts'

/** The secrets of a connection, decrypted. They are in no log, reply or error. */
export interface Secrets {
  readonly password?: string
  /** The private key of the client certificate, in PEM form; it wins over `tls.key` of the row. */
  readonly tlsKey?: string
}

export interface DialSettings extends CheckedDial {
  readonly port: number
  readonly password: string | null
}

export type Validation =
  | { readonly ok: true; readonly settings: DialSettings }
  | { readonly ok: false; readonly faults: readonly FieldFault[] }

const schema = v.object({ ...DIAL_SCHEMAS, password: v.nullable(text), tlsKey: v.nullable(text) })

type Parsed = v.InferOutput<typeof schema>

/**
 * Checks settings as they are stored, together with their secrets.
 *
 * @returns the settings with their defaults, or one fault for each field that is wrong
 */
export function validateSettings(stored: StoredDial, secrets: Secrets = {}): Validation {
  const { password = null, tlsKey = null } = secrets
  const parsed = v.safeParse(schema, { ...stored, password, tlsKey })
  const faults = parsed.success ? conflicts(parsed.output) : firstPerField(parsed.issues)
  if (!parsed.success || faults.length > 0) return { ok: false, faults }
  const { tlsKey: key, ...dial } = parsed.output
  const port = dial.port ?? TRANSPORT_PROTOCOLS[dial.protocol].port
  return { ok: true, settings: { ...dial, port, tls: withKey(dial.tls, key) } }
}

/** As {@link validateSettings}; a fault becomes the reason `config_invalid` with a detail that names the fields. */
export function checkSettings(stored: StoredDial, secrets: Secrets = {}): DialSettings | Failure {
  const result = validateSettings(stored, secrets)
  if (result.ok) return result.settings
  const detail = result.faults.map(({ field, message }) => `${field}: ${message}`).join('; ')
  return { reason: 'config_invalid', detail: clean(detail), code: null }
}

/** Finds faults between settings, each of which is valid alone. */
function conflicts({ protocol, protocolVersion, username, ...rest }: Parsed): FieldFault[] {
  const { password, availability, tls, tlsKey } = rest
  const faults = tlsFaults(TRANSPORT_PROTOCOLS[protocol].isEncrypted, tls, tlsKey)
  if (password !== null && username === null && protocolVersion !== 5) {
    faults.push(conflict('password', 'expected a username too: MQTT 3.1.1 sends none without it'))
  }
  if (availability !== null && availability.online === availability.offline) {
    faults.push(conflict('availability.offline', 'expected another text than that of online'))
  }
  return faults
}

function conflict(field: string, message: string): FieldFault {
  return { field, code: 'conflict', message }
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
  return { code: absent ? 'required' : codeOf(issue), message: issue.message }
}

/** Applies a draft to settings, and compares before with after: which fields change, and which secrets the client must send again. */
import type { StoredConnection } from '../db/connections/connection-settings.ts'
import type { FieldFault } from '../model/connection/field-fault.ts'
import { defaultPort } from '../model/connection/transport-protocols.ts'
import {
  DIAL_FIELDS,
  GENERAL_NAMES,
  pick,
  SECRET_FIELDS,
  SETTING_NAMES,
  TLS_MEMBERS,
} from '../model/connection/settings.ts'
import type { SecretField, Settings } from '../model/connection/settings.ts'
import type { Draft } from './draft.ts'

/** The settings with the draft applied; fields that the draft does not name stay as they are. */
export function merge(base: Settings, draft: Draft): Settings {
  const given = GENERAL_NAMES.filter((name) => draft[name] !== undefined)
  return {
    ...base,
    ...Object.fromEntries(given.map((name) => [name, draft[name]])),
    ...draft.dial,
    tls: mergeTls(base.tls, draft.tls, Object.hasOwn(draft.secrets, 'tls.key')),
  }
}

/** The settings alone, of a stored connection, which has more fields. */
export function settingsOf(settings: Settings): Settings {
  return pick(SETTING_NAMES, settings)
}

/** Whether the draft names a dial setting or a secret. */
export function touchesDial({ dial, tls, secrets }: Draft): boolean {
  return Object.keys(dial).length > 0 || tls !== undefined || Object.keys(secrets).length > 0
}

/**
 * The names of the fields that change. A secret that the client sends always counts as changed: the server does not
 * compare it.
 *
 * @param before the initial settings, without `secrets`, for a new connection
 */
export function changedFields(
  before: Settings & Partial<StoredConnection>,
  after: Settings,
  { secrets }: Draft,
): string[] {
  const names = [...GENERAL_NAMES, ...DIAL_FIELDS] as const
  const changed: string[] = names.filter((name) => differs(before[name], after[name]))
  const tls = TLS_MEMBERS.filter((name) =>
    differs(member(before.tls, name), member(after.tls, name)),
  )
  const stored = storedSecrets(before)
  const sent = SECRET_FIELDS.filter((field) => {
    const text = secrets[field]
    return text !== undefined && (text !== null || stored.includes(field))
  })
  return [...changed, ...tls.map((name) => `tls.${name}`), ...sent]
}

/**
 * A manager who may edit a connection, but does not know its secrets, must not learn them by pointing the connection at a
 * broker of their own. So the client sends each secret again with any change of the broker's address or of the trust in
 * its certificate.
 */
export function secretsToSendAnew(
  before: StoredConnection,
  after: Settings,
  { secrets }: Draft,
): FieldFault[] {
  if (targetOf(before) === targetOf(after)) return []
  return storedSecrets(before)
    .filter((field) => secrets[field] === undefined)
    .map((field) => ({
      field,
      code: 'required_anew',
      message:
        'has to be sent anew (or deleted with null), because host, port, protocol or the trust in the certificate changes',
    }))
}

/** The secrets that a connection has; a program may have written a private key into the row itself. */
function storedSecrets({
  secrets = {},
  tls,
}: Pick<Settings, 'tls'> & Partial<StoredConnection>): SecretField[] {
  return SECRET_FIELDS.filter(
    (field) =>
      secrets[field] !== undefined || (field === 'tls.key' && member(tls, 'key') !== undefined),
  )
}

/** A member of a value that any program may have written; `undefined` if there is none. */
export function member(value: unknown, name: string): unknown {
  const found: unknown =
    typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
  return found ?? undefined
}

function mergeTls(base: unknown, draft: Draft['tls'], keySent: boolean): unknown {
  if (draft === undefined) return base
  const kept = draft === null || typeof base !== 'object' ? {} : base
  // The key that the client sends replaces one that stands unencrypted in the row.
  const members = { ...kept, ...draft, ...(keySent ? { key: null } : {}) }
  const left = Object.entries(members).filter(([, value]) => value !== null && value !== undefined)
  return left.length === 0 ? null : Object.fromEntries(left)
}

function targetOf({ protocol, host, port, tls }: Settings): string {
  const name = typeof host === 'string' ? host.toLowerCase() : host
  const number = port ?? defaultPort(protocol)
  return JSON.stringify([protocol, name, number, member(tls, 'ca'), member(tls, 'servername')])
}

function differs(before: unknown, after: unknown): boolean {
  return canonical(before) !== canonical(after)
}

/** JSON with sorted members: Postgres orders the members of `jsonb` by length. */
function canonical(value: unknown): string {
  return JSON.stringify(value ?? null, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  )
}

/** What the settings are once a draft is applied, and what that means: what changed, and which secrets must be sent anew. */
import type { Settings, StoredConnection } from '../db/connections/connection-settings.ts'
import { SECRET_FIELDS } from '../db/secrets/secrets.ts'
import type { SecretField } from '../db/secrets/secrets.ts'
import { DIAL_FIELDS, GENERAL_FIELDS, TLS_FIELDS } from './draft.ts'
import type { Draft, FieldFault } from './draft.ts'

/** Of a connection that nothing was said about. */
export const DEFAULTS: Settings = {
  siteId: '',
  name: '',
  labels: {},
  managed: true,
  desired: 'disconnected',
  protocol: 'mqtt',
  host: null,
  port: null,
  path: null,
  protocolVersion: null,
  clientId: null,
  username: null,
  keepaliveS: null,
  tls: null,
  topics: null,
  availability: null,
  sparkplug: null,
  expectedIntervalS: null,
}

/** Where a protocol is spoken if nothing else is said. */
export const DEFAULT_PORTS: Readonly<Record<string, number>> = {
  mqtt: 1883,
  mqtts: 8883,
  ws: 80,
  wss: 443,
}

/** The settings with the draft applied: what it does not name stays. */
export function merge(base: Settings, draft: Draft): Settings {
  const given = GENERAL_FIELDS.filter((name) => draft[name] !== undefined)
  return {
    ...base,
    ...Object.fromEntries(given.map((name) => [name, draft[name]])),
    ...draft.dial,
    tls: mergeTls(base.tls, draft.tls, Object.hasOwn(draft.secrets, 'tls.key')),
  }
}

/** Without what only a stored connection has. */
export function settingsOf(settings: Settings): Settings {
  const names = [...GENERAL_FIELDS, ...DIAL_FIELDS, 'tls'] as const
  // Every field of the settings is one of these.
  return Object.fromEntries(names.map((name) => [name, settings[name]])) as unknown as Settings
}

/** Whether the draft says anything about how to dial. */
export function touchesDial({ dial, tls, secrets }: Draft): boolean {
  return Object.keys(dial).length > 0 || tls !== undefined || Object.keys(secrets).length > 0
}

/**
 * The names of the fields that really change; a secret that is sent always counts as changed, nobody compares it.
 *
 * @param before without `secrets` for a new connection
 */
export function changedFields(
  before: Settings & Partial<StoredConnection>,
  after: Settings,
  { secrets }: Draft,
): string[] {
  const names = [...GENERAL_FIELDS, ...DIAL_FIELDS] as const
  const changed: string[] = names.filter((name) => differs(before[name], after[name]))
  const tls = TLS_FIELDS.filter((name) =>
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
 * A secret was given for one broker. Whoever may edit a connection, but does not know its secret, must not get it by
 * pointing the connection at a broker of their own: so it has to be sent again with any change of where it goes to, or
 * of how that place proves who it is.
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

/** The secrets that a connection has; a key may have been written into the row by hand. */
function storedSecrets({
  secrets = {},
  tls,
}: Pick<Settings, 'tls'> & Partial<StoredConnection>): SecretField[] {
  return SECRET_FIELDS.filter(
    (field) =>
      secrets[field] !== undefined || (field === 'tls.key' && member(tls, 'key') !== undefined),
  )
}

/** A member of an object that anybody may have written; `undefined` if there is none. */
export function member(value: unknown, name: string): unknown {
  const found: unknown =
    typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
  return found ?? undefined
}

function mergeTls(base: unknown, draft: Draft['tls'], keySent: boolean): unknown {
  if (draft === undefined) return base
  const kept = draft === null || typeof base !== 'object' ? {} : base
  // A key that somebody wrote into the row in plain words is replaced by the one that is sent.
  const members = { ...kept, ...draft, ...(keySent ? { key: null } : {}) }
  const left = Object.entries(members).filter(([, value]) => value !== null && value !== undefined)
  return left.length === 0 ? null : Object.fromEntries(left)
}

function targetOf({ protocol, host, port, tls }: Settings): string {
  const name = typeof host === 'string' ? host.toLowerCase() : host
  const number = port ?? DEFAULT_PORTS[String(protocol)] ?? null
  return JSON.stringify([protocol, name, number, member(tls, 'ca'), member(tls, 'servername')])
}

function differs(before: unknown, after: unknown): boolean {
  return canonical(before) !== canonical(after)
}

/** The database orders the members of objects in its own way. */
function canonical(value: unknown): string {
  return JSON.stringify(value ?? null, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  )
}

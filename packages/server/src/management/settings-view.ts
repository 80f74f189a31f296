/** The settings as they are told to who may manage them: everything but the secrets, of which only that they are there. */
import { X509Certificate } from 'node:crypto'
import type { StoredConnection } from '../db/connections/connection-settings.ts'
import { TLS_FIELDS } from './draft.ts'
import { member, settingsOf } from './merge.ts'

export interface TlsView {
  readonly ca: unknown
  readonly cert: unknown
  readonly servername: unknown
  readonly hasKey: boolean
  readonly keyUpdatedAt: string | null
  readonly keyReference: string | null
  /** When the client certificate ends; `null` if there is none. */
  readonly certificateExpiresAt: string | null
}

export interface SettingsView extends Omit<StoredConnection, 'secrets' | 'tls'> {
  readonly tls: TlsView | null
  readonly hasPassword: boolean
  readonly passwordUpdatedAt: string | null
  /** Where the password is found, if it is not stored here. */
  readonly passwordReference: string | null
}

export function toView({ secrets, tls, ...rest }: StoredConnection): SettingsView {
  const { password } = secrets
  return {
    ...rest,
    tls: toTlsView(tls, secrets['tls.key']),
    hasPassword: password !== undefined,
    passwordUpdatedAt: password?.updatedAt ?? null,
    passwordReference: password?.reference ?? null,
  }
}

/** What can be imported again: no secrets, nothing that is only told, nothing that is not set. */
export function toExport(stored: StoredConnection): Readonly<Record<string, unknown>> {
  const members = TLS_FIELDS.map((name) => [name, member(stored.tls, name)] as const)
  const tls = Object.fromEntries(members.filter(([, value]) => value !== undefined))
  const all = {
    id: stored.id,
    ...settingsOf(stored),
    tls: Object.keys(tls).length === 0 ? null : tls,
  }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null))
}

function toTlsView(tls: unknown, key: StoredConnection['secrets']['tls.key']): TlsView | null {
  const byHand = member(tls, 'key') !== undefined
  const [ca, cert, servername] = TLS_FIELDS.map((name) => member(tls, name) ?? null)
  if (ca === null && cert === null && servername === null && key === undefined && !byHand)
    return null
  return {
    ca,
    cert,
    servername,
    hasKey: key !== undefined || byHand,
    keyUpdatedAt: key?.updatedAt ?? null,
    keyReference: key?.reference ?? null,
    certificateExpiresAt: expiryOf(cert),
  }
}

/** As far as it can be read: anybody may have written the row. */
function expiryOf(cert: unknown): string | null {
  if (typeof cert !== 'string') return null
  try {
    return new Date(new X509Certificate(cert).validTo).toISOString()
  } catch {
    return null
  }
}

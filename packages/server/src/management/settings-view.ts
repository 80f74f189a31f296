/** The settings as the server sends them to managers: without secrets, but with the time at which each secret was set. */
import { X509Certificate } from 'node:crypto'
import type { StoredConnection } from '../db/connections/connection-settings.ts'
import { TLS_MEMBERS } from '../model/connection/settings.ts'
import type { SettingName, TlsMember } from '../model/connection/settings.ts'
import { member, settingsOf } from './merge.ts'

export interface TlsView extends Readonly<Record<TlsMember, unknown>> {
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
  /** The reference, if the password is not stored in the database. */
  readonly passwordReference: string | null
}

/** The fields that only the server writes. */
export const VIEW_ONLY: readonly Exclude<keyof SettingsView, SettingName | 'id'>[] = [
  'generation',
  'createdAt',
  'updatedAt',
  'hasPassword',
  'passwordUpdatedAt',
  'passwordReference',
]
export const TLS_VIEW_ONLY: readonly Exclude<keyof TlsView, TlsMember>[] = [
  'hasKey',
  'keyUpdatedAt',
  'keyReference',
  'certificateExpiresAt',
]

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

/** The settings that an import takes: those that are set, without secrets and without what only the server writes. */
export function toExport(stored: StoredConnection): Readonly<Record<string, unknown>> {
  const set = TLS_MEMBERS.filter((name) => member(stored.tls, name) !== undefined)
  const tls = Object.fromEntries(set.map((name) => [name, member(stored.tls, name)]))
  const all = {
    id: stored.id,
    ...settingsOf(stored),
    tls: Object.keys(tls).length === 0 ? null : tls,
  }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null))
}

function toTlsView(tls: unknown, key: StoredConnection['secrets']['tls.key']): TlsView | null {
  const byHand = member(tls, 'key') !== undefined
  const values = TLS_MEMBERS.map((name) => [name, member(tls, name) ?? null] as const)
  if (values.every(([, value]) => value === null) && key === undefined && !byHand) return null
  return {
    // Every member is there, because TLS_MEMBERS lists them all.
    ...(Object.fromEntries(values) as Record<TlsMember, unknown>),
    hasKey: key !== undefined || byHand,
    keyUpdatedAt: key?.updatedAt ?? null,
    keyReference: key?.reference ?? null,
    certificateExpiresAt: expiryOf(member(tls, 'cert')),
  }
}

/** `null` where the text is no certificate: any program may have written the row. */
function expiryOf(cert: unknown): string | null {
  if (typeof cert !== 'string') return null
  try {
    return new Date(new X509Certificate(cert).validTo).toISOString()
  } catch {
    return null
  }
}

import type {
  DialField,
  GeneralSettings,
  SecretField,
  TlsMember,
} from '../model/connection/settings.ts'

/** Only the fields that the client sent. */
export interface Draft extends Readonly<Partial<GeneralSettings>> {
  readonly id?: string
  readonly dial: Readonly<Partial<Record<DialField, unknown>>>
  /** `null` deletes all members, a member that is `null` only that one. */
  readonly tls?: Readonly<Partial<Record<TlsMember, unknown>>> | null
  /** `null` deletes. */
  readonly secrets: Readonly<Partial<Record<SecretField, string | null>>>
}

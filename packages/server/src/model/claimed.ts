import type { Desired } from '@mqtt-status/protocol'
import type { StoredDial } from './connection/settings.ts'
import type { RowVersion } from './observed.ts'

/** What to dial, as it is stored. */
export interface ClaimedDial extends StoredDial {
  /** When each secret of the connection was set, so that a new secret is a change; `null` if it has none. */
  readonly secretsChangedAt: Readonly<Record<string, string>> | null
}

/** A row as its owner reads it. */
export interface Claimed extends RowVersion {
  /** Dials of different sites take turns. */
  readonly siteId: string
  /** The fence of its writes; it rises with each change of the owner. */
  readonly fence: number
  readonly desired: Desired | null
  readonly generation: number
  readonly restartGeneration: number
  /** Whether the lease of its last owner has ended; `false` where that owner has released the row. */
  readonly inherited: boolean
  /** Of the times in `seen` those that can be true; the others are `null`. */
  readonly plausible: {
    readonly since: string | null
    readonly lastMessageAt: string | null
    readonly deviceSince: string | null
  }
  /** How long ago the last message arrived, by the clock of the database; `null`: none has. */
  readonly lastMessageAgeMs: number | null
  readonly dial: ClaimedDial
}

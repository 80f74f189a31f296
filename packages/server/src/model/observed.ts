/** What a row of `connections` says of its session, between the owner that writes it and the table that stores it. */
import type { Desired, DeviceState, Reason, Status } from '@mqtt-status/protocol'

/**
 * The observed columns of a row as they are stored. Only the owner of a managed row may write them. Times keep all their
 * digits, in UTC and without a zone.
 */
export interface Observed {
  readonly status: Status
  readonly reason: Reason | null
  readonly detail: string | null
  readonly mqttReasonCode: number | null
  readonly subscriptionsOk: boolean | null
  readonly since: string
  readonly observedGeneration: number
  readonly lastMessageAt: string | null
  readonly device: DeviceState
  readonly deviceSince: string | null
}

/** One version of a row. */
export interface RowVersion {
  readonly id: string
  /** Changes with every write of the row, by any writer and to any column. */
  readonly version: number
  /** Rises with every change of a watched column. */
  readonly revision: number
  readonly seen: Observed
}

/**
 * What became of a write of many rows, by id: the row as it is now, or `locked` where another transaction has the row
 * locked and nothing was written. A row that is missing has another owner, or is deleted.
 */
export type Written = ReadonlyMap<string, RowVersion | 'locked'>

/** What the owner of a row writes of its session. */
export interface StatusWrite {
  readonly id: string
  /** The write only counts while the row still has this fence and this owner. */
  readonly fence: number
  readonly status: Status
  readonly reason: Reason | null
  readonly detail: string | null
  readonly mqttReasonCode: number | null
  readonly subscriptionsOk: boolean | null
  /** `null`: the status has just turned. */
  readonly since: string | null
  readonly observedGeneration: number
  readonly device: DeviceState
  readonly deviceSince: string | null
  /** The state of the device has just turned: `deviceSince` is the time of the write. */
  readonly deviceTurned: boolean
  /** Only to undo what another writer has put there; left out, the time stays as it is. */
  readonly lastMessageAt?: string | null
}

/** When a connection was last heard. */
export interface ActivityWrite {
  readonly id: string
  /** As that of a status write. */
  readonly fence: number
  /** How long ago the last message came, in ms; the time itself is the database's to say. */
  readonly ageMs: number
  /** The time that was written before; the new one is never older. */
  readonly lastMessageAt: string | null
}

/** A row as its owner reads it, apart from what to dial. */
export interface Kept extends RowVersion {
  /** Dials of different sites take turns. */
  readonly siteId: string
  /** The fence of its writes; it rises whenever the owner changes. */
  readonly fence: number
  readonly desired: Desired | null
  readonly generation: number
  readonly restartGeneration: number
  /** Whether its last owner has not passed it on, but is gone. */
  readonly inherited: boolean
  /** Of the times in `seen` those that can be true; the others are `null`. */
  readonly plausible: {
    readonly since: string | null
    readonly lastMessageAt: string | null
    readonly deviceSince: string | null
  }
  /** How long ago the last message came, by the clock of the database; `null`: never. */
  readonly lastMessageAgeMs: number | null
}

/** A row of an owner, as far as it tells whether the owner knows all of it. */
export interface Held {
  readonly id: string
  readonly fence: number
  readonly version: number
}

/** All rows of an owner at a glance. */
export interface HeldSum {
  readonly count: number
  /** The sum of their versions: a write to any of them changes it. */
  readonly versions: number
}

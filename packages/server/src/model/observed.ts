/** The observed columns of a row of `connections`, as its owner writes them and the table stores them. */
import type { DeviceState, Reason, Status } from '@mqtt-status/protocol'

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
 * The result of a write of many rows, by id: the row as it is now, or `locked` where another transaction has the row
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
  /** `null`: the status has changed, so it is the time of the write. */
  readonly since: string | null
  readonly observedGeneration: number
  readonly device: DeviceState
  readonly deviceSince: string | null
  /** The state of the device has changed: `deviceSince` is the time of the write. */
  readonly deviceTurned: boolean
  /** Set only to undo a write of another program; left out, the time stays as it is. */
  readonly lastMessageAt?: string | null
}

/** When the last message of a connection arrived. */
export interface ActivityWrite {
  readonly id: string
  /** As that of a status write. */
  readonly fence: number
  /** How long ago the last message arrived, in ms; the database computes the time. */
  readonly ageMs: number
  /** The time that was written before; the new one is never older. */
  readonly lastMessageAt: string | null
}

/** A row of an owner, with what shows whether another writer has changed it. */
export interface Held {
  readonly id: string
  readonly fence: number
  readonly version: number
}

/** A sum over all rows of an owner. */
export interface HeldSum {
  readonly count: number
  /** The sum of their versions: a write to any of them changes it. */
  readonly versions: number
}

/** The wanted state, which commands and other writers of the table edit. */
export const DESIRED = ['connected', 'disconnected'] as const
export type Desired = (typeof DESIRED)[number]

/** The observed state of the MQTT client connection. */
export const STATUSES = [
  'disconnected',
  'connecting',
  'connected',
  'reconnecting',
  'disconnecting',
  'failed',
  'unknown',
] as const
export type Status = (typeof STATUSES)[number]

/** The state of the device behind the connection; never merged with {@link Status}. */
export const DEVICE_STATES = ['online', 'offline', 'stale', 'unknown'] as const
export type DeviceState = (typeof DEVICE_STATES)[number]

/** A time as ISO 8601 in UTC with milliseconds, for example `2026-11-23T19:00:00.000Z`. */
export type Timestamp = string

/**
 * One row as a message contains it. A reader applies a row when its `revision` is at least the one it
 * knows, so rows may arrive twice or late without harm.
 *
 * `status` and `reason` are open for readers (a newer server may send a value that this reader does not know),
 * which is why they are compared by value and never used as an index.
 */
export interface Connection {
  readonly id: string
  readonly siteId: string
  readonly name: string
  /** Raised by the database at every change of a watched column. */
  readonly revision: number
  /** `null` for an observed row whose writer has no notion of a wish. */
  readonly desired: Desired | null
  readonly desiredAt: Timestamp | null
  /** Subject of the last command; only sent to holders of `control`. */
  readonly desiredBy: string | null
  readonly status: Status
  /** Why the connection is in this status: a code of {@link REASONS}. */
  readonly reason: string | null
  /** Cleaned text of the broker or the network; only sent to holders of `control`. */
  readonly detail: string | null
  /** When `status` last changed. */
  readonly since: Timestamp
  /** Raised by every command. */
  readonly generation: number
  /** The last generation that the supervisor acted on; pending = it is lower than `generation`. */
  readonly observedGeneration: number
  readonly lastMessageAt: Timestamp | null
  readonly device: DeviceState
  readonly deviceSince: Timestamp | null
  /** `false`: another program keeps this connection and writes its status; the server only observes it. */
  readonly managed: boolean
  readonly labels: Readonly<Record<string, string>>
}

/** What a command edits: `desired`, or a reconnect. */
export const ACTIONS = ['connect', 'disconnect', 'reconnect'] as const
export type Action = (typeof ACTIONS)[number]

/** What a token permits. */
export const CAPABILITIES = ['view', 'control', 'manage'] as const
export type Capability = (typeof CAPABILITIES)[number]

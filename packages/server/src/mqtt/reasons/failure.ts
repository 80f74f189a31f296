import type { Reason } from '@mqtt-status/protocol'

/** Why a dial failed or a connection was lost. */
export interface Failure {
  readonly reason: Reason
  /** Cleaned text of the broker or the network. */
  readonly detail: string | null
  /** The MQTT reason code, if the broker sent one. */
  readonly code: number | null
  /** The time until the cause ends, in ms, if the failure says it. The next dial waits for it, but not longer than `probeMs`. */
  readonly overInMs?: number
  /** The next dial continues the search for a forbidden topic filter: it follows within 1 s, and this failure does not count as a try. */
  readonly isSearched?: true
}

import type { Reason } from '@mqtt-status/protocol'

/** Why a dial failed or a connection was lost. */
export interface Failure {
  readonly reason: Reason
  /** Cleaned text of the broker or the network. */
  readonly detail: string | null
  /** The MQTT reason code, if the broker sent one. */
  readonly code: number | null
  /** When the cause ends, in ms from now, if that is known; the next dial waits for it, but not longer than a slow probe. */
  readonly overInMs?: number
  /** The next dial narrows the search for a topic filter, so it comes within 1 s, and a permanent reason does not count as a try. */
  readonly isSearched?: true
}

import type { Reason } from '@mqtt-status/protocol'

/** The result of a ping that a node has sent to the broker of a connection. */
export interface CheckResult {
  /** Whether the broker has answered. */
  readonly ok: boolean
  /** Why it has not; `null` if it has. */
  readonly reason: Reason | null
  readonly tookMs: number
}

/** The result of a dial that tries settings out. */
export interface DialResult extends CheckResult {
  readonly detail: string | null
}

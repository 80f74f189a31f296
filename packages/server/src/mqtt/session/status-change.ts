/** The columns that a change of status writes. */
import type { Reason, Status } from '@mqtt-status/protocol'
import type { Failure } from '../reasons/failure.ts'

export interface StatusChange {
  readonly status: Status
  readonly reason: Reason | null
  readonly detail: string | null
  readonly mqttReasonCode: number | null
  readonly subscriptionsOk: boolean | null
  /** Whether the change answers a command; then the writer does not delay it. */
  readonly urgent: boolean
}

/** The effect that makes the keeper write a change. */
export type StatusWritten = { readonly kind: 'write' } & StatusChange

/** @returns the write of a status that a command, a start, an edit or a takeover causes */
export function write(status: Status, reason: Reason): StatusWritten {
  return {
    kind: 'write',
    status,
    reason,
    detail: null,
    mqttReasonCode: null,
    subscriptionsOk: null,
    urgent: reason !== 'startup',
  }
}

/** @param denied the topics that the broker refused */
export function connectedAs(denied: Failure | null, urgent: boolean): StatusWritten {
  return {
    kind: 'write',
    status: 'connected',
    reason: denied === null ? null : 'subscription_denied',
    detail: denied?.detail ?? null,
    mqttReasonCode: denied?.code ?? 0,
    subscriptionsOk: denied === null,
    urgent,
  }
}

export function failing(
  status: 'reconnecting' | 'failed',
  { reason, detail, code }: Failure,
  urgent: boolean,
): StatusWritten {
  return {
    kind: 'write',
    status,
    reason,
    detail,
    mqttReasonCode: code,
    subscriptionsOk: null,
    urgent,
  }
}

/** The columns that a change of status writes. */
import type { Reason, Status } from '@mqtt-status/protocol'
import type { Failure } from '../reasons/failure.ts'

export interface StatusChange {
  readonly status: Status
  readonly reason: Reason | null
  readonly detail: string | null
  readonly mqttReasonCode: number | null
  readonly subscriptionsOk: boolean | null
  /** It answers a command: the write is not delayed. */
  readonly urgent: boolean
}

/** A change that is to be written. */
export type StatusWritten = { readonly kind: 'write' } & StatusChange

/** A status that has a cause of its own. */
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

/** `denied`: a topic was refused. */
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

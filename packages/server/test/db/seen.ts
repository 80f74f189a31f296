import type { Observed, StatusWrite, Written } from '../../src/model/observed.ts'

/** A write of a status, as an owner makes it that has just seen it. */
export function seen(id: string, fence: number, change: Partial<StatusWrite> = {}): StatusWrite {
  return {
    id,
    fence,
    status: 'connected',
    reason: null,
    detail: null,
    mqttReasonCode: 0,
    subscriptionsOk: true,
    since: null,
    observedGeneration: 0,
    device: 'unknown',
    deviceSince: null,
    deviceTurned: false,
    ...change,
  }
}

/** The version of a row in the result of a write of many rows; `undefined` if the row was not written. */
export function seenOf(written: Written, id: string): Observed | undefined {
  const row = written.get(id)
  return row === 'locked' ? undefined : row?.seen
}

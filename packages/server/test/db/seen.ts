import type { StatusWrite } from '../../src/model/observed.ts'

/** A write of a status, as an owner makes it that has just seen it. */
export function seen(id: string, epoch: number, change: Partial<StatusWrite> = {}): StatusWrite {
  return {
    id,
    epoch,
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

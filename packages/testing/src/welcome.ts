/** The first answer of a server to a client. */
import type { Welcome } from '@mqtt-status/protocol'

/** @param change the fields that matter to a test */
export function welcome(change: Partial<Welcome> = {}): Welcome {
  return {
    type: 'welcome',
    session: 's',
    epoch: 'e',
    now: new Date().toISOString(),
    heartbeatMs: 25_000,
    commandTimeoutMs: 15_000,
    expiresAt: null,
    can: ['view'],
    limits: { watch: 1_000 },
    ...change,
  }
}

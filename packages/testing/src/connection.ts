/** A row of a connection, as the server sends it. */
import type { Connection } from '@mqtt-status/protocol'

/** @param change the fields that matter to a test; all others are those of a managed, connected row */
export function connection(change: Partial<Connection> = {}): Connection {
  return {
    id: 'plant-7',
    siteId: 's1',
    name: change.id ?? 'Impianto 7',
    revision: 1,
    desired: 'connected',
    desiredAt: null,
    desiredBy: null,
    status: 'connected',
    reason: null,
    detail: null,
    since: '2026-11-23T18:00:00.000Z',
    generation: 1,
    observedGeneration: 1,
    lastMessageAt: null,
    device: 'unknown',
    deviceSince: null,
    managed: true,
    labels: {},
    ...change,
  }
}

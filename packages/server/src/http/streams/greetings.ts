/** The messages that open and end a stream, on every transport. */
import { randomUUID } from 'node:crypto'
import { CLOSE_CODES } from '@mqtt-status/protocol'
import type { CloseName } from '@mqtt-status/protocol'
import type { Scope } from '../../auth/scope.ts'
import { Frame } from '../../hub/frames.ts'
import type { HttpContext } from '../context.ts'
import type { TokenClock } from './token-clock.ts'

/** No server restarts in less. */
const RECONNECT_SOONEST_MS = 800
/** The server spreads reconnects out in time: about this many in a second. */
const RECONNECTS_PER_SECOND = 600
const RECONNECT_SPREAD_MS = { least: 1_200, most: 60_000 }

export function welcomeFrame(
  { hub, heartbeatMs, commandTimeoutMs }: HttpContext,
  { can, unknownScope }: Scope,
  { expiresAt }: TokenClock,
): Frame {
  return Frame.of({
    type: 'welcome',
    session: randomUUID(),
    epoch: hub.epoch,
    now: new Date().toISOString(),
    heartbeatMs,
    commandTimeoutMs,
    expiresAt,
    can,
    ...(unknownScope.length > 0 ? { unknownScope } : {}),
    limits: { watch: hub.watchLimit },
  })
}

/** Reasons for which the server closes all streams together. Other reasons close one. */
const TO_ALL: ReadonlySet<CloseName> = new Set(['shutdown', 'resync'])

/** @param open how many sockets and streams are open; the more the server closes together, the longer they wait */
export function byeFrame(reason: CloseName, open: number): Frame {
  const { least, most } = RECONNECT_SPREAD_MS
  const fleet = TO_ALL.has(reason) ? open : 1
  const spreadMs = Math.round((fleet / RECONNECTS_PER_SECOND) * 1_000)
  return Frame.of({
    type: 'bye',
    code: CLOSE_CODES[reason],
    reason,
    reconnectAfterMs: [
      RECONNECT_SOONEST_MS,
      RECONNECT_SOONEST_MS + Math.min(most, Math.max(least, spreadMs)),
    ],
  })
}

export function expiringFrame({ expiresAt }: TokenClock): Frame {
  return Frame.of({ type: 'expiring', expiresAt: expiresAt ?? new Date().toISOString() })
}

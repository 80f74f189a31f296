/** The messages that open and end a stream, on every transport. */
import { CLOSE_CODES } from '@mqtt-status/protocol'
import type { CloseName } from '@mqtt-status/protocol'
import type { Scope } from '../../auth/scope.ts'
import { Frame } from '../../hub/frames.ts'
import type { HttpContext } from '../context.ts'
import type { TokenClock } from './token-clock.ts'

/** A server takes at least this long to restart. */
const RECONNECT_SOONEST_MS = 800
/** The server spreads the reconnects of its clients over time: about this many in each second. */
const RECONNECTS_PER_SECOND = 600
const RECONNECT_SPREAD_MS = { least: 1_200, most: 60_000 }

/** @param session the id of the stream, which the log names it by */
export function welcomeFrame(
  { hub, heartbeatMs, commandTimeoutMs }: HttpContext,
  { session, scope, token }: { session: string; scope: Scope; token: TokenClock },
): Frame {
  const { can, unknownScope, notice } = scope
  return Frame.of({
    type: 'welcome',
    session,
    epoch: hub.epoch,
    now: new Date().toISOString(),
    heartbeatMs,
    commandTimeoutMs,
    expiresAt: token.expiresAt,
    can,
    ...(unknownScope.length > 0 ? { unknownScope } : {}),
    ...(notice === null ? {} : { notice }),
    limits: { watch: hub.watchLimit },
  })
}

/** Reasons for which the server closes all streams together. Other reasons close one. */
const TO_ALL: ReadonlySet<CloseName> = new Set(['shutdown', 'resync'])

/** @param open the number of open sockets and streams; the more of them the server closes together, the wider the window */
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

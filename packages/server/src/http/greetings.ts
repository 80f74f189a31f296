/** The messages that open and end a stream, whatever wire it is on. */
import { randomUUID } from 'node:crypto'
import { CLOSE_CODES } from '@mqtt-status/protocol'
import type { CloseName } from '@mqtt-status/protocol'
import type { Scope } from '../auth/scope.ts'
import { Frame } from '../hub/frames.ts'
import type { HttpContext } from './context.ts'
import type { TokenClock } from './token-clock.ts'

/** Clients come back spread over this time, so that they do not all knock at once. */
const RECONNECT_AFTER_MS = [800, 9_000] as const

export function welcomeFrame(
  { hub, heartbeatMs, commandTimeoutMs }: HttpContext,
  { can }: Scope,
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
    limits: { watch: hub.watchLimit },
  })
}

export function byeFrame(reason: CloseName): Frame {
  return Frame.of({
    type: 'bye',
    code: CLOSE_CODES[reason],
    reason,
    reconnectAfterMs: RECONNECT_AFTER_MS,
  })
}

export function expiringFrame({ expiresAt }: TokenClock): Frame {
  return Frame.of({ type: 'expiring', expiresAt: expiresAt ?? new Date().toISOString() })
}

import type { CloseName } from '@mqtt-status/protocol'
import type { Scope } from '../auth/scope.ts'
import { Frame } from '../hub/frames.ts'
import type { HttpContext } from './context.ts'
import type { TokenClock } from './token-clock.ts'
export declare function welcomeFrame(
  { hub, heartbeatMs, commandTimeoutMs }: HttpContext,
  { can }: Scope,
  { expiresAt }: TokenClock,
): Frame
export declare function byeFrame(reason: CloseName): Frame
export declare function expiringFrame({ expiresAt }: TokenClock): Frame

import { Hono } from 'hono'
import type { AppEnv, HttpContext } from './context.ts'
import type { Streams } from './streams.ts'
/** For probes: no token, and `/healthz` for pages of any origin, so that a client can tell "server down" from "no network". */
export declare function healthRoutes({ ready }: HttpContext, streams: Streams): Hono<AppEnv>

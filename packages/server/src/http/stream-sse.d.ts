import { Hono } from 'hono'
import type { AppEnv, HttpContext } from './context.ts'
import type { Streams } from './streams.ts'
export declare function streamRoutes(context: HttpContext, streams: Streams): Hono<AppEnv>

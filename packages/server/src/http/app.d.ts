import { Hono } from 'hono'
import type { AppEnv, HttpContext } from './context.ts'
import type { Streams } from './streams.ts'
/** Everything that is asked over HTTP. Middleware only adds headers before a handler runs: streams answer by themselves. */
export declare function createApp(context: HttpContext, streams: Streams): Hono<AppEnv>

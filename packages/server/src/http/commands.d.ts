import { Hono } from 'hono'
import type { AppEnv, HttpContext } from './context.ts'
/** Commands edit a wish and answer at once; the result comes as a push. */
export declare function commandRoutes({ hub, command, commandTimeoutMs }: HttpContext): Hono<AppEnv>

import { Hono } from 'hono'
import type { AppEnv, HttpContext } from './context.ts'
/** The widgets, for pages of any origin: always asked for again, answered with "not modified" while they are the same. */
export declare function widgetRoutes({ widgets, log }: HttpContext): Hono<AppEnv>

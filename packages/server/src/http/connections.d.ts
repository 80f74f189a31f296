import { Hono } from 'hono'
import type { AppEnv, HttpContext } from './context.ts'
/** Rows, once: for polling, for rendering on a server, and for people with curl. */
export declare function connectionRoutes({ hub }: HttpContext): Hono<AppEnv>

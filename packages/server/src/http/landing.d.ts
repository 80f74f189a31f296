import { Hono } from 'hono'
import type { AppEnv, HttpContext } from './context.ts'
/** What a person sees who opens the server's address: the portal of the demo, or a page that says what this is. */
export declare function landingRoutes({ portal, basePath }: HttpContext): Hono<AppEnv>

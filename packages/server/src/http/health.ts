import { Hono } from 'hono'
import type { AppEnv, HttpContext } from './context.ts'
import type { Streams } from './streams/streams.ts'

/** For probes: no token, and `/healthz` for pages of any origin, so that a client can tell "server down" from "no network". */
export function healthRoutes({ ready, warnings }: HttpContext, streams: Streams): Hono<AppEnv> {
  const app = new Hono<AppEnv>({ strict: false })

  app.get('/healthz', (c) =>
    c.json({ status: 'ok' }, 200, {
      'access-control-allow-origin': '*',
      'cache-control': 'no-store',
    }),
  )

  app.get('/readyz', (c) => {
    const reasons = [...ready(), ...(streams.draining ? ['shutting down'] : [])]
    const status = reasons.length === 0 ? 'ready' : 'not ready'
    // What an operator has to know, although this node serves as well as any other.
    const known = warnings?.() ?? []
    const detail = known.length === 0 ? {} : { warnings: known }
    return c.json({ status, reasons, ...detail }, reasons.length === 0 ? 200 : 503, {
      'cache-control': 'no-store',
    })
  })
  return app
}

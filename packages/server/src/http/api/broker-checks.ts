import { Hono } from 'hono'
import type { Context } from 'hono'
import { StatusError } from '../../errors.ts'
import { notFound, requireCapability } from './capability.ts'
import type { AppEnv, HttpContext } from '../context.ts'
import { editorOf } from './management.ts'
import { parseJson } from '../messages.ts'

/** Requests that make the server send packets to a broker and answer with the result; they have limits of their own. */
export function brokerCheckRoutes({ hub, management, check, limits }: HttpContext): Hono<AppEnv> {
  const app = new Hono<AppEnv>({ strict: false })

  app.post('/api/v1/connections/test', async (c) => {
    const { scope } = c.var
    requireCapability(scope, 'manage')
    await spend(c, 'test')
    return c.json(await management.test(editorOf(scope), parseJson(await c.req.text())))
  })

  app.post('/api/v1/connections/:id/check', async (c) => {
    const { scope } = c.var
    const id = c.req.param('id')
    const row = await hub.get(scope, id)
    if (row === null) throw notFound()
    requireCapability(scope, 'control')
    if (!row.managed) {
      const message = 'This connection is only observed here: its broker can not be asked.'
      throw new StatusError('not_controllable', message)
    }
    await spend(c, 'check')
    const { ok, reason, tookMs } = await check(id, row.siteId)
    return c.json({ ok, reason, tookMs })
  })

  async function spend(c: Context<AppEnv>, kind: 'test' | 'check'): Promise<void> {
    const retryAfterS = await limits.probe(kind, c.env.incoming, c.var.scope.subject)
    if (retryAfterS === 0) return
    throw new StatusError(
      'rate_limited',
      'Too many tests or checks within a minute; wait for the seconds of Retry-After.',
      {
        retryAfterS,
      },
    )
  }

  return app
}

import type { WatchFilter } from '@mqtt-status/protocol'
import { Hono } from 'hono'
import type { Context } from 'hono'
import { StatusError } from '../../errors.ts'
import type { Query } from '../../hub/hub.ts'
import { notFound } from './capability.ts'
import { jsonBody } from './json-body.ts'
import type { AppEnv, HttpContext } from '../context.ts'
import { limited, parseQueryBody, parseWatchQuery } from '../messages.ts'

const LIMIT = { fallback: 1_000, max: 10_000 }

/** Reads rows once: for polling clients, pages that a server renders, and curl. */
export function connectionRoutes({ hub }: HttpContext): Hono<AppEnv> {
  const app = new Hono<AppEnv>({ strict: false })

  app.get('/api/v1/connections', async (c) => {
    const query = c.req.query()
    const watch = limited(parseWatchQuery(query), hub.watchLimit)
    const page = { limit: toLimit(query['limit']), after: query['after'] ?? '' }
    return answer(c, { ...watch, ...page })
  })

  app.post('/api/v1/connections/query', async (c) => {
    const query = parseQueryBody(await c.req.text())
    limited(query, hub.watchLimit)
    return answer(c, query)
  })

  app.get('/api/v1/connections/:id', async (c) => {
    const row = await hub.get(c.var.scope, c.req.param('id'))
    if (row === null) throw notFound()
    return c.json(row)
  })

  /** The object of the protocol, with the capabilities of the caller. */
  async function answer(c: Context<AppEnv>, query: WatchFilter & Query): Promise<Response> {
    const { can, unknownScope, notice } = c.var.scope
    const extra = {
      can,
      ...(unknownScope.length > 0 ? { unknownScope } : {}),
      ...(notice === null ? {} : { notice }),
    }
    const pieces = await hub.query(c.var.scope, { ...query, extra })
    return c.body(jsonBody(pieces), 200, { 'content-type': 'application/json' })
  }

  return app
}

function toLimit(text: string | undefined): number {
  if (text === undefined) return LIMIT.fallback
  const limit = Number(text)
  if (Number.isInteger(limit) && limit >= 1 && limit <= LIMIT.max) return limit
  throw new StatusError(
    'bad_request',
    `limit: found "${text}", expected a whole number from 1 to ${LIMIT.max}.`,
  )
}

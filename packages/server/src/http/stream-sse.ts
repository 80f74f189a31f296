/** `/sse/status`: the same messages as Server-Sent Events, for plain `EventSource`, `fetch` and curl. */
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { Hono } from 'hono'
import type { Context } from 'hono'
import { StatusError } from '../errors.ts'
import type { AppEnv, HttpContext } from './context.ts'
import { admissionOf, corsHeaders } from './door.ts'
import { EventStream } from './event-stream.ts'
import { parseWatchBody, parseWatchQuery } from './messages.ts'
import type { WatchBody } from './messages.ts'
import type { Streams } from './streams.ts'

export function streamRoutes(context: HttpContext, streams: Streams): Hono<AppEnv> {
  const app = new Hono<AppEnv>({ strict: false })

  async function open(c: Context<AppEnv>, watch: WatchBody): Promise<Response> {
    // Hono answers HEAD with what GET does; a stream would have nothing to say and never end.
    if (c.req.method === 'HEAD') return c.body(null, 200, { 'content-type': 'text/event-stream' })
    if (streams.draining)
      throw new StatusError('shutting_down', 'This server is shutting down; come back in a moment.')
    const { incoming, outgoing } = c.env
    const { scope, token } = c.var
    const leave = await enter(context, incoming, token)
    // Whoever has gone meanwhile has no 'close' to come any more.
    if (outgoing.destroyed) {
      leave()
      return RESPONSE_ALREADY_SENT
    }
    const last = incoming.headers['last-event-id']
    new EventStream({
      context,
      streams,
      response: outgoing,
      scope,
      leave,
      headers: corsHeaders(admissionOf(context.callers, incoming.headers), incoming.headers.origin),
      watch: typeof last === 'string' && last !== '' ? { ...watch, cursor: last } : watch,
    })
    return RESPONSE_ALREADY_SENT
  }

  app.get('/sse/status', (c) => open(c, parseWatchQuery(c.req.query())))
  app.post('/sse/status', async (c) => open(c, parseWatchBody(await c.req.text())))
  return app
}

/**
 * @returns how to give the places of address and token back
 * @throws StatusError `rate_limited`, `too_many_connections`
 */
async function enter(
  { limits }: HttpContext,
  request: AppEnv['Bindings']['incoming'],
  token: string | null,
): Promise<() => void> {
  const entry = await limits.enter(request)
  if (entry.kind === 'rate_limited') {
    throw new StatusError(
      'rate_limited',
      'This address opens streams too fast; wait as Retry-After says.',
      { retryAfterS: entry.retryAfterS },
    )
  }
  if (entry.kind === 'too_many_connections') {
    throw new StatusError(
      'too_many_connections',
      'This address has as many sockets and streams open as it may; close some, or raise SOCKETS_PER_ADDRESS.',
    )
  }
  const rise = limits.seat(token)
  if (rise === null) {
    entry.leave()
    throw new StatusError(
      'too_many_connections',
      'This token has as many sockets and streams open as it may; close some, or raise SOCKETS_PER_TOKEN.',
    )
  }
  return () => {
    entry.leave()
    rise()
  }
}

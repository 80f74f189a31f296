import { Hono } from 'hono'
import type { MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { StatusError } from '../errors.ts'
import { BODY_BYTES, tooLarge } from './body.ts'
import { commandRoutes } from './api/commands.ts'
import { connectionRoutes } from './api/connections.ts'
import type { AppEnv, HttpContext } from './context.ts'
import { admissionOf, bearer, corsHeaders, requireAdmission, scopeFor } from './admission/door.ts'
import { healthRoutes } from './health.ts'
import { landingRoutes } from './pages/landing.ts'
import { managementRoutes } from './api/management.ts'
import { problemAnswer, UPGRADE_REQUIRED } from './problem.ts'
import { brokerCheckRoutes } from './api/broker-checks.ts'
import type { Streams } from './streams/streams.ts'
import { explainUnknownPath } from './unknown-path.ts'
import { widgetRoutes } from './pages/widget-bundle.ts'

/** The routes that answer once; streams are in streams/sse.ts. */
export function createApp(context: HttpContext, streams: Streams): Hono<AppEnv> {
  const app = new Hono<AppEnv>({ strict: false }).basePath(context.basePath.slice(0, -1) || '/')

  app.use(async (c, next) => {
    c.header('x-content-type-options', 'nosniff')
    await next()
  })
  app.route('/', healthRoutes(context, streams))
  app.route('/', widgetRoutes(context))

  app.use(async (c, next) => {
    const { incoming } = c.env
    const admission = admissionOf(context.callers, incoming)
    for (const [name, value] of Object.entries(corsHeaders(admission, incoming.headers.origin)))
      c.header(name, value)
    // OPTIONS without Origin is no preflight of a page but the probe of a load balancer, which often sends no host.
    const isProbe = c.req.method === 'OPTIONS' && incoming.headers.origin === undefined
    if (!isProbe) requireAdmission(admission)
    if (c.req.method === 'OPTIONS') {
      return c.body(null, 204, {
        'access-control-allow-methods': 'GET, POST, PATCH, DELETE',
        'access-control-allow-headers':
          'Authorization, Content-Type, Idempotency-Key, Last-Event-ID, Cache-Control',
        'access-control-max-age': '600',
      })
    }
    return next()
  })
  app.route('/', landingRoutes(context))

  app.use('/api/*', async (c, next) => {
    c.header('cache-control', 'no-store')
    await next()
  })
  app.use(
    bodyLimit({
      maxSize: BODY_BYTES,
      onError: () => {
        throw tooLarge()
      },
    }),
  )
  app.use('/api/*', identify(context))
  app.route('/', connectionRoutes(context))
  app.route('/', commandRoutes(context))
  app.route('/', managementRoutes(context))
  app.route('/', brokerCheckRoutes(context))
  app.get('/ws/status', () => {
    throw new StatusError(
      'bad_request',
      'This path speaks WebSocket only (RFC 6455); /sse/status has the same messages over plain HTTP.',
      { status: UPGRADE_REQUIRED },
    )
  })

  app.notFound((c) => {
    throw new StatusError('not_found', explainUnknownPath(c.req.path, context.basePath))
  })
  app.onError((error, c) => {
    const { status, headers, body } = problemAnswer(error, context.log)
    return c.body(body, status as 400, headers)
  })
  return app
}

/** Verifies the token and hands its scope to the handlers. */
function identify({ callers, verify }: HttpContext): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const { incoming } = c.env
    const token = bearer(incoming.headers.authorization)
    c.set('scope', await scopeFor(verify, admissionOf(callers, incoming), token))
    await next()
  }
}

/** `/sse/status`: the same messages as Server-Sent Events, for plain `EventSource`, `fetch` and curl. */
import type { ServerResponse } from 'node:http'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import type { CloseName } from '@mqtt-status/protocol'
import { Hono } from 'hono'
import type { Context } from 'hono'
import type { Scope } from '../auth/scope.ts'
import { StatusError } from '../errors.ts'
import type { Frame } from '../hub/frames.ts'
import type { Sink, Subscriber } from '../hub/hub.ts'
import type { AppEnv, HttpContext } from './context.ts'
import { admissionOf, corsHeaders } from './door.ts'
import { byeFrame, expiringFrame, welcomeFrame } from './greetings.ts'
import { parseWatchBody, parseWatchQuery } from './messages.ts'
import type { WatchBody } from './messages.ts'
import type { Stream, Streams } from './streams.ts'
import { TokenClock } from './token-clock.ts'

export function streamRoutes(context: HttpContext, streams: Streams): Hono<AppEnv> {
  const app = new Hono<AppEnv>({ strict: false })

  function open(c: Context<AppEnv>, watch: WatchBody): Response {
    if (streams.draining)
      throw new StatusError('shutting_down', 'This server is shutting down; come back in a moment.')
    const { incoming, outgoing } = c.env
    const last = incoming.headers['last-event-id']
    const cors = corsHeaders(
      admissionOf(context.callers, incoming.headers),
      incoming.headers.origin,
    )
    new EventStream({
      context,
      streams,
      response: outgoing,
      scope: c.var.scope,
      headers: cors,
      watch: typeof last === 'string' && last !== '' ? { ...watch, cursor: last } : watch,
    })
    return RESPONSE_ALREADY_SENT
  }

  app.get('/sse/status', (c) => open(c, parseWatchQuery(c.req.query())))
  app.post('/sse/status', async (c) => open(c, parseWatchBody(await c.req.text())))
  return app
}

interface EventStreamOptions {
  readonly context: HttpContext
  readonly streams: Streams
  readonly response: ServerResponse
  readonly scope: Scope
  readonly headers: Record<string, string>
  readonly watch: WatchBody
}

/** One stream of events; it says goodbye after a while, and by then the client has a cursor to come back with. */
class EventStream implements Stream, Sink {
  readonly #context: HttpContext
  readonly #streams: Streams
  readonly #response: ServerResponse
  readonly #subscriber: Subscriber
  readonly #token: TokenClock
  readonly #endsAt: number
  #nextPingAt: number
  #ended = false

  constructor({ context, streams, response, scope, headers, watch }: EventStreamOptions) {
    this.#context = context
    this.#streams = streams
    this.#response = response
    this.#token = new TokenClock(scope.expiresAt)
    const nowMs = Date.now()
    const [shortest, longest] = context.patience.streamMs
    this.#endsAt = nowMs + shortest + Math.random() * (longest - shortest)
    this.#nextPingAt = nowMs + context.heartbeatMs * (0.5 + Math.random() / 2)

    response.writeHead(200, {
      ...headers,
      'content-type': 'text/event-stream; charset=utf-8',
      // Compressing or buffering proxies would hold events back.
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
      'x-content-type-options': 'nosniff',
    })
    response.on('close', () => {
      this.#gone()
    })
    response.on('error', () => undefined)
    response.on('drain', () => {
      this.#subscriber.drained()
    })
    response.write(`retry: ${Math.round(1_000 + Math.random() * 4_000)}\n\n`)
    response.write(welcomeFrame(context, scope, this.#token).sse)
    this.#subscriber = context.hub.subscribe(this, scope)
    streams.add(this)
    if (!this.#ended) this.#subscriber.watch(watch)
  }

  get bufferedBytes(): number {
    return this.#response.writableLength
  }

  send(frame: Frame): void {
    if (!this.#ended) this.#response.write(frame.sse)
  }

  close(name: CloseName): void {
    if (this.#ended) return
    this.send(byeFrame(name))
    this.#ended = true
    this.#subscriber.close()
    this.#response.end()
    // A reader that takes nothing would keep the response open.
    setTimeout(() => {
      this.terminate()
    }, this.#context.patience.closeMs).unref()
  }

  farewell(): void {
    this.close('shutdown')
  }

  terminate(): void {
    this.#response.destroy()
  }

  tick(nowMs: number): void {
    if (this.#ended) return
    const due = this.#token.check(nowMs)
    if (due === 'expiring') this.send(expiringFrame(this.#token))
    if (due === 'expired') this.close('token_expired')
    else if (nowMs >= this.#endsAt) this.close('rebalance')
    else if (nowMs >= this.#nextPingAt) {
      this.#nextPingAt = nowMs + this.#context.heartbeatMs
      this.#subscriber.ping()
    }
  }

  #gone(): void {
    this.#ended = true
    this.#subscriber.close()
    this.#streams.delete(this)
  }
}

/**
 * `/sse/status`: the same messages as Server-Sent Events, for plain `EventSource`, `fetch` and curl. Taken in hand like
 * the upgrade of a WebSocket: what a framework keeps of a request would be kept as long as the stream lasts.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { StatusError } from '../../errors.ts'
import { readBody } from '../body.ts'
import type { HttpContext } from '../context.ts'
import { admissionOf, bearer, corsHeaders, refuseStrangers, scopeFor } from '../admission/door.ts'
import { EventStream, STREAM_HEADERS } from './event-stream.ts'
import { ROOM_RETRY_S } from '../admission/limits.ts'
import { limited, parseWatchBody, parseWatchQuery } from '../messages.ts'
import type { WatchBody } from '../messages.ts'
import { problemAnswer } from '../problem.ts'
import { pathOf } from '../admission/request-head.ts'
import type { Holder } from '../admission/seats.ts'
import type { Streams } from './streams.ts'

/** @returns a handler that answers whether the request was one for a stream */
export function eventStreams(
  context: HttpContext,
  streams: Streams,
): (request: IncomingMessage, response: ServerResponse) => boolean {
  const path = `${context.basePath}sse/status`
  return (request, response) => {
    if (pathOf(request, context.basePath) !== path || !METHODS.has(request.method ?? ''))
      return false
    const [, query = ''] = (request.url ?? '').split('?', 2)
    void open({ context, streams, request, response, query })
    return true
  }
}

/** What a page asks before (`OPTIONS`) is answered where it is answered for everything. */
const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST'])

interface Asked {
  readonly context: HttpContext
  readonly streams: Streams
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly query: string
}

async function open(asked: Asked): Promise<void> {
  const { context, request, response } = asked
  const admission = admissionOf(context.callers, request)
  const headers = {
    ...corsHeaders(admission, request.headers.origin),
    'x-content-type-options': 'nosniff',
  }
  try {
    refuseStrangers(admission)
    await begin(asked, headers)
  } catch (error) {
    const answer = problemAnswer(error, context.log)
    // The reply has begun, so no status can say it: the client reconnects, and other streams go on.
    if (response.headersSent) {
      response.destroy()
      return
    }
    response.writeHead(answer.status, { ...headers, ...answer.headers }).end(answer.body)
  }
}

async function begin(
  { context, streams, request, response, query }: Asked,
  headers: Record<string, string>,
): Promise<void> {
  const token = bearer(request.headers.authorization)
  const admission = admissionOf(context.callers, request)
  const scope = await scopeFor(context.verify, admission, token)
  const watch = limited(await watchOf(request, query), context.hub.watchLimit)
  if (request.method === 'HEAD') {
    response.writeHead(200, { ...headers, ...STREAM_HEADERS }).end()
    return
  }
  if (streams.draining)
    throw new StatusError('shutting_down', 'This server is shutting down; come back in a moment.')
  const holder: Holder = { occupant: null }
  const leave = await enter(context, request, { token, holder })
  // A client that has gone meanwhile has sent its 'close' event already.
  if (response.destroyed) {
    leave()
    return
  }
  holder.occupant = new EventStream({ context, streams, response, scope, leave, headers, watch })
  // Cookies and all, they would be kept as long as the stream lasts.
  request.headers = {}
  request.rawHeaders = []
}

async function watchOf(request: IncomingMessage, query: string): Promise<WatchBody> {
  const watch =
    request.method === 'POST'
      ? parseWatchBody(await readBody(request))
      : parseWatchQuery(Object.fromEntries(new URLSearchParams(query)))
  const last = request.headers['last-event-id']
  return typeof last === 'string' && last !== '' ? { ...watch, cursor: last } : watch
}

/**
 * @returns how to give the places of address and token back
 * @throws StatusError `rate_limited`, `too_many_connections`
 */
async function enter(
  { limits }: HttpContext,
  request: IncomingMessage,
  { token, holder }: { readonly token: string | null; readonly holder: Holder },
): Promise<() => void> {
  const entry = await limits.enter(request, holder)
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
      { retryAfterS: ROOM_RETRY_S },
    )
  }
  const rise = await limits.seat(token, holder)
  if (rise === null) {
    entry.leave()
    throw new StatusError(
      'too_many_connections',
      'This token has as many sockets and streams open as it may; close some, or raise SOCKETS_PER_TOKEN.',
      { retryAfterS: ROOM_RETRY_S },
    )
  }
  return () => {
    entry.leave()
    rise()
  }
}

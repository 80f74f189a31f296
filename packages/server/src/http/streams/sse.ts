/**
 * `/sse/status`: the messages of the WebSocket as Server-Sent Events, for `EventSource`, `fetch` and curl. The handler does not use
 * Hono, because Hono keeps objects of each request in memory until its response ends, and a stream lasts for minutes.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { StatusError } from '../../errors.ts'
import { readBody } from '../body.ts'
import type { HttpContext } from '../context.ts'
import { admissionOf, bearer, corsHeaders, requireAdmission, scopeFor } from '../admission/door.ts'
import { EventStream, STREAM_HEADERS } from './event-stream.ts'
import { ROOM_RETRY_S } from '../admission/limits.ts'
import { limited, parseWatchBody, parseWatchQuery } from '../messages.ts'
import type { WatchBody } from '../messages.ts'
import { problemAnswer } from '../problem.ts'
import { pathOf } from '../admission/request-head.ts'
import type { Holder } from '../admission/seats.ts'
import type { Streams } from './streams.ts'

/** @returns a handler that returns `true` if it has taken the request */
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

/** Hono answers `OPTIONS` for all paths. */
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
    requireAdmission(admission)
    await begin(asked, headers)
  } catch (error) {
    const answer = problemAnswer(error, context.log)
    // The head is sent, so the server can't send a status any more: it closes the response, and the client reconnects.
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
    throw new StatusError('shutting_down', 'This server is shutting down; connect again.')
  const holder: Holder = { occupant: null }
  const leave = await enter(context, request, { token, holder })
  // If the client closed its request during the wait, its 'close' event has fired already.
  if (response.destroyed) {
    leave()
    return
  }
  holder.occupant = new EventStream({ context, streams, response, scope, leave, headers, watch })
  // Node would keep the headers, cookies included, in memory until the stream ends.
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
 * @returns a function that gives the places of the address and the token back
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
  const leaveToken = await limits.seat(token, holder)
  if (leaveToken === null) {
    entry.leave()
    throw new StatusError(
      'too_many_connections',
      'This token has as many sockets and streams open as it may; close some, or raise SOCKETS_PER_TOKEN.',
      { retryAfterS: ROOM_RETRY_S },
    )
  }
  return () => {
    entry.leave()
    leaveToken()
  }
}

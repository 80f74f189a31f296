import { createServer } from 'node:http'
import type { Server, ServerOptions } from 'node:http'
import { getRequestListener, RequestError } from '@hono/node-server'
import { SetupError, StatusError } from '../errors.ts'
import type { Log } from '../log.ts'
import { createApp } from './app.ts'
import { PATIENCE } from './context.ts'
import type { HttpContext, Patience } from './context.ts'
import { admissionOf, corsHeaders } from './admission/door.ts'
import { Limits, LIMITS } from './admission/limits.ts'
import type { LimitSettings } from './admission/limits.ts'
import { Requests } from './admission/requests.ts'
import { problemAnswer } from './problem.ts'
import { toOriginForm } from './admission/request-head.ts'
import { eventStreams } from './streams/sse.ts'
import { serveWebSockets } from './streams/websocket.ts'
import { Streams } from './streams/streams.ts'

export type { Portal } from './context.ts'

export interface ListenOptions extends Omit<HttpContext, 'patience' | 'limits'> {
  readonly host: string
  /** 0 = any free one. */
  readonly port: number
  readonly patience?: Partial<Patience>
  readonly limits?: Partial<LimitSettings>
}

export interface Listening {
  /** The address of the server on this machine; ends with the base path, without its slash. */
  readonly url: string
  readonly port: number
  /** Open sockets and streams. */
  readonly streams: number
  /** Requests under way, streams not counted. */
  readonly requests: number
  /** Addresses and tokens that hold a place, for leak checks. */
  readonly seats: number
  /** Sends `bye` to all clients and closes the port, within half of this time; the other parts of the server end after it. */
  drain(withinMs: number): Promise<void>
}

/** The time between two sweeps of idle connections during a shutdown. */
const SWEEP_MS = 50

/**
 * One port for HTTP, WebSocket and SSE.
 *
 * @throws SetupError when the port can't be had
 */
export async function listen({ host, port, ...options }: ListenOptions): Promise<Listening> {
  const patience = { ...PATIENCE, ...options.patience }
  // Half of the time for a pong, because a browser ends a handshake after 10 s.
  const proofMs = Math.min(options.heartbeatMs, patience.pongMs / 2)
  const limits = new Limits({ ...LIMITS, ...options.limits }, proofMs)
  const context: HttpContext = { ...options, patience, limits }
  const streams = new Streams(context)
  const requests = new Requests({ limits, unreadMs: patience.unreadMs })
  const app = createApp(context, streams)
  const openStream = eventStreams(context, streams)
  const respond = getRequestListener(app.fetch, {
    errorHandler: (error) => malformed(error, context.log),
  })
  const server = createServer(serverOptions(context.patience), (request, response) => {
    const refuse = (error: StatusError): void => {
      const { status, headers, body } = problemAnswer(error, context.log)
      const { origin } = request.headers
      const cors = corsHeaders(admissionOf(context.callers, request), origin)
      response.writeHead(status, { ...cors, ...headers }).end(body)
    }
    const handle = (): void => {
      toOriginForm(request, context.basePath)
      if (openStream(request, response)) {
        requests.release(response)
        return
      }
      // The adapter builds a URL from the target and Host, and refuses some hosts; door.ts checks Host instead.
      request.url = `http://localhost${request.url ?? '/'}`
      void respond(request, response)
    }
    requests.admit(request, response, { handle, refuse })
  })
  serveWebSockets(server, context, streams)
  try {
    await bind(server, host, port)
  } catch (error) {
    await streams.drain()
    requests.stop()
    throw explain(error, host, port)
  }
  const address = server.address()
  const bound = typeof address === 'object' && address !== null ? address.port : port
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}${context.basePath.slice(0, -1)}`,
    port: bound,
    get streams() {
      return streams.size
    },
    get requests() {
      return requests.size
    },
    get seats() {
      return context.limits.taken
    },
    drain: async (withinMs) => {
      await drain(server, streams, withinMs)
      requests.stop()
    },
  }
}

/** The options of `node:http` that the server sets. */
export function serverOptions({ headMs, idleMs, requestMs }: Patience): ServerOptions {
  return {
    // Proxies reuse idle connections for up to a minute. If the server closes one first, the proxy answers 502.
    keepAliveTimeout: idleMs,
    // The time starts when a connection opens, so a shorter one would close connections that proxies open in advance.
    headersTimeout: headMs,
    requestTimeout: requestMs,
    connectionsCheckingInterval: Math.min(5_000, headMs / 2),
    // Probes of load balancers often send no Host header; door.ts demands it in all other requests.
    requireHostHeader: false,
  }
}

/** Answers a request whose target is no path, for example one with a backslash. */
function malformed(error: unknown, log: Log): Response {
  const cause = error instanceof RequestError ? error : undefined
  const fault =
    cause === undefined
      ? error
      : new StatusError('bad_request', 'The path of the request is malformed.', { cause })
  const { status, headers, body } = problemAnswer(fault, log)
  return new Response(body, { status, headers })
}

function bind(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

async function drain(server: Server, streams: Streams, withinMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => {
      resolve()
    })
  })
  const timer = setTimeout(() => {
    server.closeAllConnections()
  }, withinMs / 2)
  // Node closes connections that are idle now; the sweep closes those that become idle after their reply.
  const sweep = setInterval(() => {
    server.closeIdleConnections()
  }, SWEEP_MS)
  await streams.drain()
  await closed
  clearInterval(sweep)
  clearTimeout(timer)
}

function explain(error: unknown, host: string, port: number): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  switch (code) {
    case 'EADDRINUSE':
      return new SetupError(
        `Port ${port} on ${host} is in use by another program.\n  Stop that one, or choose another port: PORT=8002, or --port 8002.`,
        { cause: error },
      )
    case 'EACCES':
      return new SetupError(
        `Port ${port} may not be used by this user.\n  Choose one above 1023: PORT=8001, or --port 8001.`,
        { cause: error },
      )
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new SetupError(
        `"${host}" is not an address of this machine.\n  Set HOST to one of its addresses, 127.0.0.1, or 0.0.0.0 for all.`,
        { cause: error },
      )
    default:
      return error
  }
}

/**
 * `/ws/status`. The server handles upgrades itself, because it writes frames that many clients share to the raw socket, and
 * drops the request after the handshake. A browser can't read why the server refused an upgrade, so the server accepts a client
 * that breaks a rule and closes the socket with a close code.
 */
import { STATUS_CODES } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { SUBPROTOCOL } from '@mqtt-status/protocol'
import { WebSocketServer } from 'ws'
import type { WebSocket } from 'ws'
import { StatusError } from '../../errors.ts'
import type { HttpContext } from '../context.ts'
import { admissionOf } from '../admission/door.ts'
import { problemAnswer, UPGRADE_REQUIRED } from '../problem.ts'
import type { ProblemAnswer } from '../problem.ts'
import { headWithoutUpgrade, pathOf, toOriginForm } from '../admission/request-head.ts'
import type { Entry, Limits } from '../admission/limits.ts'
import type { Holder } from '../admission/seats.ts'
import type { Streams } from './streams.ts'
import { WebSocketPeer } from './websocket-peer.ts'

const MAX_MESSAGE_BYTES = 64 * 1024
/** The versions of the WebSocket protocol that `ws` implements. */
const VERSIONS: ReadonlySet<string | undefined> = new Set(['8', '13'])

/** Serves sockets on this server's port. */
export function serveWebSockets(server: Server, context: HttpContext, streams: Streams): void {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    perMessageDeflate: false,
    clientTracking: false,
    // If all offered subprotocols are unknown, the server echoes the first: without it the browser would not get the close code.
    handleProtocols: (offered) =>
      offered.has(SUBPROTOCOL) ? SUBPROTOCOL : ([...offered][0] ?? false),
  })
  const { basePath } = context
  const path = `${basePath}ws/status`

  sockets.on('wsClientError', ({ message }, socket, request) => {
    const status = VERSIONS.has(request.headers['sec-websocket-version']) ? 400 : UPGRADE_REQUIRED
    const error = new StatusError('bad_request', `${message}.`, { status })
    refuse(socket, problemAnswer(error, context.log))
  })

  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (isHandshake(request) && pathOf(request, basePath) === path) {
      void accept({ request, socket, head })
    } else {
      readOn(request, socket, head)
    }
  })

  /** The latest response of each connection: with pipelining, it may still be open when the upgrade arrives. */
  const answers = new WeakMap<Duplex, ServerResponse>()
  server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    answers.set(socket, response)
  })

  /** Hands the connection back to the HTTP server, with the request without its `Upgrade` header. */
  function readOn(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const resume = (): void => {
      socket.unshift(Buffer.concat([headWithoutUpgrade(request), head]))
      server.emit('connection', socket)
    }
    const before = answers.get(socket)
    if (before === undefined || before.writableFinished) resume()
    else before.once('finish', resume)
  }

  async function accept({ request, socket, head }: Upgrade): Promise<void> {
    // A reset during the handshake without an error listener would end the process.
    socket.on('error', () => socket.destroy())
    toOriginForm(request, basePath)
    request.headers.upgrade = 'websocket'
    const admission = admissionOf(context.callers, request)
    const { entry, holder } = await placeOf(context.limits, request, socket)
    if (socket.destroyed) return
    const options = { context, streams, socket, admission, entry }
    sockets.handleUpgrade(request, socket, head, (websocket: WebSocket) => {
      holder.occupant = new WebSocketPeer({ ...options, websocket })
    })
  }
}

/** The place that a socket holds until it closes, also where its handshake fails. */
async function placeOf(
  limits: Limits,
  request: IncomingMessage,
  socket: Duplex,
): Promise<{ readonly entry: Entry['kind']; readonly holder: Holder }> {
  const holder: Holder = { occupant: null }
  const entry = await limits.enter(request, holder)
  if (entry.kind === 'admitted') {
    // If the client closed the connection while it waited for a place, 'close' has fired already.
    if (socket.destroyed) entry.leave()
    else socket.once('close', entry.leave)
  }
  return { entry: entry.kind, holder }
}

/** Whether the request is a WebSocket handshake (RFC 6455, 4.1), valid or not. Every other upgrade gets an ordinary reply. */
function isHandshake({ method, headers, httpVersion }: IncomingMessage): boolean {
  const offered = (headers.upgrade ?? '').split(',').map((name) => name.trim().toLowerCase())
  return method === 'GET' && httpVersion !== '1.0' && offered.includes('websocket')
}

/** Writes the reply to the socket, because Node creates no response object for an upgrade. */
function refuse(socket: Duplex, { status, headers, body }: ProblemAnswer): void {
  const lines = Object.entries({
    connection: 'close',
    'content-length': Buffer.byteLength(body),
    ...headers,
  }).map(([name, value]) => `${name}: ${value}`)
  // The client may never close its side, so the server destroys the socket.
  socket.once('finish', () => socket.destroy())
  socket.end([`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`, ...lines, '', body].join('\r\n'))
}

interface Upgrade {
  readonly request: IncomingMessage
  readonly socket: Duplex
  readonly head: Buffer
}

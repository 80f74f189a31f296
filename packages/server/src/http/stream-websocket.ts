/**
 * `/ws/status`. The upgrade is taken in hand: frames that are shared by many are written to the raw socket as they are,
 * and nothing of the handshake is kept. A browser can't see why an upgrade was refused, so violations are accepted
 * first and closed with a code.
 */
import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { SUBPROTOCOL } from '@mqtt-status/protocol'
import { WebSocketServer } from 'ws'
import type { WebSocket } from 'ws'
import type { HttpContext } from './context.ts'
import { admissionOf } from './door.ts'
import type { Streams } from './streams.ts'
import { WebSocketPeer } from './websocket-peer.ts'

const MAX_MESSAGE_BYTES = 64 * 1024

/** Serves sockets on this server's port. */
export function serveWebSockets(server: Server, context: HttpContext, streams: Streams): void {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    perMessageDeflate: false,
    clientTracking: false,
    // Unknown ones only: echo the first, so that the close code arrives.
    handleProtocols: (offered) =>
      offered.has(SUBPROTOCOL) ? SUBPROTOCOL : ([...offered][0] ?? false),
  })
  const path = `${context.basePath}ws/status`

  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    // A reset in the middle of the handshake must find somebody who listens.
    socket.on('error', () => socket.destroy())
    const asked = (request.url ?? '').split('?')[0]?.replace(/\/$/, '')
    if (asked !== path) {
      // The other side may never end, and nobody would wait for it.
      socket.once('finish', () => socket.destroy())
      socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
      return
    }
    void accept({ request, socket, head })
  })

  async function accept({ request, socket, head }: Upgrade): Promise<void> {
    const admission = admissionOf(context.callers, request.headers)
    const entry = await context.limits.enter(request)
    // The handshake may fail: then there is no peer to give the place back.
    socket.once('close', () => {
      if (entry.kind === 'admitted') entry.leave()
    })
    sockets.handleUpgrade(request, socket, head, (websocket: WebSocket) => {
      new WebSocketPeer({ context, streams, websocket, socket, admission, entry: entry.kind })
    })
  }
}

interface Upgrade {
  readonly request: IncomingMessage
  readonly socket: Duplex
  readonly head: Buffer
}

/**
 * `/ws/status`. The upgrade is taken in hand: frames that are shared by many are written to the raw socket as they are,
 * and nothing of the handshake is kept. A browser can't see why an upgrade was refused, so violations are accepted
 * first and closed with a code.
 */
import type { Server } from 'node:http'
import type { HttpContext } from './context.ts'
import type { Streams } from './streams.ts'
/** Serves sockets on this server's port. */
export declare function serveWebSockets(
  server: Server,
  context: HttpContext,
  streams: Streams,
): void

/**
 * One WebSocket client.
 *
 *   greeting ──hello──▶ verifying ──token accepted──▶ live          any ──close──▶ closing
 *
 * Messages are taken one after the other: while a token is verified, later ones wait.
 */
import type { Duplex } from 'node:stream'
import type { CloseName } from '@mqtt-status/protocol'
import type { WebSocket } from 'ws'
import type { Admission } from '../auth/origins.ts'
import { Frame } from '../hub/frames.ts'
import type { Sink } from '../hub/hub.ts'
import type { HttpContext } from './context.ts'
import type { Stream, Streams } from './streams.ts'
export interface PeerOptions {
  readonly context: HttpContext
  readonly streams: Streams
  readonly websocket: WebSocket
  /** The raw socket below: shared frames are written to it directly. */
  readonly socket: Duplex
  readonly admission: Admission
}
export declare class WebSocketPeer implements Stream, Sink {
  #private
  constructor({ context, streams, websocket, socket, admission }: PeerOptions)
  get bufferedBytes(): number
  send(frame: Frame): void
  close(name: CloseName): void
  farewell(): void
  terminate(): void
  tick(nowMs: number): void
}

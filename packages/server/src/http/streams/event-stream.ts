/**
 * One stream of events; it says goodbye after a while, and by then the client has a cursor to come back with.
 *
 *   open ──bye──▶ ending ──closed, or cut off──▶ gone
 */
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { CloseName } from '@mqtt-status/protocol'
import type { Scope } from '../../auth/scope.ts'
import type { Frame } from '../../hub/frames.ts'
import type { Sink, Subscriber } from '../../hub/hub.ts'
import type { HttpContext } from '../context.ts'
import { byeFrame, expiringFrame, welcomeFrame } from './greetings.ts'
import type { WatchBody } from '../messages.ts'
import type { Occupant } from '../admission/seats.ts'
import type { Stream, Streams } from './streams.ts'
import { TokenClock } from './token-clock.ts'

export interface EventStreamOptions {
  readonly context: HttpContext
  readonly streams: Streams
  readonly response: ServerResponse
  readonly scope: Scope
  readonly headers: Record<string, string>
  readonly watch: WatchBody
  /** Called once, when it is gone. */
  readonly leave: () => void
}

/** Of the answer to GET and HEAD alike. */
export const STREAM_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  // Compressing or buffering proxies would hold events back.
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
} as const

type State =
  | { readonly kind: 'open' }
  /** A reader that takes nothing would keep the response open. */
  | { readonly kind: 'ending'; readonly deadlineMs: number }
  | { readonly kind: 'gone' }

const OPEN: State = { kind: 'open' }

export class EventStream implements Stream, Sink, Occupant {
  readonly #context: HttpContext
  readonly #streams: Streams
  readonly #response: ServerResponse
  /** Chunks that are shared by many go here as they are; `null` where that can't be done. */
  readonly #socket: Socket | null
  readonly #subscriber: Subscriber
  readonly #token: TokenClock
  readonly #leave: () => void
  readonly #openedAt: number = Date.now()
  readonly #endsAt: number
  #nextPingAt: number
  #state: State = OPEN

  constructor({ context, streams, response, scope, headers, watch, leave }: EventStreamOptions) {
    this.#context = context
    this.#streams = streams
    this.#response = response
    this.#leave = leave
    this.#token = new TokenClock(scope.expiresAt)
    const nowMs = Date.now()
    const [shortest, longest] = context.patience.streamMs
    this.#endsAt = nowMs + shortest + Math.random() * (longest - shortest)
    this.#nextPingAt = nowMs + context.heartbeatMs * (0.5 + Math.random() / 2)

    response.writeHead(200, { ...headers, ...STREAM_HEADERS })
    response.on('close', this.#gone)
    response.on('error', () => undefined)
    response.on('drain', this.#drained)
    response.write(`retry: ${Math.round(1_000 + Math.random() * 4_000)}\n\n`)
    this.#socket = rawSocket(response)
    this.#socket?.on('drain', this.#drained)
    // Before the hub has anything to say.
    this.send(welcomeFrame(context, scope, this.#token))
    this.#subscriber = context.hub.subscribe(this, scope)
    streams.add(this)
    if (this.#state.kind === 'open') this.#subscriber.watch(watch)
  }

  get bufferedBytes(): number {
    return this.#socket?.writableLength ?? this.#response.writableLength
  }

  /** Bytes of this connection that have left the process. */
  get #sentBytes(): number {
    return (this.#response.socket?.bytesWritten ?? 0) - this.bufferedBytes
  }

  send(frame: Frame): void {
    if (this.#state.kind !== 'open') return
    if (this.#socket === null) this.#response.write(frame.sse)
    else this.#socket.write(frame.sseChunk)
  }

  close(name: CloseName): void {
    if (this.#state.kind !== 'open') return
    this.send(byeFrame(name, this.#streams.size))
    this.#state = { kind: 'ending', deadlineMs: Date.now() + this.#context.patience.closeMs }
    this.#subscriber.close()
    this.#response.end()
  }

  /** A reader sends nothing. It proves that it is there by reading what the server has buffered for it. */
  prove(withinMs: number): Promise<boolean> {
    if (this.#state.kind !== 'open') return Promise.resolve(false)
    if (this.bufferedBytes === 0) return Promise.resolve(true)
    const before = this.#sentBytes
    return new Promise((resolve) => {
      const closed = (): void => {
        clearTimeout(timer)
        resolve(false)
      }
      const timer = setTimeout(() => {
        this.#response.off('close', closed)
        resolve(this.#sentBytes > before)
      }, withinMs)
      this.#response.once('close', closed)
    })
  }

  /** A living reader returns and resumes, a dead one does not. Each stream is served for at least one heartbeat. */
  yield(): boolean {
    const isOpen = this.#state.kind === 'open'
    if (!isOpen || Date.now() < this.#openedAt + this.#context.heartbeatMs) return false
    this.close('rebalance')
    return true
  }

  farewell(): void {
    this.close('shutdown')
  }

  terminate(): void {
    this.#response.destroy()
  }

  tick(nowMs: number): void {
    if (this.#state.kind === 'ending' && nowMs >= this.#state.deadlineMs) this.terminate()
    if (this.#state.kind !== 'open') return
    const due = this.#token.check(nowMs)
    if (due === 'expiring') this.send(expiringFrame(this.#token))
    if (due === 'expired') this.close('token_expired')
    else if (nowMs >= this.#endsAt) this.close('rebalance')
    else if (nowMs >= this.#nextPingAt) {
      this.#nextPingAt = nowMs + this.#context.heartbeatMs
      this.#subscriber.ping()
    }
  }

  readonly #drained = (): void => {
    this.#subscriber.drained()
  }

  readonly #gone = (): void => {
    this.#state = { kind: 'gone' }
    // The socket stays open: another client may send the next request on it.
    this.#socket?.off('drain', this.#drained)
    this.#subscriber.close()
    this.#streams.delete(this)
    this.#leave()
  }
}

/**
 * The socket, where a chunk that was built once may be written to it as it is: HTTP/1.1, and everything before it,
 * head included, is on its way. `chunkedEncoding` is not documented, so it is looked at, never relied upon.
 */
function rawSocket(response: ServerResponse): Socket | null {
  const { socket } = response
  if (socket === null || !response.chunkedEncoding || response.writableNeedDrain) return null
  return response.writableLength === socket.writableLength ? socket : null
}

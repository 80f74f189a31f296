/**
 * One SSE stream. The server ends it with `bye` after 10 to 15 min; the client reconnects with the cursor of its last event.
 *
 *   open ──bye──▶ ending ──the client or a time-out closes the response──▶ gone
 */
import { randomUUID } from 'node:crypto'
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
  /** Gives the places of the stream back; called once, when the response is closed. */
  readonly leave: () => void
}

/** The headers of a stream; the reply to HEAD has them too. */
export const STREAM_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  // Without these two, a proxy that compresses or buffers delays events.
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
} as const

type State =
  | { readonly kind: 'open' }
  /** A client that reads nothing would keep the response open, so the server destroys it at the deadline. */
  | { readonly kind: 'ending'; readonly deadlineMs: number }
  | { readonly kind: 'gone' }

const OPEN: State = { kind: 'open' }

export class EventStream implements Stream, Sink, Occupant {
  readonly #context: HttpContext
  readonly #streams: Streams
  readonly #response: ServerResponse
  /** The socket below the response, to which the stream writes shared chunks; `null` if it has to use the response. */
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
    // `welcome` is the first event, so the stream sends it before it subscribes.
    this.send(welcomeFrame(context, { session: randomUUID(), scope, token: this.#token }))
    this.#subscriber = context.hub.subscribe(this, scope)
    streams.add(this)
    if (this.#state.kind === 'open') this.#subscriber.watch(watch)
  }

  get bufferedBytes(): number {
    return this.#socket?.writableLength ?? this.#response.writableLength
  }

  /** Bytes that the server has handed to the operating system for this connection. */
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

  /** An SSE client sends nothing. It proves that it is alive by reading what the server has buffered for it. */
  prove(withinMs: number): Promise<boolean> {
    if (this.#state.kind !== 'open') return Promise.resolve(false)
    const isWriting = this.#subscriber.isWriting
    if (this.bufferedBytes === 0 && !isWriting) return Promise.resolve(true)
    let before = this.#sentBytes
    return new Promise((resolve) => {
      const closed = (): void => {
        clearTimeout(settling)
        clearTimeout(timer)
        resolve(false)
      }
      // While the server writes, the buffers of the operating system take bytes that no client has read.
      const settling = setTimeout(() => {
        if (isWriting) before = this.#sentBytes
      }, withinMs / 2)
      const timer = setTimeout(() => {
        this.#response.off('close', closed)
        resolve(this.bufferedBytes === 0 || this.#sentBytes > before)
      }, withinMs)
      this.#response.once('close', closed)
    })
  }

  /** Ends the stream with `bye`, unless it is younger than one heartbeat. A living client reconnects and resumes. */
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
    // The socket stays open: the next request may use it.
    this.#socket?.off('drain', this.#drained)
    this.#subscriber.close()
    this.#streams.delete(this)
    this.#leave()
  }
}

/**
 * @returns the socket, if the stream may write complete chunks to it: the response uses chunked encoding, and Node has written
 *   its head and all earlier data. Node does not document `chunkedEncoding`; where it is absent, the stream uses the response
 */
function rawSocket(response: ServerResponse): Socket | null {
  const { socket } = response
  if (socket === null || !response.chunkedEncoding || response.writableNeedDrain) return null
  return response.writableLength === socket.writableLength ? socket : null
}

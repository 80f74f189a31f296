/**
 * One WebSocket client.
 *
 *   greeting ──hello──▶ verifying ──token accepted──▶ live          any ──close──▶ closing
 *
 * The peer handles one message after the other: while it verifies a token, later messages wait.
 */
import { randomUUID } from 'node:crypto'
import type { Duplex } from 'node:stream'
import { CLOSE_CODES, SUBPROTOCOL } from '@mqtt-status/protocol'
import type { ClientMessage, CloseName, Hello } from '@mqtt-status/protocol'
import type { RawData, WebSocket } from 'ws'
import { StatusError } from '../../errors.ts'
import { Frame } from '../../hub/frames.ts'
import type { Sink, Subscriber } from '../../hub/hub.ts'
import type { HttpContext } from '../context.ts'
import { scopeFor } from '../admission/door.ts'
import type { Verdict } from '../admission/door.ts'
import { byeFrame, expiringFrame, welcomeFrame } from './greetings.ts'
import type { Entry } from '../admission/limits.ts'
import { parseMessage } from '../messages.ts'
import type { Holder, Occupant } from '../admission/seats.ts'
import type { Stream, Streams } from './streams.ts'
import { TokenClock } from './token-clock.ts'

export interface PeerOptions {
  readonly context: HttpContext
  readonly streams: Streams
  readonly websocket: WebSocket
  /** The raw socket below: shared frames are written to it directly. */
  readonly socket: Duplex
  readonly admission: Verdict
  /** Whether the limits allow one more socket from this address. */
  readonly entry: Entry['kind']
}

type State =
  | { readonly kind: 'greeting'; readonly deadlineMs: number }
  | { readonly kind: 'verifying' }
  | { readonly kind: 'live'; readonly subscriber: Subscriber }
  /** A client that is gone or does not read never closes, so the server terminates the socket at the deadline. */
  | { readonly kind: 'closing'; readonly deadlineMs: number }

/** Messages that may wait while the peer verifies a token, and their bytes, over which the server reads nothing more. */
const QUEUE = 256
const QUEUE_BYTES = 64 * 1024
/** Messages between two ticks of the clock, which are a second apart at most. */
const MESSAGES_PER_TICK = 200

export class WebSocketPeer implements Stream, Sink, Occupant {
  readonly #context: HttpContext
  readonly #streams: Streams
  readonly #websocket: WebSocket
  readonly #socket: Duplex
  readonly #admission: Verdict
  readonly #queue: ClientMessage[] = []
  /** Names this socket in `welcome` and in the log. */
  readonly #session = randomUUID()
  #client: Hello['client'] | null = null
  #state: State
  #working = false
  #queuedBytes = 0
  #messages = 0
  /** Gives the place of the token back. */
  #leaveToken: () => void = () => undefined
  #token = new TokenClock(null)
  #heardAt = Date.now()
  /** Called with `true` at the next frame of the client, and with `false` when the socket closes. */
  readonly #proofs = new Set<(alive: boolean) => void>()
  readonly #holder: Holder = { occupant: this }
  /** The time of the first ping since the last frame of the client, in ms; `null` if there is none. */
  #pingedAt: number | null = null
  #nextPingAt: number

  constructor({ context, streams, websocket, socket, admission, entry }: PeerOptions) {
    this.#context = context
    this.#streams = streams
    this.#websocket = websocket
    this.#socket = socket
    this.#admission = admission
    this.#state = { kind: 'greeting', deadlineMs: Date.now() + context.patience.helloMs }
    // A random start spreads the pings of a fleet that connected at the same time.
    this.#nextPingAt = Date.now() + context.heartbeatMs * (0.5 + Math.random() / 2)
    websocket.on('message', (data, isBinary) => {
      this.#receive(data, isBinary)
    })
    // Control frames also show that the client is alive.
    const alive = (): void => {
      this.#heard()
    }
    websocket.on('ping', alive).on('pong', alive)
    // ws closes the socket on protocol errors (1002, 1009, …); an error without a listener would end the process.
    websocket.on('error', () => undefined)
    websocket.on('close', () => {
      this.#gone()
    })
    socket.on('drain', () => {
      if (this.#state.kind === 'live') this.#state.subscriber.drained()
    })
    streams.add(this)
    this.#refuse(entry)
  }

  get bufferedBytes(): number {
    return this.#socket.writableLength
  }

  send(frame: Frame): void {
    if (this.#state.kind !== 'closing') this.#socket.write(frame.websocket)
  }

  close(name: CloseName): void {
    // 42xx: `bye` has the range in which the client reconnects.
    if (CLOSE_CODES[name] >= 4200) this.send(byeFrame(name, this.#streams.size))
    this.#close(CLOSE_CODES[name], name)
  }

  /** A browser answers a ping frame even if the page is busy or in the background. */
  prove(withinMs: number): Promise<boolean> {
    if (this.#state.kind === 'closing') return Promise.resolve(false)
    // One ping serves both calls if the limits of the address and of the token call at the same time.
    if (this.#proofs.size === 0) this.#websocket.ping()
    return new Promise((resolve) => {
      const settle = (alive: boolean): void => {
        clearTimeout(timer)
        this.#proofs.delete(settle)
        resolve(alive)
      }
      const timer = setTimeout(() => {
        settle(false)
      }, withinMs)
      this.#proofs.add(settle)
    })
  }

  /** A socket keeps its place: it has answered a ping. */
  yield(): boolean {
    return false
  }

  farewell(): void {
    this.close('shutdown')
  }

  terminate(): void {
    this.#websocket.terminate()
  }

  tick(nowMs: number): void {
    this.#messages = 0
    switch (this.#state.kind) {
      case 'greeting':
        if (nowMs >= this.#state.deadlineMs) this.close('hello_timeout')
        return
      case 'verifying':
        return
      case 'closing':
        if (nowMs >= this.#state.deadlineMs) this.terminate()
        return
      case 'live':
        this.#checkToken(nowMs)
        this.#beat(nowMs)
    }
  }

  /** Closes a socket that is not allowed. A browser can read the close code, but not the status of a refused handshake. */
  #refuse(entry: Entry['kind']): void {
    const { protocol } = this.#websocket
    if (entry !== 'admitted') this.close(entry)
    else if (this.#admission.kind === 'refused')
      this.#close(CLOSE_CODES.forbidden, this.#admission.code)
    else if (protocol !== '' && protocol !== SUBPROTOCOL) this.close('version')
  }

  #receive(data: RawData, isBinary: boolean): void {
    if (this.#state.kind === 'closing') return
    this.#heard()
    // The widgets send a few messages a second.
    if (++this.#messages > MESSAGES_PER_TICK) {
      this.close('abuse')
      return
    }
    if (isBinary || this.#queue.length >= QUEUE) {
      this.close('bad_request')
      return
    }
    try {
      const message = parseMessage((data as Buffer).toString('utf8'))
      if (message === null) return
      this.#queue.push(message)
      this.#queuedBytes += (data as Buffer).length
      void this.#work()
      if (this.#working && this.#queuedBytes > QUEUE_BYTES) this.#websocket.pause()
    } catch {
      this.close('bad_request')
    }
  }

  #heard(): void {
    this.#heardAt = Date.now()
    for (const settle of this.#proofs) settle(true)
  }

  /** Handles one message after the other; the next one waits while a token is verified. */
  async #work(): Promise<void> {
    if (this.#working) return
    this.#working = true
    try {
      for (let message = this.#queue.shift(); message; message = this.#queue.shift()) {
        await this.#handle(message)
      }
    } catch (error) {
      this.#fail(error)
    }
    this.#working = false
    this.#queuedBytes = 0
    if (this.#websocket.isPaused) this.#websocket.resume()
  }

  async #handle(message: ClientMessage): Promise<void> {
    if (this.#state.kind === 'greeting') {
      if (message.type !== 'hello')
        throw new StatusError('bad_request', 'The first message must be hello.')
      this.#state = { kind: 'verifying' }
      this.#client = message.client ?? null
      await this.#authorize(message.token ?? null)
      return
    }
    if (this.#state.kind !== 'live') return
    const { subscriber } = this.#state
    switch (message.type) {
      case 'hello':
        throw new StatusError(
          'bad_request',
          'hello was sent already; send auth to replace the token.',
        )
      case 'auth':
        await this.#authorize(message.token)
        return
      case 'watch':
        subscriber.watch(message)
        return
      case 'unwatch':
        subscriber.unwatch(message)
        return
      case 'ping':
        this.send(Frame.of({ type: 'pong', now: new Date().toISOString() }))
        return
      case 'pong':
    }
  }

  async #authorize(token: string | null): Promise<void> {
    const scope = await scopeFor(this.#context.verify, this.#admission, token)
    if (this.#state.kind === 'closing') return
    this.#leaveToken()
    const leave = await this.#context.limits.seat(token, this.#holder)
    if (leave === null) {
      this.close('too_many_connections')
      return
    }
    // The client may have closed the socket while it waited for a place.
    if (this.#isClosing) {
      leave()
      return
    }
    this.#leaveToken = leave
    this.#token = new TokenClock(scope.expiresAt)
    this.send(welcomeFrame(this.#context, { session: this.#session, scope, token: this.#token }))
    if (this.#state.kind === 'live') this.#state.subscriber.rescope(scope)
    else this.#state = { kind: 'live', subscriber: this.#context.hub.subscribe(this, scope) }
    this.#checkToken(Date.now())
  }

  get #isClosing(): boolean {
    return this.#state.kind === 'closing'
  }

  #checkToken(nowMs: number): void {
    const due = this.#token.check(nowMs)
    if (due === 'expiring') this.send(expiringFrame(this.#token))
    if (due === 'expired') this.close('token_expired')
  }

  #beat(nowMs: number): void {
    // The check of the token may have closed the socket.
    if (this.#state.kind !== 'live') return
    const { subscriber } = this.#state
    const { heartbeatMs, patience } = this.#context
    if (this.#pingedAt !== null && this.#heardAt >= this.#pingedAt) this.#pingedAt = null
    if (this.#pingedAt !== null && nowMs >= this.#pingedAt + patience.pongMs) {
      this.close('no_pong')
      return
    }
    if (nowMs < this.#nextPingAt) return
    this.#nextPingAt = nowMs + heartbeatMs
    this.#pingedAt ??= nowMs
    subscriber.ping()
  }

  #fail(error: unknown): void {
    if (error instanceof StatusError) {
      this.close(error.code === 'unauthorized' ? 'unauthorized' : 'bad_request')
      return
    }
    const { name, version } = this.#client ?? {}
    this.#context.log.error(
      { err: error, session: this.#session, client: name, clientVersion: version },
      'the server could not handle a message of a client',
    )
    this.close('server_error')
  }

  #close(code: number, reason: string): void {
    if (this.#state.kind === 'closing') return
    if (this.#state.kind === 'live') this.#state.subscriber.close()
    this.#state = { kind: 'closing', deadlineMs: Date.now() + this.#context.patience.closeMs }
    this.#websocket.close(code, reason)
  }

  #gone(): void {
    if (this.#state.kind === 'live') this.#state.subscriber.close()
    this.#state = { kind: 'closing', deadlineMs: Number.POSITIVE_INFINITY }
    for (const settle of this.#proofs) settle(false)
    this.#leaveToken()
    this.#streams.delete(this)
  }
}

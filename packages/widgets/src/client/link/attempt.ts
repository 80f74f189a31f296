/**
 * One attempt to reach the server: gets a token, opens one transport, sends `hello`, answers pings, renews the token, and
 * reports the loss of the transport. After a loss the link makes another attempt.
 */
import { fullJitter } from '@mqtt-status/protocol'
import type { Bye, ClientMessage, ServerMessage } from '@mqtt-status/protocol'
import type { ServerClock } from './clock.ts'
import { failureOf } from './failures.ts'
import type { Failure } from './failures.ts'
import { readMessage } from '../incoming.ts'
import { BACKOFF } from './link-state.ts'
import { DENIED, TokenError } from '../token/token-error.ts'
import type { Tokens } from '../token/tokens.ts'
import type { OpenTransport, Transport } from '../transport/transport.ts'
import { DOUBT_MS, OPENING_MS, PROBE_MS, SILENCE_MS } from './timing.ts'

export interface Loss {
  /** Whether another transport might get through. @default false */
  readonly byTransport?: boolean
  /** When the server wants the client to come back, in ms. @default null */
  readonly window?: Bye['reconnectAfterMs'] | null
}

export interface AttemptOptions {
  /** Ends with a slash. */
  readonly src: string
  readonly tokens: Tokens
  readonly transports: {
    open(): Promise<OpenTransport>
    received(type: 'welcome' | 'ping'): void
  }
  readonly clock: ServerClock
  readonly now: () => number
  readonly random: () => number
  /** The transport is open, and `hello` is sent. The server knows none of the watches. */
  readonly onOpen: () => void
  /** Every message except `pong`, `expiring` and `bye`, which concern the attempt only. */
  readonly onMessage: (message: ServerMessage) => void
  /** A message has proved that the transport works. */
  readonly onHeard: () => void
  /** The link has to close the attempt. */
  readonly onLost: (failure: Failure, loss?: Loss) => void
}

type Timer = ReturnType<typeof setTimeout> | undefined

export class Attempt {
  readonly #options: AttemptOptions
  /** The server accepts no other message before `hello`. */
  #stage: 'opening' | 'open' | 'welcomed' | 'closed' = 'opening'
  #transport: Transport | null = null
  /** When the last `hello` or `ping` was sent. */
  #askedMs = 0
  /** Before that, only a `pong` proves that the transport works. */
  #doubtUntilMs = 0
  #heartbeatMs = 0
  #silence: Timer
  #renewal: Timer

  constructor(options: AttemptOptions) {
    this.#options = options
    void this.#open()
  }

  /** @returns whether the message was sent; an attempt queues nothing */
  send(message: ClientMessage): boolean {
    return (this.#stage !== 'opening' && this.#transport?.send(message)) ?? false
  }

  /** Sends a `ping`, because the transport may be dead without an event. */
  probe(): void {
    const { clock, now } = this.#options
    this.#askedMs = now()
    this.#doubtUntilMs = this.#askedMs + DOUBT_MS
    clock.doubt()
    this.send({ type: 'ping' })
    this.#expect(PROBE_MS, false)
  }

  /** Closes the transport, and ignores whatever it still reports. */
  close(): void {
    this.#stage = 'closed'
    clearTimeout(this.#silence)
    clearTimeout(this.#renewal)
    this.#transport?.close()
    this.#transport = null
  }

  #isClosed(): boolean {
    return this.#stage === 'closed'
  }

  async #open(): Promise<void> {
    const { tokens, transports, src, onLost } = this.#options
    try {
      // A listener that leaves within the same task causes no request for a token.
      await Promise.resolve()
      if (this.#isClosed()) return
      const [open, token] = await Promise.all([transports.open(), tokens.get()])
      if (this.#isClosed()) return
      this.#expect(OPENING_MS)
      this.#transport = open(src, {
        onOpen: () => {
          if (!this.#isClosed()) this.#greet(token)
        },
        onMessage: (text) => {
          if (!this.#isClosed()) this.#read(text)
        },
        onClose: (code) => {
          if (this.#isClosed()) return
          onLost(failureOf(code), { byTransport: this.#stage !== 'welcomed' })
        },
      })
    } catch (error) {
      if (this.#isClosed()) return
      onLost(error === DENIED ? 'denied' : error instanceof TokenError ? 'token_source' : 'broken')
    }
  }

  #greet(token: string | null): void {
    const { now, onOpen } = this.#options
    this.#stage = 'open'
    this.#askedMs = now()
    this.#expect(SILENCE_MS)
    this.send({ type: 'hello', ...(token !== null && { token }) })
    onOpen()
  }

  #read(text: string): void {
    const { now, onLost, onHeard } = this.#options
    const message = readMessage(text)
    if (message) this.#receive(message)
    else onLost('garbled')
    if (this.#isClosed() || now() < this.#doubtUntilMs) return
    onHeard()
    this.#expect(this.#heartbeatMs + SILENCE_MS)
  }

  #receive(message: ServerMessage): void {
    const { clock, tokens, transports, onMessage, onLost } = this.#options
    switch (message.type) {
      case 'welcome':
        this.#stage = 'welcomed'
        this.#heartbeatMs = message.heartbeatMs
        clock.sample(message.now, this.#askedMs)
        transports.received('welcome')
        tokens.accepted = true
        break
      case 'ping':
        this.send({ type: 'pong' })
        transports.received('ping')
        break
      case 'pong':
        this.#doubtUntilMs = 0
        clock.sample(message.now, this.#askedMs)
        return
      case 'expiring':
        void this.#renew(0)
        return
      case 'bye':
        // The server sends nothing after it, and its close frame may get lost.
        onLost(failureOf(message.code), { window: message.reconnectAfterMs })
        return
      default:
    }
    onMessage(message)
  }

  /** Sends a new token on this transport. Without one, the server closes it, and the link opens another one. */
  async #renew(retries: number): Promise<void> {
    const { tokens, random } = this.#options
    if (!tokens.renewable) return
    clearTimeout(this.#renewal)
    tokens.expire()
    try {
      const token = await tokens.get()
      if (token !== null) this.send({ type: 'auth', token })
    } catch (error) {
      if (this.#isClosed() || error === DENIED) return
      this.#renewal = setTimeout(
        () => {
          void this.#renew(retries + 1)
        },
        fullJitter(retries, BACKOFF, random()),
      )
    }
  }

  /** The transport is lost unless a message arrives within this time. */
  #expect(withinMs: number, byTransport = true): void {
    clearTimeout(this.#silence)
    this.#silence = setTimeout(() => {
      this.#options.onLost('broken', { byTransport })
    }, withinMs)
  }
}

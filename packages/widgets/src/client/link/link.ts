/** Keeps one transport open: runs the effects of `link-state.ts`, and sends it what the transport and the page report. */
import { fullJitter } from '@mqtt-status/protocol'
import type { Bye, ClientMessage, ServerMessage, Welcome } from '@mqtt-status/protocol'
import { ServerClock } from './clock.ts'
import { observeEnvironment } from './environment.ts'
import { failureOf } from './failures.ts'
import type { Failure, LinkCause } from './failures.ts'
import { readMessage } from '../incoming.ts'
import { BACKOFF, nextLink } from './link-state.ts'
import type { LinkEvent, LinkPhase } from './link-state.ts'
import { LinkDisplay } from './link-display.ts'
import type { Link } from './link-view.ts'
import { DENIED, TokenError } from '../token/token-error.ts'
import type { Tokens } from '../token/tokens.ts'
import type { OpenTransport, Transport, TransportListener } from '../transport/transport.ts'
import { Visits } from './visits.ts'
import { DOUBT_MS, FLICKER_MS, OPENING_MS, PROBE_MS, SILENCE_MS, WAKING_MS } from './timing.ts'

/** What the link needs of the transports. */
export interface TransportChoice {
  open(): Promise<OpenTransport>
  received(type: 'welcome' | 'ping'): void
  /** @returns the reason, after a request to `/healthz`; `null` where there is no other transport */
  failed(): Promise<LinkCause | null> | null
}

export interface LinkOptions {
  /** Ends with a slash. */
  readonly src: string
  readonly tokens: Tokens
  readonly transports: TransportChoice
  /** The client closes its transport after the page was hidden for so long, in ms; 0 = never. */
  readonly pauseHiddenMs: number
  readonly now: () => number
  readonly random: () => number
  /** A new transport is open. The server knows none of the watches. */
  readonly onOpen: () => void
  /** The transport is gone. */
  readonly onClose: () => void
  readonly onWelcome: (welcome: Welcome) => void
  /** Every other message that concerns rows. */
  readonly onMessage: (message: ServerMessage) => void
  /** A message could not be read. */
  readonly onGarbled: () => void
  readonly onChange: () => void
}

type Timer = ReturnType<typeof setTimeout> | undefined

interface Loss {
  readonly byTransport?: boolean
  readonly window?: Bye['reconnectAfterMs'] | null
}

export class LinkKeeper {
  readonly clock: ServerClock
  readonly #options: LinkOptions
  readonly #visits = new Visits(this)
  #phase: LinkPhase = { kind: 'idle' }
  #transport: Transport | null = null
  /** Rises when a transport is closed. Callbacks of earlier transports compare it, and do nothing. */
  #dial = 0
  /** Rises with each loss. The finding about an earlier loss is dropped. */
  #losses = 0
  /** Whether `hello` was sent. The server accepts no other message before it. */
  #greeted = false
  #quietMs = FLICKER_MS
  #askedMs = 0
  /** Before that, only a `pong` proves that the transport works. */
  #doubtUntilMs = 0
  #heartbeatMs = 0
  #unobserve: (() => void) | null = null
  #wait: Timer
  #silence: Timer
  #renewal: Timer
  readonly #view: LinkDisplay

  constructor(options: LinkOptions) {
    this.#options = options
    this.clock = new ServerClock(options.now)
    this.#view = new LinkDisplay({ ...options, clock: this.clock })
  }

  /** Its identity changes only when something in it does. */
  get view(): Link {
    return this.#view.link
  }

  /** A listener needs the link. @returns the undo function; it calls `release` once */
  visit(release: () => void): () => void {
    this.start()
    return this.#visits.begin(release)
  }

  start(): void {
    if (this.#phase.kind !== 'idle') return
    this.#handle({ kind: 'start' })
    this.#unobserve = observeEnvironment((kind) => {
      if (kind === 'resume') this.#view.hush(WAKING_MS)
      this.#handle({ kind })
    }, this.#options)
  }

  /** The last listener has left: closes the transport. */
  stop(): void {
    this.#unobserve?.()
    this.#unobserve = null
    this.#handle({ kind: 'stop' })
    this.#view.stop()
  }

  /** Opens a transport at once, although the link waits, is offline or paused. */
  retry(): void {
    this.#handle({ kind: 'retry' })
  }

  answered(): void {
    this.#handle({ kind: 'answered' })
  }

  /** The server has not answered a watch in time. While it can't read its database, it can't answer. */
  unanswered(): void {
    const phase = this.#phase
    if ((phase.kind === 'open' || phase.kind === 'live') && !phase.feedStale)
      this.#lost('unanswered')
  }

  /** Sends this token on the open transport; without one the link opens a transport with it. */
  authenticate(token: string): void {
    this.#options.tokens.set(token)
    if (!this.send({ type: 'auth', token })) this.retry()
  }

  /** @returns whether the message was sent; the link queues nothing */
  send(message: ClientMessage): boolean {
    return (this.#greeted && this.#transport?.send(message)) ?? false
  }

  #handle(event: LinkEvent): void {
    const { now, random } = this.#options
    const [phase, effect] = nextLink(this.#phase, event, { nowMs: now(), random: random() })
    const changed = phase !== this.#phase
    this.#phase = phase
    if (effect === 'probe') this.#probe()
    else if (effect) this.#close()
    if (effect === 'dial') void this.#open()
    // Timers and the view follow from the phase.
    if (!changed) return
    clearTimeout(this.#wait)
    if (phase.kind === 'waiting') {
      this.#wait = setTimeout(
        () => {
          this.#handle({ kind: 'elapsed' })
        },
        Math.max(0, phase.untilMs - now()),
      )
    }
    this.#view.show(phase, this.#quietMs)
  }

  async #open(): Promise<void> {
    const dial = this.#dial
    const { tokens, transports, src, onOpen } = this.#options
    try {
      // A listener that leaves within the same task causes no request for a token.
      await Promise.resolve()
      if (dial !== this.#dial) return
      const [open, token] = await Promise.all([transports.open(), tokens.get()])
      if (dial !== this.#dial) return
      const listener = this.#listener(() => {
        this.#greeted = true
        this.#askedMs = this.#options.now()
        this.#expect(SILENCE_MS)
        this.send({ type: 'hello', ...(token !== null && { token }) })
        onOpen()
      })
      this.#expect(OPENING_MS)
      this.#transport = open(src, listener)
    } catch (error) {
      if (dial !== this.#dial) return
      if (error === DENIED) this.#lost('denied')
      else this.#lost(error instanceof TokenError ? 'token_source' : 'broken')
    }
  }

  /** Ignores the transport as soon as it is not the current one. */
  #listener(onOpen: () => void): TransportListener {
    const dial = this.#dial
    const isOurs = (): boolean => dial === this.#dial
    return {
      onOpen: () => {
        if (isOurs()) onOpen()
      },
      onMessage: (text) => {
        if (!isOurs()) return
        const message = readMessage(text)
        if (message === null) {
          this.#options.onGarbled()
          this.#lost('garbled')
          return
        }
        this.#receive(message)
        if (isOurs() && this.#options.now() >= this.#doubtUntilMs) this.#heard()
      },
      onClose: (code) => {
        if (isOurs()) this.#lost(failureOf(code), { byTransport: this.#phase.kind === 'opening' })
      },
    }
  }

  #receive(message: ServerMessage): void {
    const { onWelcome, onMessage, transports } = this.#options
    switch (message.type) {
      case 'welcome':
        this.#heartbeatMs = message.heartbeatMs
        this.clock.sample(message.now, this.#askedMs)
        transports.received('welcome')
        this.#options.tokens.accepted = true
        onWelcome(message)
        this.#handle({ kind: 'welcomed' })
        return
      case 'ping':
        this.send({ type: 'pong' })
        transports.received('ping')
        break
      case 'pong':
        this.#doubtUntilMs = 0
        this.clock.sample(message.now, this.#askedMs)
        return
      case 'expiring':
        void this.#renew(0)
        return
      case 'feed':
        if (message.state === 'stale') this.#view.staleSince(Date.parse(message.since))
        this.#handle({ kind: 'feed', stale: message.state === 'stale' })
        return
      case 'bye':
        // The server sends nothing after it, and its close frame may get lost.
        this.#lost(failureOf(message.code), { window: message.reconnectAfterMs })
        return
      default:
    }
    onMessage(message)
  }

  /** Sends a new token on this transport. Without one, the server closes it, and the link opens another one. */
  async #renew(attempt: number): Promise<void> {
    const { tokens, random } = this.#options
    if (!tokens.renewable) return
    const dial = this.#dial
    clearTimeout(this.#renewal)
    tokens.expire()
    try {
      const token = await tokens.get()
      if (dial === this.#dial && token !== null) this.send({ type: 'auth', token })
    } catch (error) {
      if (dial !== this.#dial || error === DENIED) return
      this.#renewal = setTimeout(
        () => {
          void this.#renew(attempt + 1)
        },
        fullJitter(attempt, BACKOFF, random()),
      )
    }
  }

  /** Any message proves that the transport works. No message within a heartbeat and 10 s proves the opposite. */
  #heard(): void {
    this.#view.heard()
    this.#expect(this.#heartbeatMs + SILENCE_MS)
  }

  #probe(): void {
    this.#askedMs = this.#options.now()
    this.#doubtUntilMs = this.#askedMs + DOUBT_MS
    this.clock.doubt()
    this.send({ type: 'ping' })
    this.#expect(PROBE_MS, false)
  }

  /** @param byTransport whether the transport may be the cause if no message arrives */
  #expect(withinMs: number, byTransport = true): void {
    clearTimeout(this.#silence)
    this.#silence = setTimeout(() => {
      this.#lost('broken', { byTransport })
    }, withinMs)
  }

  /**
   * @param byTransport whether the transport may be the cause
   * @param window when the server wants the client to come back, in ms
   */
  #lost(failure: Failure, { byTransport = false, window = null }: Loss = {}): void {
    const { tokens, transports } = this.#options
    const finding = byTransport && failure === 'broken' ? transports.failed() : null
    if (failure === 'unauthorized' || failure === 'token_expired') tokens.expire()
    this.#quietMs = window ? WAKING_MS : FLICKER_MS
    this.#close()
    const { renewable } = tokens
    const probing = finding !== null
    this.#handle({ kind: 'lost', failure, probing, window, renewable, credentials: tokens })
    const loss = ++this.#losses
    // A page that can't load the code for this request can't reach the server either.
    void finding
      ?.catch(() => 'unreachable' as const)
      .then((cause) => {
        if (loss === this.#losses) this.#handle({ kind: 'probed', cause })
      })
  }

  #close(): void {
    this.#dial++
    this.#greeted = false
    this.#doubtUntilMs = 0
    clearTimeout(this.#silence)
    clearTimeout(this.#renewal)
    this.#transport?.close()
    this.#transport = null
    this.#options.onClose()
  }
}

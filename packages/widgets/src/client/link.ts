/** Keeps one transport alive: runs the link machine and does what it asks for. */
import { fullJitter } from '@mqtt-status/protocol'
import type { Bye, ClientMessage, ServerMessage, Welcome } from '@mqtt-status/protocol'
import { ServerClock } from './clock.ts'
import { observeEnvironment } from './environment.ts'
import { BACKOFF, causeOf, nextLink } from './link-state.ts'
import type { LinkEvent, LinkPhase, LinkState } from './link-state.ts'
import { DENIED } from './tokens.ts'
import type { Tokens } from './tokens.ts'
import type { OpenTransport, Transport, TransportListener } from './transport.ts'

/** The line as a page may show it; both times are the server's (compare with `client.now()`). */
export interface Link {
  readonly state: LinkState
  /** Since when, in ms since the epoch; while not live: when what is shown was last known to be true. */
  readonly since: number
  /** When the next attempt is made, in ms since the epoch; `null` = none is planned. */
  readonly retryAt: number | null
  /**
   * While connecting: `unreachable` once an attempt has failed. While unauthorized: `tokenless` if the page has no token
   * to bring. Otherwise `null`.
   */
  readonly cause: 'unreachable' | 'tokenless' | null
}

/** What a link needs of the wires: one to open, and to be told how it went. */
export interface WireChoice {
  open(): Promise<OpenTransport>
  worked(): void
  failed(): Promise<void>
}

export interface LinkOptions {
  /** Ends with a slash. */
  readonly src: string
  readonly tokens: Tokens
  readonly wires: WireChoice
  /** A page that is hidden for so long lets go of its line, in ms; 0 = never. */
  readonly pauseHiddenMs: number
  readonly now: () => number
  readonly random: () => number
  /** A new line: everything is asked anew. */
  readonly onOpen: () => void
  readonly onWelcome: (welcome: Welcome) => void
  /** Everything else that concerns rows. */
  readonly onMessage: (message: ServerMessage) => void
  readonly onChange: () => void
}

type Timer = ReturnType<typeof setTimeout> | undefined

/** A loss that is mended this soon is not worth a word; after waking, or a goodbye, everybody is patient. */
const FLICKER_MS = 1_000
const WAKING_MS = 3_000
const SILENCE_MS = 10_000
/** No wire takes longer to open. */
const OPENING_MS = 15_000
/** How long a line that may be dead is given to answer. */
const PROBE_MS = 2_000
/** What comes so soon after waking may have been under way before. */
const DOUBT_MS = 1_000
const LOST = 1006

export class LinkKeeper {
  readonly clock: ServerClock
  readonly #options: LinkOptions
  #phase: LinkPhase = { kind: 'idle' }
  #transport: Transport | null = null
  /** Rises with each line that is let go: what an old line still says is not listened to. */
  #dial = 0
  /** Whether hello was said: nothing may be said before. */
  #greeted = false
  #mendingMs = FLICKER_MS
  #askedMs = 0
  /** Until then only an answer proves that the line lives. */
  #doubtUntilMs = 0
  #heartbeatMs = 0
  #unobserve: (() => void) | null = null
  #wait: Timer
  #silence: Timer
  #renewal: Timer
  #flicker: Timer
  #view: Link
  /** When what is shown was last known to be true. */
  #trueAt: number
  #everLive = false

  constructor(options: LinkOptions) {
    this.#options = options
    this.clock = new ServerClock(options.now)
    this.#trueAt = options.now()
    this.#view = { state: 'connecting', since: this.#trueAt, retryAt: null, cause: null }
  }

  /** Its identity changes only when something in it does. */
  get view(): Link {
    return this.#view
  }

  /** Whether each watch has to name everything. */
  get whole(): boolean {
    return this.#transport?.whole ?? false
  }

  start(): void {
    if (this.#phase.kind !== 'idle') return
    this.#handle({ kind: 'start' })
    this.#unobserve = observeEnvironment((kind) => {
      if (kind === 'resume') this.#hush(WAKING_MS)
      this.#handle({ kind })
    }, this.#options)
  }

  /** Nobody listens any more: lets go of the socket. */
  stop(): void {
    this.#unobserve?.()
    this.#unobserve = null
    this.#handle({ kind: 'stop' })
    clearTimeout(this.#flicker)
  }

  /** Tries at once, whatever it waits for. */
  retry(): void {
    this.#handle({ kind: 'retry' })
  }

  answered(): void {
    this.#handle({ kind: 'answered' })
  }

  /** Uses this token: on the open line, or to come back with. */
  authenticate(token: string): void {
    this.#options.tokens.set(token)
    if (!this.send({ type: 'auth', token })) this.retry()
  }

  /** @returns whether it went out: while there is no line nothing is kept for later */
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
    this.#show()
  }

  #show(): void {
    const state = this.#state
    const { kind } = this.#phase
    const isMending =
      this.#view.state === 'live' && state === 'stale' && kind !== 'live' && kind !== 'idle'
    if (isMending) {
      this.#flicker ??= this.#hush(this.#mendingMs)
      return
    }
    clearTimeout(this.#flicker)
    this.#flicker = undefined
    this.#become()
  }

  /** Says nothing of a loss until then. */
  #hush(ms: number): Timer {
    clearTimeout(this.#flicker)
    this.#flicker = setTimeout(() => {
      this.#flicker = undefined
      this.#become()
    }, ms)
    return this.#flicker
  }

  #become(): void {
    const state = this.#state
    const former = this.#view
    const offsetMs = this.clock.now() - this.#options.now()
    const retryAt = this.#phase.kind === 'waiting' ? this.#phase.untilMs + offsetMs : null
    this.#everLive = state === 'live' || (this.#everLive && this.#phase.kind !== 'idle')
    const cause = causeOf(state, this.#phase, this.#options.tokens)
    const isSame = state === former.state
    if (isSame && retryAt === former.retryAt && cause === former.cause) return
    const since = isSame ? former.since : state === 'live' ? this.clock.now() : this.#trueAt
    this.#view = { state, since, retryAt, cause }
    this.#options.onChange()
  }

  get #state(): LinkState {
    const phase = this.#phase
    switch (phase.kind) {
      case 'ended':
        return phase.state
      case 'offline':
        return 'offline'
      case 'live':
        return phase.feedStale ? 'stale' : 'live'
      case 'idle':
        // Nobody tries to connect.
        return 'stale'
      default:
        // What was shown once stays, and is said to be old.
        return this.#everLive ? 'stale' : 'connecting'
    }
  }

  async #open(): Promise<void> {
    const dial = this.#dial
    const { tokens, wires, src, onOpen } = this.#options
    try {
      const [open, token] = await Promise.all([wires.open(), tokens.get()])
      if (dial !== this.#dial) return
      const line = this.#listener(() => {
        this.#greeted = true
        this.#askedMs = this.#options.now()
        this.#expect(SILENCE_MS)
        this.send({ type: 'hello', ...(token !== null && { token }) })
        onOpen()
      })
      this.#expect(OPENING_MS)
      this.#transport = open(src, line)
    } catch (error) {
      if (dial !== this.#dial) return
      if (error === DENIED) this.#handle({ kind: 'denied' })
      else this.#lost(LOST)
    }
  }

  /** Listens to one line, and not any longer than it is the one. */
  #listener(onOpen: () => void): TransportListener {
    const dial = this.#dial
    const isOurs = (): boolean => dial === this.#dial
    return {
      onOpen: () => {
        if (isOurs()) onOpen()
      },
      onMessage: (text) => {
        if (!isOurs()) return
        this.#receive(JSON.parse(text) as ServerMessage)
        if (isOurs() && this.#options.now() >= this.#doubtUntilMs) this.#heard()
      },
      onClose: (code) => {
        if (isOurs()) this.#lost(code, code < 4000 && this.#phase.kind === 'opening')
      },
    }
  }

  #receive(message: ServerMessage): void {
    const { onWelcome, onMessage, wires } = this.#options
    switch (message.type) {
      case 'welcome':
        this.#heartbeatMs = message.heartbeatMs
        this.clock.sample(message.now, this.#askedMs)
        // A stream may be held back as soon as it is open.
        if (!this.whole) wires.worked()
        onWelcome(message)
        this.#handle({ kind: 'welcomed' })
        return
      case 'ping':
        this.send({ type: 'pong' })
        wires.worked()
        break
      case 'pong':
        this.#doubtUntilMs = 0
        this.clock.sample(message.now, this.#askedMs)
        return
      case 'expiring':
        void this.#renew(0)
        return
      case 'feed':
        if (message.state === 'stale') this.#trueAt = Date.parse(message.since)
        this.#handle({ kind: 'feed', stale: message.state === 'stale' })
        return
      case 'bye':
        // Nothing comes after it. Its close may never come.
        this.#lost(message.code, false, message.reconnectAfterMs)
        return
      default:
    }
    onMessage(message)
  }

  /** A new token on this line, and on no other; if none can be had, the server closes and the link comes back. */
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

  /** Anything heard proves that the line lives; silence for longer than a heartbeat that it does not. */
  #heard(): void {
    if (this.#view.state === 'live' && this.#state === 'live') this.#trueAt = this.clock.now()
    this.#expect(this.#heartbeatMs + SILENCE_MS)
  }

  #probe(): void {
    this.#askedMs = this.#options.now()
    // A line that is read anew has nothing old to say.
    if (!this.whole) this.#doubtUntilMs = this.#askedMs + DOUBT_MS
    this.clock.doubt()
    this.send({ type: 'ping' })
    this.#expect(PROBE_MS, false)
  }

  /** @param byWire whether the wire may be what is wrong if nothing is heard */
  #expect(withinMs: number, byWire = true): void {
    clearTimeout(this.#silence)
    this.#silence = setTimeout(() => {
      this.#lost(LOST, byWire)
    }, withinMs)
  }

  /**
   * @param byWire whether the wire may be what is wrong
   * @param window when to come back, if the server has said so
   */
  #lost(closed: number, byWire = false, window: Bye['reconnectAfterMs'] | null = null): void {
    const { tokens, wires } = this.#options
    const code = closed < 4000 ? LOST : closed
    // If it can't be found out, nothing is.
    if (byWire) wires.failed().catch(() => undefined)
    if (code === 4001 || code === 4101) tokens.expire()
    this.#mendingMs = window ? WAKING_MS : FLICKER_MS
    this.#close()
    this.#handle({
      kind: 'lost',
      code,
      window,
      renewable: tokens.renewable,
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
  }
}

/** Keeps one transport alive: runs the link machine and does what it asks for. */
import type { ClientMessage, ServerMessage, Welcome } from '@mqtt-status/protocol'
import { ServerClock } from './clock.ts'
import { observeEnvironment } from './environment.ts'
import { nextLink } from './link-state.ts'
import type { LinkEvent, LinkPhase, LinkState } from './link-state.ts'
import { Denied, fetchToken, isRenewable } from './tokens.ts'
import type { TokenSettings } from './tokens.ts'
import type { OpenTransport, Transport } from './transport.ts'

/** The line as a page may show it. */
export interface Link {
  readonly state: LinkState
  /** Since when, in ms of the server's clock; while not live: when what is shown was last known to be true. */
  readonly since: number
  /** When the next attempt is made, in ms since the epoch; `null` = none is planned. */
  readonly retryAt: number | null
}

export interface LinkOptions {
  /** Ends with a slash. */
  readonly src: string
  readonly tokens: TokenSettings
  readonly open: OpenTransport
  readonly now: () => number
  readonly random: () => number
  readonly onWelcome: (welcome: Welcome) => void
  /** Everything else that concerns rows. */
  readonly onMessage: (message: ServerMessage) => void
  readonly onChange: () => void
}

/** A loss that is mended this soon is not worth a word. */
const FLICKER_MS = 1_000
const SILENCE_MS = 10_000
/** How long a line that may be dead is given to answer. */
const PROBE_MS = 5_000
const LOST = 1006

export class LinkKeeper {
  readonly #options: LinkOptions
  readonly clock: ServerClock
  readonly #unobserve: () => void
  #phase: LinkPhase = { kind: 'idle' }
  #transport: Transport | null = null
  /** Rises with each dial: what an old one still says is not listened to. */
  #dial = 0
  #window: readonly [number, number] | null = null
  #askedMs = 0
  #heartbeatMs = 25_000
  #token: string | null = null
  #wait: ReturnType<typeof setTimeout> | null = null
  #silence: ReturnType<typeof setTimeout> | null = null
  #flicker: ReturnType<typeof setTimeout> | null = null
  #view: Link
  #everLive = false

  constructor(options: LinkOptions) {
    this.#options = options
    this.clock = new ServerClock(options.now)
    this.#view = { state: 'connecting', since: options.now(), retryAt: null }
    this.#unobserve = observeEnvironment({
      onOnline: () => {
        this.#handle({ kind: 'online' })
      },
      onOffline: () => {
        this.#handle({ kind: 'offline' })
      },
      onHide: () => {
        if (this.#phase.kind !== 'idle') this.#lost(LOST)
      },
      onShow: () => {
        this.#probe()
      },
    })
  }

  /** Its identity changes only when something in it does. */
  get view(): Link {
    return this.#view
  }

  /** The token that the server knows. */
  get token(): string | null {
    return this.#token
  }

  get isOpen(): boolean {
    return this.#phase.kind === 'open' || this.#phase.kind === 'live'
  }

  start(): void {
    this.#handle({ kind: 'start' })
  }

  /** Nobody listens any more: lets go of the socket. */
  rest(): void {
    this.#handle({ kind: 'stop' })
  }

  /** Tries at once, whatever it waits for. */
  retry(): void {
    this.#handle({ kind: 'retry' })
  }

  answered(): void {
    this.#handle({ kind: 'answered' })
  }

  send(message: ClientMessage): boolean {
    return this.#transport?.send(message) ?? false
  }

  stop(): void {
    this.rest()
    this.#unobserve()
  }

  #handle(event: LinkEvent): void {
    const { now, random } = this.#options
    const [phase, effects] = nextLink(this.#phase, event, { nowMs: now(), random: random() })
    const changed = phase !== this.#phase
    if (phase.kind === 'live') this.#everLive = true
    this.#phase = phase
    for (const effect of effects) {
      if (effect === 'close') this.#close()
      else void this.#open()
    }
    if (changed) this.#settle(phase)
  }

  /** Timers and the view follow from the phase. */
  #settle(phase: LinkPhase): void {
    clearTimeout(this.#wait ?? undefined)
    if (phase.kind === 'waiting') {
      this.#wait = setTimeout(
        () => {
          this.#handle({ kind: 'elapsed' })
        },
        Math.max(0, phase.untilMs - this.#options.now()),
      )
    }
    this.#show(phase)
  }

  #show(phase: LinkPhase): void {
    const state = this.#stateOf(phase)
    const retryAt = retryTime(phase)
    const flickers = this.#view.state === 'live' && state === 'stale' && phase.kind !== 'live'
    if (flickers && this.#flicker === null) {
      const since = this.clock.now()
      this.#flicker = setTimeout(() => {
        this.#flicker = null
        this.#become({ state: this.#stateOf(this.#phase), since, retryAt: retryTime(this.#phase) })
      }, FLICKER_MS)
    }
    if (flickers) return
    clearTimeout(this.#flicker ?? undefined)
    this.#flicker = null
    const kept = this.#view.state === state || (this.#view.state === 'stale' && state === 'offline')
    this.#become({ state, since: kept ? this.#view.since : this.clock.now(), retryAt })
  }

  #become(view: Link): void {
    const { state, since, retryAt } = this.#view
    if (view.state === state && view.since === since && view.retryAt === retryAt) return
    this.#view = view
    this.#options.onChange()
  }

  #stateOf(phase: LinkPhase): LinkState {
    switch (phase.kind) {
      case 'ended':
        return phase.state
      case 'offline':
        return 'offline'
      case 'live':
        return phase.feedStale ? 'stale' : 'live'
      case 'idle':
        return 'connecting'
      default:
        // What was shown once stays, and is said to be old.
        return this.#everLive ? 'stale' : 'connecting'
    }
  }

  async #open(): Promise<void> {
    const dial = ++this.#dial
    try {
      const token = await fetchToken(this.#options.tokens)
      if (dial !== this.#dial) return
      this.#token = token
    } catch (error) {
      if (dial !== this.#dial) return
      if (error instanceof Denied) this.#handle({ kind: 'denied' })
      else this.#lost(LOST)
      return
    }
    this.#window = null
    this.#transport = this.#options.open(this.#options.src, {
      onOpen: () => {
        this.#askedMs = this.#options.now()
        this.send({
          type: 'hello',
          ...(this.#token === null ? {} : { token: this.#token }),
          client: { name: 'widgets', version: '0.1.0' },
        })
        this.#listen()
      },
      onMessage: (text) => {
        this.#listen()
        this.#receive(text)
      },
      onClose: (code) => {
        this.#lost(code)
      },
    })
  }

  #receive(text: string): void {
    let message: ServerMessage
    try {
      message = JSON.parse(text) as ServerMessage
    } catch {
      return
    }
    switch (message.type) {
      case 'welcome':
        this.#heartbeatMs = message.heartbeatMs
        this.clock.sample(message.now, this.#askedMs)
        this.#options.onWelcome(message)
        this.#handle({ kind: 'welcomed' })
        return
      case 'ping':
        this.send({ type: 'pong' })
        break
      case 'pong':
        this.clock.sample(message.now, this.#askedMs)
        return
      case 'expiring':
        void this.#renew()
        return
      case 'feed':
        this.#handle({ kind: 'feed', stale: message.state === 'stale' })
        return
      case 'bye':
        this.#window = message.reconnectAfterMs
        return
      default:
    }
    this.#options.onMessage(message)
  }

  /** A new token on the open socket; if none can be had, the server will close and the link comes back. */
  async #renew(): Promise<void> {
    if (!isRenewable(this.#options.tokens)) return
    const dial = this.#dial
    try {
      const token = await fetchToken(this.#options.tokens)
      if (dial !== this.#dial || token === null) return
      this.#token = token
      this.send({ type: 'auth', token })
    } catch {
      // Told by the close that follows.
    }
  }

  /** Anything heard proves that the line lives; silence for longer than a heartbeat that it does not. */
  #listen(withinMs: number = this.#heartbeatMs + SILENCE_MS): void {
    clearTimeout(this.#silence ?? undefined)
    this.#silence = setTimeout(() => {
      this.#lost(LOST)
    }, withinMs)
  }

  #probe(): void {
    if (this.#phase.kind === 'waiting') this.#handle({ kind: 'retry' })
    if (!this.isOpen) return
    this.#askedMs = this.#options.now()
    this.send({ type: 'ping' })
    this.#listen(PROBE_MS)
  }

  #lost(code: number): void {
    const window = this.#window
    this.#close()
    this.#handle({ kind: 'lost', code, window, renewable: isRenewable(this.#options.tokens) })
  }

  #close(): void {
    this.#dial++
    clearTimeout(this.#silence ?? undefined)
    this.#transport?.close()
    this.#transport = null
    this.#window = null
  }
}

/** When the next attempt is made, in ms since the epoch. */
function retryTime(phase: LinkPhase): number | null {
  return phase.kind === 'waiting' ? phase.untilMs : null
}

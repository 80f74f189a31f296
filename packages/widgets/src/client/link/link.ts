/** Runs the machine of `link-state.ts`: makes and closes attempts, waits between them, and shows the page what follows. */
import type { ClientMessage, ServerMessage, Welcome } from '@mqtt-status/protocol'
import { Attempt } from './attempt.ts'
import type { AttemptOptions, Loss } from './attempt.ts'
import { ServerClock } from './clock.ts'
import { observeEnvironment } from './environment.ts'
import type { Failure, LinkCause } from './failures.ts'
import { nextLink } from './link-state.ts'
import type { LinkEvent, LinkPhase } from './link-state.ts'
import { LinkDisplay } from './link-display.ts'
import type { Link } from './link-view.ts'
import { Visits } from './visits.ts'
import { FLICKER_MS, WAKING_MS } from './timing.ts'

/** What the link needs of the transports. */
export type TransportChoice = AttemptOptions['transports'] & {
  /** @returns the reason, after a request to `/healthz`; `null` where there is no other transport */
  failed(): Promise<LinkCause | null> | null
}

export interface LinkOptions extends Omit<AttemptOptions, 'clock' | 'onHeard' | 'onLost'> {
  readonly transports: TransportChoice
  /** The client closes its transport after the page was hidden for so long, in ms; 0 = never. */
  readonly pauseHiddenMs: number
  /** The transport is gone. */
  readonly onClose: () => void
  readonly onWelcome: (welcome: Welcome) => void
  /** Every other message that concerns rows. */
  readonly onMessage: (message: ServerMessage) => void
  /** The client could not read a message. */
  readonly onGarbled: () => void
  readonly onChange: () => void
}

export class LinkKeeper {
  readonly clock: ServerClock
  readonly #options: LinkOptions
  readonly #visits = new Visits(this)
  readonly #view: LinkDisplay
  #phase: LinkPhase = { kind: 'idle' }
  #attempt: Attempt | null = null
  /** Rises with each loss. The finding about an earlier loss is dropped. */
  #losses = 0
  #quietMs = FLICKER_MS
  #unobserve: (() => void) | null = null
  #wait: ReturnType<typeof setTimeout> | undefined

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

  /** The server has answered every watch. */
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
    return this.#attempt?.send(message) ?? false
  }

  #handle(event: LinkEvent): void {
    const { now, random } = this.#options
    const [phase, effect] = nextLink(this.#phase, event, { nowMs: now(), random: random() })
    const changed = phase !== this.#phase
    this.#phase = phase
    if (effect === 'probe') this.#attempt?.probe()
    else if (effect) this.#close()
    if (effect === 'dial') this.#dial()
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

  #dial(): void {
    this.#attempt = new Attempt({
      ...this.#options,
      clock: this.clock,
      onMessage: this.#receive,
      onHeard: () => {
        this.#view.heard()
      },
      onLost: this.#lost,
    })
  }

  readonly #receive = (message: ServerMessage): void => {
    const { onWelcome, onMessage } = this.#options
    if (message.type === 'welcome') {
      onWelcome(message)
      this.#handle({ kind: 'welcomed' })
    } else if (message.type === 'feed') {
      if (message.state === 'stale') this.#view.staleSince(Date.parse(message.since))
      this.#handle({ kind: 'feed', stale: message.state === 'stale' })
    } else onMessage(message)
  }

  readonly #lost = (failure: Failure, { byTransport = false, window = null }: Loss = {}): void => {
    const { tokens, transports, onGarbled } = this.#options
    if (failure === 'garbled') onGarbled()
    if (failure === 'unauthorized' || failure === 'token_expired') tokens.expire()
    const finding = byTransport && failure === 'broken' ? transports.failed() : null
    const probing = finding !== null
    this.#quietMs = window ? WAKING_MS : FLICKER_MS
    this.#close()
    const { renewable } = tokens
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
    this.#attempt?.close()
    this.#attempt = null
    this.#options.onClose()
  }
}

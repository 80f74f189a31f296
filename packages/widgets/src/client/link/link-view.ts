/** What a page may show of the line: its state in words of the page, and nothing of a loss that is mended soon. */
import type { ServerClock } from './clock.ts'
import type { LinkCause, LinkState } from './failures.ts'
import type { LinkPhase } from './link-state.ts'

/** The line as a page may show it; both times are the server's (compare with `client.now()`). */
export interface Link {
  readonly state: LinkState
  /** Since when, in ms since the epoch; while not live: when what is shown was last known to be true. */
  readonly since: number
  /** When the next attempt is made, in ms since the epoch; `null` = none is planned. */
  readonly retryAt: number | null
  /** Why it is not live, where the state does not say it. */
  readonly cause: LinkCause | null
}

export interface LinkViewOptions {
  readonly clock: ServerClock
  readonly now: () => number
  readonly onChange: () => void
}

export class LinkView {
  readonly #options: LinkViewOptions
  #phase: LinkPhase = { kind: 'idle' }
  #link: Link
  /** When what is shown was last known to be true. */
  #trueAt: number
  #everLive = false
  /** Until it fires, a loss is not shown. */
  #quiet: ReturnType<typeof setTimeout> | undefined

  constructor(options: LinkViewOptions) {
    this.#options = options
    this.#trueAt = options.now()
    this.#link = { state: 'connecting', since: this.#trueAt, retryAt: null, cause: null }
  }

  /** Its identity changes only when something in it does. */
  get link(): Link {
    return this.#link
  }

  /** @param quietMs for how long a loss is not shown */
  show(phase: LinkPhase, quietMs: number): void {
    this.#phase = phase
    const { kind } = phase
    const isMending =
      this.#link.state === 'live' && this.#state === 'stale' && kind !== 'live' && kind !== 'idle'
    if (isMending) {
      if (this.#quiet === undefined) this.hush(quietMs)
      return
    }
    this.stop()
    this.#become()
  }

  /** Shows no loss for so long. */
  hush(quietMs: number): void {
    this.stop()
    this.#quiet = setTimeout(() => {
      this.#quiet = undefined
      this.#become()
    }, quietMs)
  }

  stop(): void {
    clearTimeout(this.#quiet)
    this.#quiet = undefined
  }

  /** The server has said something. */
  heard(): void {
    if (this.#link.state === 'live' && this.#state === 'live')
      this.#trueAt = this.#options.clock.now()
  }

  /** The server has not read its database since then, in ms of its clock. */
  staleSince(atMs: number): void {
    this.#trueAt = atMs
  }

  #become(): void {
    const { clock, now, onChange } = this.#options
    const state = this.#state
    const cause = this.#cause
    const former = this.#link
    const offsetMs = clock.now() - now()
    const retryAt = this.#phase.kind === 'waiting' ? this.#phase.untilMs + offsetMs : null
    this.#everLive = state === 'live' || (this.#everLive && this.#phase.kind !== 'idle')
    const isSame = state === former.state
    if (isSame && retryAt === former.retryAt && cause === former.cause) return
    const since = isSame ? former.since : state === 'live' ? clock.now() : this.#trueAt
    this.#link = { state, since, retryAt, cause }
    onChange()
  }

  get #state(): LinkState {
    const phase = this.#phase
    switch (phase.kind) {
      case 'offline':
        return 'offline'
      case 'live':
        return phase.feedStale ? 'stale' : 'live'
      case 'idle':
        // Nobody tries to connect.
        return 'stale'
      case 'open':
        return this.#formerly
      default:
        return phase.trouble.state ?? this.#formerly
    }
  }

  /** What was shown once stays, and is said to be old. */
  get #formerly(): LinkState {
    return this.#everLive ? 'stale' : 'connecting'
  }

  get #cause(): LinkCause | null {
    const phase = this.#phase
    switch (phase.kind) {
      case 'idle':
      case 'offline':
        return null
      case 'open':
      case 'live':
        return phase.feedStale ? 'server_error' : null
      default:
        return phase.trouble.cause
    }
  }
}

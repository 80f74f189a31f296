/**
 * Keeps the lease of this instance. The lease is believed no longer than it was asked for, counted from before it was
 * asked for; so whoever believes in it here is believed by the database, too.
 *
 *   silent ──beat──▶ held ──TTL without a beat──▶ (held, but not live) ──beat──▶ held
 *      ▲              │
 *      └──beat fails──┘
 *
 * It has a session of its own, so that a busy pool never costs a lease; and a session that fails is replaced, because
 * one that is cut off without knowing it would answer nothing for minutes.
 */
import type { Log } from '../../log.ts'
import { Elapsed } from '../postgres/elapsed.ts'
import type { Database } from '../postgres/lane.ts'
import { renewLease } from './leases.ts'
import type { LeaseOptions } from './leases.ts'

export interface Beat {
  /** The lease had ended since the last beat: others may have taken what was ours. */
  readonly lapsed: boolean
  /** A beat had failed since the last one: the database may have taken no writes, and other leases may have ended by it. */
  readonly missed: boolean
  /** The other instances that may keep connections. */
  readonly others: readonly string[]
}

export interface HeartbeatOptions extends LeaseOptions {
  /** One of its own, so that a busy pool never costs a lease. */
  readonly lane: Database
  readonly log: Log
  readonly onBeat: (beat: Beat) => void
}

type State =
  | { readonly kind: 'stopped' }
  /** Never renewed yet, or the last beat has failed. */
  | { readonly kind: 'silent' }
  | { readonly kind: 'held'; readonly since: Elapsed }

const BEATS_PER_TTL = 3
const RETRY_MS = 1_000
/**
 * The part of the time between two beats that one may take. So a node whose commits hang knows it before the lease of
 * any other node can have ended by that.
 */
const PATIENCE = 0.75

export class Heartbeat {
  readonly #options: HeartbeatOptions
  #state: State = { kind: 'stopped' }
  #timer: NodeJS.Timeout | null = null
  #beating: Promise<void> | null = null
  /** Since before the last beat that was answered; `null`: none was. */
  #answered: Elapsed | null = null
  #missed = false

  constructor(options: HeartbeatOptions) {
    this.#options = options
  }

  /** Whether nobody may claim what is ours, and the database has answered last time. */
  get live(): boolean {
    return this.#state.kind === 'held' && this.#state.since.ms < this.#options.ttlMs
  }

  start(): void {
    if (this.#state.kind !== 'stopped') return
    this.#state = { kind: 'silent' }
    this.#beatSoon(0)
  }

  async stop(): Promise<void> {
    this.#state = { kind: 'stopped' }
    clearTimeout(this.#timer ?? undefined)
    await this.#beating
  }

  get #everyMs(): number {
    return this.#options.ttlMs / BEATS_PER_TTL
  }

  #beatSoon(ms: number): void {
    this.#timer = setTimeout(() => {
      this.#beating = this.#beat()
    }, ms)
  }

  async #beat(): Promise<void> {
    const askedAt = new Elapsed()
    try {
      const { held, others } = await this.#options.lane.write(
        (sql) => renewLease(sql, this.#options),
        { deadlineMs: this.#everyMs * PATIENCE },
      )
      if (this.#stopped()) return
      this.#state = { kind: 'held', since: askedAt }
      // A beat whose answer was lost may have renewed a lease that had ended before it.
      const before = this.#answered
      const lapsed = before !== null && (!held || before.ms >= this.#options.ttlMs)
      this.#answered = askedAt
      this.#beatSoon(this.#everyMs)
      const missed = this.#missed
      this.#missed = false
      this.#options.onBeat({ lapsed, missed, others })
    } catch (error) {
      if (this.#stopped()) return
      if (this.#state.kind === 'held')
        this.#options.log.warn({ err: error }, 'the lease can not be renewed: nothing is dialled')
      this.#state = { kind: 'silent' }
      this.#missed = true
      this.#beatSoon(Math.min(RETRY_MS, this.#everyMs))
    }
  }

  /** The state may change while something is awaited. */
  #stopped(): boolean {
    return this.#state.kind === 'stopped'
  }
}

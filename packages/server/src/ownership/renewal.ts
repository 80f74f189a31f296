/**
 * Renews the lease of this node, three times in each TTL. This node counts the lease from before it asked for it, so the
 * lease never ends here later than in the database.
 *
 *   stopped ──start──▶ silent ──renewed──▶ held ──renewed──▶ held
 *                        ▲  ▲                │
 *                        │  └──failed────────┘
 *                        └─ failed ─┐ (again after 1 s)
 *                                   silent
 *
 * `held` ends for the caller after a TTL without a renewal (`live` is false), whatever the timers do.
 *
 * Renewals have a lane of their own, so that a busy pool never costs a lease. The lane replaces a session that fails,
 * because a session whose network path is cut would answer nothing for minutes.
 */
import { renewLease } from '../db/ownership/leases.ts'
import type { LeaseOptions } from '../db/ownership/leases.ts'
import type { Database } from '../db/postgres/lane.ts'
import type { Log } from '../log.ts'
import { elapsedMs, instant } from './instant.ts'
import type { Instant } from './instant.ts'

/** The result of a renewal that has succeeded. */
export interface Renewed {
  /** The lease had ended since the renewal before: other nodes may have claimed what this node owned. */
  readonly lapsed: boolean
  /** A renewal had failed since the one before: the database may have taken no writes, and other leases may have ended by that. */
  readonly missed: boolean
  /** The other nodes that may keep connections. */
  readonly others: readonly string[]
}

export interface RenewalOptions extends LeaseOptions {
  readonly lane: Database
  readonly log: Log
  readonly onRenewed: (renewed: Renewed) => void
}

type State =
  | { readonly kind: 'stopped' }
  /** The first renewal is due, or the last one has failed. */
  | {
      readonly kind: 'silent'
      /** When this node asked for the last renewal that succeeded; `null`: none has. */
      readonly heldSince: Instant | null
      readonly missed: boolean
    }
  | { readonly kind: 'held'; readonly heldSince: Instant }

const RENEWALS_PER_TTL = 3
const RETRY_MS = 1_000
/**
 * The part of the time between two renewals that one may take. So a node whose commits hang notices it before the lease
 * of any other node can have ended by that.
 */
const PATIENCE = 0.75

export class Renewal {
  readonly #options: RenewalOptions
  #state: State = { kind: 'stopped' }
  #timer: NodeJS.Timeout | null = null
  #renewing: Promise<void> | null = null

  constructor(options: RenewalOptions) {
    this.#options = options
  }

  /** Whether no other node may claim what this node owns, and the last renewal has succeeded. */
  get live(): boolean {
    return this.#state.kind === 'held' && elapsedMs(this.#state.heldSince) < this.#options.ttlMs
  }

  start(): void {
    if (this.#state.kind !== 'stopped') return
    this.#state = { kind: 'silent', heldSince: null, missed: false }
    this.#renewAfter(0)
  }

  async stop(): Promise<void> {
    this.#state = { kind: 'stopped' }
    clearTimeout(this.#timer ?? undefined)
    await this.#renewing
  }

  get #everyMs(): number {
    return this.#options.ttlMs / RENEWALS_PER_TTL
  }

  #renewAfter(ms: number): void {
    this.#timer = setTimeout(() => {
      this.#renewing = this.#renew()
    }, ms)
  }

  async #renew(): Promise<void> {
    const { lane } = this.#options
    const askedAt = instant()
    try {
      const { held, others } = await lane.write((sql) => renewLease(sql, this.#options), {
        deadlineMs: this.#everyMs * PATIENCE,
      })
      this.#succeeded(askedAt, held, others)
    } catch (error) {
      this.#failed(error)
    }
  }

  #succeeded(askedAt: Instant, wasHeld: boolean, others: readonly string[]): void {
    const before = this.#state
    if (before.kind === 'stopped') return
    this.#state = { kind: 'held', heldSince: askedAt }
    this.#renewAfter(this.#everyMs)
    // A renewal whose answer was lost may have renewed a lease that had ended before it.
    const lapsed =
      before.heldSince !== null && (!wasHeld || elapsedMs(before.heldSince) >= this.#options.ttlMs)
    const missed = before.kind === 'silent' && before.missed
    this.#options.onRenewed({ lapsed, missed, others })
  }

  #failed(error: unknown): void {
    const before = this.#state
    if (before.kind === 'stopped') return
    if (before.kind === 'held')
      this.#options.log.warn(
        { err: error },
        'the lease can not be renewed: this node dials nothing',
      )
    this.#state = { kind: 'silent', heldSince: before.heldSince, missed: true }
    this.#renewAfter(Math.min(RETRY_MS, this.#everyMs))
  }
}

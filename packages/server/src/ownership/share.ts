/**
 * The share of the connections that this node keeps: the connections that some node has to keep, divided by the living
 * nodes, rounded up. A node below its share claims free connections; a node above it hands some over, so that a node that
 * joins gets its share.
 */
import type { Log } from '../log.ts'
import type { ClaimLimits, ShareCount } from '../db/ownership/ownership.ts'
import type { Claimed } from '../model/claimed.ts'
import type { Supervisor } from '../mqtt/supervisor.ts'

export interface ShareOptions {
  readonly supervisor: Supervisor
  readonly store: {
    readonly count: () => Promise<ShareCount>
    /** Claims at most `limit` free rows; `lost`: also those of owners whose lease has ended. */
    readonly claim: (limits: ClaimLimits) => Promise<readonly Claimed[]>
  }
  /** Whether anything may be claimed or handed over. */
  readonly mayClaim: () => boolean
  /** Whether rows of owners whose lease has ended may be claimed. */
  readonly mayInherit: () => boolean
  readonly log: Log
}

/** One turn of the event loop creates the keepers of one batch. */
const BATCH = 200
/** A node whose share is larger by this part or less hands nothing over. */
const TOLERANCE = 0.05
const RETRY_MS = 1_000

export class Share {
  readonly #options: ShareOptions
  #balancing: Promise<void> | null = null
  #again = false
  #retry: NodeJS.Timeout | null = null
  #stopped = false

  constructor(options: ShareOptions) {
    this.#options = options
  }

  /** Claims or hands over connections until this node has its share; one balance at a time. */
  balance(): void {
    if (!this.#mayGoOn()) return
    this.#again = true
    clearTimeout(this.#retry ?? undefined)
    this.#balancing ??= this.#balance()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#retry ?? undefined)
    await this.#balancing
  }

  async #balance(): Promise<void> {
    try {
      while (this.#again && this.#mayGoOn()) {
        this.#again = false
        await this.#once()
      }
    } catch (error) {
      this.#options.log.warn({ err: error }, 'connections could not be shared out; trying again')
      this.#retryLater()
    } finally {
      // Not after the promise has settled: a call of `balance` between the two would start nothing.
      this.#balancing = null
    }
  }

  async #once(): Promise<void> {
    const { store, supervisor } = this.#options
    const { wanted, mine, free, instances } = await store.count()
    const fair = Math.ceil(wanted / Math.max(1, instances))
    const surplus = mine - fair
    if (surplus < 0 && free > 0) {
      const count = Math.min(-surplus, free)
      const left = await this.#claim(count)
      // Other nodes have claimed them, or another transaction has locked them.
      if (left > 0 && this.#options.mayInherit()) this.#retryLater()
    } else if (surplus > fair * TOLERANCE) await supervisor.handOver(surplus, () => this.#mayGoOn())
  }

  /** @returns how many of `count` rows this node could not claim */
  async #claim(count: number): Promise<number> {
    const { store, supervisor, mayInherit } = this.#options
    let left = count
    while (left > 0 && this.#mayGoOn()) {
      const limit = Math.min(left, BATCH)
      const claimed = await store.claim({ limit, lost: mayInherit() })
      supervisor.take(claimed)
      left -= claimed.length
      if (claimed.length < limit) break
    }
    return left
  }

  #retryLater(): void {
    clearTimeout(this.#retry ?? undefined)
    if (this.#stopped) return
    this.#retry = setTimeout(() => {
      this.balance()
    }, RETRY_MS)
  }

  #mayGoOn(): boolean {
    return !this.#stopped && this.#options.mayClaim()
  }
}

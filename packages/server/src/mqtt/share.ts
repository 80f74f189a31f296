/**
 * The share of the connections that this instance keeps: wanted connections by living instances, rounded up. Below it,
 * what nobody keeps is claimed; what is above it is handed over, so that an instance that joins gets its share.
 */
import type { Log } from '../log.ts'
import type { Claimed } from './ledger.ts'
import type { Supervisor } from './supervisor.ts'

/** How the connections are shared out. */
export interface Count {
  /** Rows that somebody has to keep. */
  readonly wanted: number
  /** Those of them that are ours. */
  readonly mine: number
  /** Those of them that nobody keeps. */
  readonly free: number
  /** Instances that may keep some, ourselves included. */
  readonly instances: number
}

export interface ShareOptions {
  readonly supervisor: Supervisor
  readonly store: {
    readonly count: () => Promise<Count>
    /** Makes at most `limit` rows ours that nobody keeps; `lost`: also those of owners that are gone. */
    readonly claim: (limits: { limit: number; lost: boolean }) => Promise<readonly Claimed[]>
  }
  /** Whether anything may be claimed or handed over. */
  readonly mayClaim: () => boolean
  /** Whether rows of owners that are gone may be claimed. */
  readonly mayInherit: () => boolean
  readonly log: Log
}

/** Each claimed row is a keeper, and a batch of them is one turn of the event loop. */
const BATCH = 200
/** A share that is only this much too large is left alone. */
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

  /** Soon makes the share what it should be. */
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
      if (!this.#stopped)
        this.#retry = setTimeout(() => {
          this.balance()
        }, RETRY_MS)
    } finally {
      // Here, and not when the promise is settled: who asks in between must not be forgotten.
      this.#balancing = null
    }
  }

  async #once(): Promise<void> {
    const { store, supervisor } = this.#options
    const { wanted, mine, free, instances } = await store.count()
    const fair = Math.ceil(wanted / Math.max(1, instances))
    const surplus = mine - fair
    if (surplus < 0 && free > 0) await this.#claim(Math.min(-surplus, free))
    else if (surplus > fair * TOLERANCE) await supervisor.handOver(surplus, () => this.#mayGoOn())
  }

  async #claim(count: number): Promise<void> {
    const { store, supervisor, mayInherit } = this.#options
    for (let left = count; left > 0 && this.#mayGoOn();) {
      const limit = Math.min(left, BATCH)
      const claimed = await store.claim({ limit, lost: mayInherit() })
      supervisor.take(claimed)
      if (claimed.length < limit) return
      left -= limit
    }
  }

  #mayGoOn(): boolean {
    return !this.#stopped && this.#options.mayClaim()
  }
}

/**
 * Marks connections that no node keeps any more as `unknown`. Every node does so, also one with `SUPERVISOR=off`: a status
 * that no node has verified for a TTL must not be shown as if it were current.
 *
 * A node marks nothing before it has seen for a whole TTL that no lease is valid: after an outage of the database all
 * leases have ended, and their owners need a moment to renew them. During that time this node must also commit a write at
 * each look: where no commit gets through, owners can't renew their leases although they are alive.
 */
import { isSupervised, probeRenewals } from '../db/ownership/leases.ts'
import { markLost } from '../db/ownership/lost-rows.ts'
import type { Database } from '../db/postgres/lane.ts'
import type { Log } from '../log.ts'
import { elapsedMs, instant } from './instant.ts'
import type { Instant } from './instant.ts'

export interface VigilOptions {
  readonly reads: Database
  readonly writes: Database
  readonly ttlMs: number
  readonly log: Log
}

const LOOKS_PER_TTL = 3

export class Vigil {
  readonly #options: VigilOptions
  /** Since when this node has seen no valid lease; `null`: it has seen one, or could not look. */
  #aloneSince: Instant | null = null
  #lookedAt = instant()
  #looking: Promise<void> | null = null
  #timer: NodeJS.Timeout | null = null

  constructor(options: VigilOptions) {
    this.#options = options
  }

  start(): void {
    this.#timer ??= setInterval(() => {
      this.#looking ??= this.#look().finally(() => {
        this.#looking = null
      })
    }, this.#options.ttlMs / LOOKS_PER_TTL)
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer ?? undefined)
    await this.#looking
  }

  async #look(): Promise<void> {
    const { reads, writes, ttlMs, log } = this.#options
    const brief = { deadlineMs: ttlMs / LOOKS_PER_TTL }
    // This process, or its machine, has slept: what it saw before is no evidence.
    if (elapsedMs(this.#lookedAt) > ttlMs) this.#aloneSince = null
    this.#lookedAt = instant()
    try {
      if (await reads.read(isSupervised, brief)) {
        this.#aloneSince = null
        return
      }
      // Where no commit gets through, or a lease is locked, its owner can't renew it although it may be alive.
      if (!(await writes.write(probeRenewals, brief))) {
        this.#aloneSince = null
        return
      }
      this.#aloneSince ??= instant()
      if (elapsedMs(this.#aloneSince) < ttlMs) return
      const count = await writes.write(markLost)
      if (count > 0) log.warn({ count }, 'no node supervises: connections are marked as unknown')
    } catch {
      // The database can't be read, which the feed reports, or takes no writes: this node can't see which nodes are alive.
      this.#aloneSince = null
    }
  }
}

/**
 * Watches over the connections that nobody keeps any more, on every node, whether it supervises or not: a status that
 * nobody can have seen for a while must not be shown as if somebody had.
 *
 * Nothing is marked before it has been seen with own eyes for a whole TTL that no instance is alive: after an outage
 * of the database all leases have ended, and their owners need a moment to renew them.
 */
import type { Log } from '../log.ts'
import { within } from './deadline.ts'
import { Elapsed } from './elapsed.ts'
import { isSupervised, markLost } from './leases.ts'
import type { Sql } from './sql.ts'

export interface VigilOptions {
  readonly sql: Sql
  readonly ttlMs: number
  readonly log: Log
}

const LOOKS_PER_TTL = 3

export class Vigil {
  readonly #options: VigilOptions
  /** Since when nobody was seen alive; `null`: somebody was, or nobody could look. */
  #alone: Elapsed | null = null
  #lastLook = new Elapsed()
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
    const { sql, ttlMs, log } = this.#options
    // This process, or its machine, has slept: what it saw before says nothing.
    if (this.#lastLook.ms > ttlMs) this.#alone = null
    this.#lastLook = new Elapsed()
    try {
      if (await within(ttlMs, isSupervised(sql))) {
        this.#alone = null
        return
      }
      this.#alone ??= new Elapsed()
      if (this.#alone.ms < ttlMs) return
      const count = await markLost(sql)
      if (count > 0) log.warn({ count }, 'nobody supervises: connections are unknown')
    } catch {
      // The feed has told that the database can't be read.
      this.#alone = null
    }
  }
}

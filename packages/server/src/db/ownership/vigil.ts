/**
 * Watches over the connections that nobody keeps any more, on every node, whether it supervises or not: a status that
 * nobody can have seen for a while must not be shown as if somebody had.
 *
 * Nothing is marked before it has been seen with own eyes for a whole TTL that no instance is alive: after an outage
 * of the database all leases have ended, and their owners need a moment to renew them. And this node has to commit
 * something itself at every look of that time: a lease that ends while no commit gets through says nothing about its owner.
 */
import type { Log } from '../../log.ts'
import { Elapsed } from '../postgres/elapsed.ts'
import type { Database } from '../postgres/lane.ts'
import { bearWitness, isSupervised, markLost } from './leases.ts'

export interface VigilOptions {
  readonly reads: Database
  readonly writes: Database
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
    const { reads, writes, ttlMs, log } = this.#options
    const brief = { deadlineMs: ttlMs / LOOKS_PER_TTL }
    // This process, or its machine, has slept: what it saw before says nothing.
    if (this.#lastLook.ms > ttlMs) this.#alone = null
    this.#lastLook = new Elapsed()
    try {
      if (await reads.read(isSupervised, brief)) {
        this.#alone = null
        return
      }
      // Where no commit gets through, or a lease is locked, that lease is not renewed although its owner may be alive.
      if (!(await writes.write(bearWitness, brief))) {
        this.#alone = null
        return
      }
      this.#alone ??= new Elapsed()
      if (this.#alone.ms < ttlMs) return
      const count = await writes.write(markLost)
      if (count > 0) log.warn({ count }, 'nobody supervises: connections are unknown')
    } catch {
      // It can't be read, which the feed reports, or takes no writes: this node can't tell who is alive.
      this.#alone = null
    }
  }
}

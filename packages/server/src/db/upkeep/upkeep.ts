/**
 * Deletes old rows, on one node at a time. The node that has the turn renews it before each batch and gives it up when
 * there is nothing more to delete. The turn of a node that has crashed ends after a minute, and another node takes it.
 */
import { within } from '../../model/deadline.ts'
import type { Log } from '../../log.ts'
import type { Database } from '../postgres/lane.ts'
import { BATCH, choresOf } from './retention.ts'
import type { Chore, Retention } from './retention.ts'
import type { Sql } from '../postgres/sql.ts'

export interface UpkeepOptions {
  readonly lane: Database
  /** Names this node. */
  readonly nodeId: string
  readonly retention: Retention
  readonly log: Log
  /** How often a node looks for old rows, in ms. @default 600_000 */
  readonly everyMs?: number
  /** The pause between two batches, in which other statements run, in ms. @default 100 */
  readonly pauseMs?: number
}

const EVERY_MS = 600_000
const PAUSE_MS = 100
const STOP_MS = 2_000

export class Upkeep {
  readonly #options: UpkeepOptions
  readonly #stopping = new AbortController()
  #timer: NodeJS.Timeout | null = null
  #round: Promise<void> | null = null
  #failing = false

  constructor(options: UpkeepOptions) {
    this.#options = options
  }

  /** Waits a random part of the period first, so that nodes that start together do not compete for the turn. */
  start(): void {
    this.#schedule(Math.random() * this.#everyMs)
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    clearTimeout(this.#timer ?? undefined)
    if (this.#round !== null) await within(STOP_MS, this.#round).catch(() => undefined)
  }

  /** Prunes until there is nothing more to prune, or another node has the turn. */
  async once(): Promise<void> {
    const { lane, nodeId, retention, log } = this.#options
    const counts: Record<string, number> = {}
    for (const chore of choresOf(retention)) {
      const count = await this.#prune(chore)
      if (count === null) return
      if (count > 0) counts[chore.name] = count
    }
    await lane.write((sql) => leaveTurn(sql, nodeId, this.#everyMs))
    if (Object.keys(counts).length > 0) log.info(counts, 'old rows are deleted')
  }

  get #everyMs(): number {
    return this.#options.everyMs ?? EVERY_MS
  }

  #schedule(ms: number): void {
    if (this.#stopping.signal.aborted) return
    this.#timer = setTimeout(() => {
      this.#round = this.#try().finally(() => {
        this.#round = null
        this.#schedule(this.#everyMs)
      })
    }, ms)
  }

  async #try(): Promise<void> {
    try {
      await this.once()
      this.#failing = false
    } catch (error) {
      if (!this.#failing) this.#options.log.warn({ err: error }, 'old rows could not be deleted')
      this.#failing = true
    }
  }

  /** @returns the number of deleted rows; `null` if another node has the turn */
  async #prune({ prune }: Chore): Promise<number | null> {
    const { lane, nodeId, pauseMs = PAUSE_MS } = this.#options
    for (let total = 0; ;) {
      if (this.#stopping.signal.aborted) return null
      if (!(await lane.write((sql) => takeTurn(sql, nodeId)))) return null
      const count = await lane.write(prune)
      total += count
      if (count < BATCH) return total
      await pause(pauseMs, this.#stopping.signal)
    }
  }
}

/** Takes the turn, or keeps it, for a minute. */
async function takeTurn(sql: Sql, nodeId: string): Promise<boolean> {
  const { count } = await sql`
    update ${sql.schema}.meta
    set upkeep_by = ${nodeId}, upkeep_until = now() + interval '1 minute'
    where upkeep_by = ${nodeId} or upkeep_until is null or upkeep_until <= now()`
  return count === 1
}

/** The next round of any node begins after the period. */
async function leaveTurn(sql: Sql, nodeId: string, everyMs: number): Promise<void> {
  await sql`
    update ${sql.schema}.meta
    set upkeep_by = null, upkeep_until = now() + ${everyMs}::float8 * 0.9 * interval '1 millisecond'
    where upkeep_by = ${nodeId}`
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done)
    if (signal.aborted) done()
  })
}

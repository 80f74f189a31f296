/**
 * Restores the observed columns of a row that this node keeps, if another program has changed them: each row at most once in two
 * seconds, with at most one line in the log a minute.
 */
import type { Log } from '../log.ts'
import type { Ledger } from './ledger.ts'

export interface CorrectionsOptions {
  /** Writes the values that the row has to have. */
  readonly restore: (ledger: Ledger) => void
  /** Reads the row again, and then calls `correct` again. */
  readonly read: (id: string) => void
  readonly log: Log
}

/** The time between two corrections of one row. */
const EVERY_MS = 2_000
/** The time between two lines of the log. */
const REPORT_MS = 60_000

export class Corrections {
  readonly #options: CorrectionsOptions
  /** The times of the corrections of the last two seconds by row, the oldest first. */
  readonly #lastMs = new Map<string, number>()
  /** Rows that wait for their next correction. */
  readonly #waiting = new Map<string, NodeJS.Timeout>()
  #reportedMs = Number.NEGATIVE_INFINITY
  /** Corrections since the last line of the log. */
  #unreported = 0

  constructor(options: CorrectionsOptions) {
    this.#options = options
  }

  /** Restores the row, if another program has changed it and no write of this node is under way. */
  correct(ledger: Ledger): void {
    const columns = ledger.foreign()
    if (columns.length === 0) return
    const { id } = ledger.claimed
    const nowMs = performance.now()
    this.#forget(nowMs)
    const lastMs = this.#lastMs.get(id)
    if (lastMs !== undefined) {
      this.#later(id, lastMs + EVERY_MS - nowMs)
      return
    }
    this.#lastMs.set(id, nowMs)
    this.#report(id, columns)
    this.#options.restore(ledger)
  }

  /** Rows with a time or a wait in memory. */
  get size(): number {
    return new Set([...this.#lastMs.keys(), ...this.#waiting.keys()]).size
  }

  /** Drops a row that this node does not keep any more. */
  forget(id: string): void {
    clearTimeout(this.#waiting.get(id))
    this.#waiting.delete(id)
    this.#lastMs.delete(id)
  }

  stop(): void {
    for (const timer of this.#waiting.values()) clearTimeout(timer)
    this.#waiting.clear()
  }

  #later(id: string, ms: number): void {
    if (this.#waiting.has(id)) return
    const timer = setTimeout(() => {
      this.#waiting.delete(id)
      this.#options.read(id)
    }, ms)
    this.#waiting.set(id, timer)
  }

  #forget(nowMs: number): void {
    for (const [id, lastMs] of this.#lastMs) {
      if (lastMs > nowMs - EVERY_MS) return
      this.#lastMs.delete(id)
    }
  }

  #report(connection: string, columns: readonly string[]): void {
    const { log } = this.#options
    log.debug({ connection, columns }, 'a row is corrected')
    this.#unreported++
    const nowMs = performance.now()
    if (nowMs < this.#reportedMs + REPORT_MS) return
    log.warn(
      { connection, columns, corrections: this.#unreported },
      'another program has written columns that only the node that keeps the connection may write; they are written back',
    )
    this.#reportedMs = nowMs
    this.#unreported = 0
  }
}

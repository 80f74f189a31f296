/**
 * Coalesces status writes: one statement for all connections within 50 ms, and at most one write a second for each
 * connection; the last one is never dropped. A write that answers a command is not delayed. A row that another transaction
 * has locked is written again until the lock is gone, and delays no other row.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { Log } from '../log.ts'
import type { RowVersion, StatusWrite, Written } from '../model/observed.ts'
import type { Ledger, Seen } from './ledger.ts'

export interface StatusWriterOptions {
  readonly write: (writes: readonly StatusWrite[]) => Promise<Written>
  readonly onWritten: (ledger: Ledger) => void
  readonly onLost: (ledger: Ledger) => void
  readonly log: Log
}

interface Queued {
  readonly ledger: Ledger
  /** The new state; `null`: the write restores the values that the row has to have. */
  readonly seen: Seen | null
  /** The generation of the last command that the owner had carried out at that time. */
  readonly generation: number
  readonly dueMs: number
  /** The writer does not try a locked row before this time, even if the write is urgent. */
  readonly lockedUntilMs: number
}

/** The time for which the writer gathers writes that answer no command. */
const GATHER_MS = 50
/** The time between two statements, also for writes that answer commands. */
const PACE_MS = 20
/** The time between two writes of one connection that answer no command. */
const COALESCE_MS = 1_000
/** Rows in one statement. A larger statement would lock its rows, and delay the next one, for longer. */
const BATCH = 500
const RETRY_MS = 1_000
/** The time between two tries of a row that another transaction has locked. */
const LOCKED_MS = 250
/** The number of tries of locked rows at a stop. */
const LAST_TRIES = 4

export class StatusWriter {
  readonly #options: StatusWriterOptions
  readonly #queue = new Map<string, Queued>()
  /** The times of the writes of the last second by connection, the oldest first. */
  readonly #lastMs = new Map<string, number>()
  #timer: NodeJS.Timeout | null = null
  #timerMs = Number.POSITIVE_INFINITY
  #flushing: Promise<void> | null = null
  #notBeforeMs = 0
  /** Whether the last statement has failed. */
  #failing = false
  #stopped = false

  constructor(options: StatusWriterOptions) {
    this.#options = options
  }

  /** Rows that wait to be written. */
  get size(): number {
    return this.#queue.size
  }

  add(ledger: Ledger, seen: Seen): void {
    this.#enqueue(ledger, seen)
  }

  /** Queues a write that restores the row, unless a newer write is queued. */
  restore(ledger: Ledger): void {
    if (!this.has(ledger.claimed.id)) this.#enqueue(ledger, null)
  }

  /** Whether a write of the connection is queued. */
  has(id: string): boolean {
    return this.#queue.has(id)
  }

  /** Drops the queued write of a connection that this node does not own any more. */
  forget(ledger: Ledger): void {
    const { id } = ledger.claimed
    if (this.#queue.has(id) && this.#queue.get(id)?.ledger !== ledger) return
    this.#queue.delete(id)
    this.#lastMs.delete(id)
  }

  /** Writes all queued writes at once; resolves when they are written or have failed. */
  async flush(): Promise<void> {
    await this.#flushing
    if (this.#flushing !== null) return
    clearTimeout(this.#timer ?? undefined)
    this.#timer = null
    await this.#begin(Number.POSITIVE_INFINITY)
  }

  /** Tries each queued write once more, and those of locked rows a few times. */
  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer ?? undefined)
    await this.#flushing
    this.#failing = false
    await this.#flush(Number.POSITIVE_INFINITY)
    for (let tries = 0; tries < LAST_TRIES && this.#isBlocked; tries++) {
      await pause(LOCKED_MS)
      await this.#flush(Number.POSITIVE_INFINITY)
    }
  }

  /** Whether locked rows are the only reason for queued writes. */
  get #isBlocked(): boolean {
    return this.#queue.size > 0 && !this.#failing
  }

  #enqueue(ledger: Ledger, seen: Seen | null): void {
    if (this.#stopped) return
    const { id, generation } = ledger.claimed
    const nowMs = performance.now()
    const lastMs = this.#lastMs.get(id) ?? Number.NEGATIVE_INFINITY
    const isUrgent = seen?.urgent === true
    const dueMs = isUrgent ? nowMs : Math.max(nowMs + GATHER_MS, lastMs + COALESCE_MS)
    const sooner = Math.min(dueMs, this.#queue.get(id)?.dueMs ?? dueMs)
    this.#queue.set(id, { ledger, seen, generation, dueMs: sooner, lockedUntilMs: 0 })
    this.#arm(sooner)
  }

  #arm(dueMs: number): void {
    if (this.#flushing !== null || this.#stopped) return
    const atMs = Math.max(dueMs, this.#notBeforeMs)
    if (this.#timer !== null && this.#timerMs <= atMs) return
    clearTimeout(this.#timer ?? undefined)
    this.#timerMs = atMs
    this.#timer = setTimeout(
      () => {
        this.#timer = null
        void this.#begin(performance.now())
      },
      Math.max(0, atMs - performance.now()),
    )
  }

  #begin(dueMs: number): Promise<void> {
    return (this.#flushing = this.#flush(dueMs).finally(() => {
      this.#flushing = null
      this.#armNext()
    }))
  }

  #armNext(): void {
    let nextMs = Number.POSITIVE_INFINITY
    for (const { dueMs, lockedUntilMs } of this.#queue.values())
      nextMs = Math.min(nextMs, Math.max(dueMs, lockedUntilMs))
    if (nextMs < Number.POSITIVE_INFINITY) this.#arm(nextMs)
  }

  async #flush(nowMs: number): Promise<void> {
    for (;;) {
      const batch = this.#takeDue(nowMs)
      if (batch.length === 0 || !(await this.#write(batch))) return
      this.#notBeforeMs = performance.now() + PACE_MS
    }
  }

  async #write(batch: readonly Queued[]): Promise<boolean> {
    const writes = batch.map((queued) => ({ ...queued, write: toWrite(queued) }))
    for (const { ledger } of writes) ledger.begin()
    try {
      const written = await this.#options.write(writes.map(({ write }) => write))
      this.#failing = false
      for (const { write, ...queued } of writes) {
        const row = written.get(write.id)
        if (row === 'locked') this.#postpone(queued)
        else this.#settle(queued.ledger, write, row)
      }
      return true
    } catch (error) {
      for (const { ledger } of writes) ledger.fail()
      this.#failed(error, batch)
      return false
    }
  }

  #settle(ledger: Ledger, write: StatusWrite, row: RowVersion | undefined): void {
    if (row === undefined) {
      ledger.fail()
      this.#options.onLost(ledger)
    } else {
      ledger.wrote(write, row)
      this.#options.onWritten(ledger)
    }
  }

  /** Queues the write of a locked row again, unless a newer write is queued. */
  #postpone(queued: Queued): void {
    queued.ledger.fail()
    const { id } = queued.ledger.claimed
    if (this.has(id)) return
    this.#queue.set(id, { ...queued, lockedUntilMs: performance.now() + LOCKED_MS })
  }

  #failed(error: unknown, batch: readonly Queued[]): void {
    if (!this.#failing) {
      this.#options.log.warn(
        { err: error, count: batch.length },
        'statuses can not be written; the server tries again in 1 s',
      )
    }
    this.#failing = true
    this.#notBeforeMs = performance.now() + RETRY_MS
    // A write that was queued in the meantime is newer.
    for (const queued of batch) {
      const { id } = queued.ledger.claimed
      if (!this.has(id)) this.#queue.set(id, { ...queued, dueMs: 0 })
    }
  }

  #takeDue(nowMs: number): Queued[] {
    for (const [id, lastMs] of this.#lastMs) {
      if (lastMs > performance.now() - COALESCE_MS) break
      this.#lastMs.delete(id)
    }
    const due: Queued[] = []
    for (const [id, queued] of this.#queue) {
      // A timer can fire up to 1 ms early.
      if (queued.dueMs > nowMs + 1 || queued.lockedUntilMs > performance.now() + 1) continue
      due.push(queued)
      this.#queue.delete(id)
      // Inserted at the end, so that the map stays in the order of time.
      this.#lastMs.delete(id)
      this.#lastMs.set(id, performance.now())
      if (due.length === BATCH) break
    }
    return due
  }
}

function toWrite({ ledger, seen, generation }: Queued): StatusWrite {
  return seen === null ? ledger.restore() : ledger.write(seen, generation)
}

/**
 * Gathers status writes: one statement for all of a moment, one write a second for a connection at most, and the last
 * one is never dropped. What answers somebody who waits is held back by neither.
 */
import type { DeviceState } from '@mqtt-status/protocol'
import type { Log } from '../log.ts'
import type { Claimed, Seen } from './keeper.ts'
import type { StatusChange } from './session-state.ts'

export interface StatusWrite extends Omit<StatusChange, 'urgent'> {
  readonly id: string
  readonly epoch: number
  readonly observedGeneration: number
  /** What the change means for the device; `null` leaves it as it is. */
  readonly device: DeviceState | null
}

export interface StatusWriterOptions {
  /** Answers the ids that were written; one that is missing is not ours any more. */
  readonly write: (writes: readonly StatusWrite[]) => Promise<ReadonlySet<string>>
  readonly onLost: (id: string, epoch: number) => void
  readonly log: Log
}

interface Queued {
  readonly write: StatusWrite
  readonly dueMs: number
}

/** What nobody waits for is gathered this long. */
const GATHER_MS = 50
/** Between two statements, however many people wait. */
const PACE_MS = 20
/** Between two writes of one connection that nobody waits for. */
const COALESCE_MS = 1_000
/** A statement that takes long would keep the rows, and what comes after it, waiting. */
const BATCH = 500
const RETRY_MS = 1_000

export class StatusWriter {
  readonly #options: StatusWriterOptions
  readonly #queue = new Map<string, Queued>()
  /** When connections were last written; only of the last second. */
  readonly #lastMs = new Map<string, number>()
  #timer: NodeJS.Timeout | null = null
  #timerMs = Number.POSITIVE_INFINITY
  #flushing: Promise<void> | null = null
  #notBeforeMs = 0
  /** The database is away. */
  #failing = false
  #stopped = false

  constructor(options: StatusWriterOptions) {
    this.#options = options
  }

  add({ id, epoch, generation }: Claimed, { urgent, ...seen }: Seen): void {
    if (this.#stopped) return
    const nowMs = performance.now()
    const lastMs = this.#lastMs.get(id) ?? Number.NEGATIVE_INFINITY
    const dueMs = urgent ? nowMs : Math.max(nowMs + GATHER_MS, lastMs + COALESCE_MS)
    const sooner = Math.min(dueMs, this.#queue.get(id)?.dueMs ?? dueMs)
    const write: StatusWrite = {
      id,
      epoch,
      observedGeneration: generation,
      status: seen.status,
      reason: seen.reason,
      detail: seen.detail,
      mqttReasonCode: seen.mqttReasonCode,
      subscriptionsOk: seen.subscriptionsOk,
      device: seen.device,
    }
    this.#queue.set(id, { write, dueMs: sooner })
    this.#arm(sooner)
  }

  /** Forgets what is not written yet of a connection that is not ours any more. */
  forget(id: string, epoch: number): void {
    if (this.#queue.get(id)?.write.epoch === epoch) this.#queue.delete(id)
  }

  /** Writes at once what is gathered or held back; resolves when it is written, or could not be. */
  async flush(): Promise<void> {
    await this.#flushing
    if (this.#flushing !== null) return
    clearTimeout(this.#timer ?? undefined)
    this.#timer = null
    await this.#begin(Number.POSITIVE_INFINITY)
  }

  /** One last try for everything. */
  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer ?? undefined)
    await this.#flushing
    this.#failing = false
    await this.#flush(Number.POSITIVE_INFINITY)
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
    for (const { dueMs } of this.#queue.values()) nextMs = Math.min(nextMs, dueMs)
    if (nextMs < Number.POSITIVE_INFINITY) this.#arm(nextMs)
  }

  async #flush(nowMs: number): Promise<void> {
    for (;;) {
      const writes = this.#takeDue(nowMs)
      if (writes.length === 0 || !(await this.#write(writes))) return
      this.#notBeforeMs = performance.now() + PACE_MS
    }
  }

  async #write(writes: readonly StatusWrite[]): Promise<boolean> {
    try {
      const written = await this.#options.write(writes)
      this.#failing = false
      for (const { id, epoch } of writes) if (!written.has(id)) this.#options.onLost(id, epoch)
      return true
    } catch (error) {
      if (!this.#failing) {
        this.#options.log.warn(
          { err: error, count: writes.length },
          'statuses can not be written; trying again',
        )
      }
      this.#failing = true
      this.#notBeforeMs = performance.now() + RETRY_MS
      // What was seen meanwhile is newer.
      for (const write of writes)
        if (!this.#queue.has(write.id)) this.#queue.set(write.id, { write, dueMs: 0 })
      return false
    }
  }

  #takeDue(nowMs: number): StatusWrite[] {
    for (const [id, lastMs] of this.#lastMs) {
      if (lastMs > performance.now() - COALESCE_MS) break
      this.#lastMs.delete(id)
    }
    const due: StatusWrite[] = []
    for (const [id, { write, dueMs }] of this.#queue) {
      // Timers are allowed to be a little early.
      if (dueMs > nowMs + 1) continue
      due.push(write)
      this.#queue.delete(id)
      // Moved to the end, so that they stay in the order of time.
      this.#lastMs.delete(id)
      this.#lastMs.set(id, performance.now())
      if (due.length === BATCH) break
    }
    return due
  }
}

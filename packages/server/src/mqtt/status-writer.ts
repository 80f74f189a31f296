/** Gathers status writes: one statement for all of a moment, the last one of a connection wins. */
import type { DeviceState } from '@mqtt-status/protocol'
import type { Log } from '../log.ts'
import type { Claimed } from './keeper.ts'
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

/** Twenty statements a second at most, however many sites flap. */
const GATHER_MS = 50
const RETRY_MS = 1_000

export class StatusWriter {
  readonly #options: StatusWriterOptions
  readonly #queue = new Map<string, StatusWrite>()
  #timer: NodeJS.Timeout | null = null
  #flushing: Promise<void> | null = null
  /** The database is away: the timer alone tries again. */
  #failing = false
  #stopped = false

  constructor(options: StatusWriterOptions) {
    this.#options = options
  }

  add({ id, epoch, generation }: Claimed, { urgent, ...change }: StatusChange): void {
    if (this.#stopped) return
    this.#queue.set(id, {
      id,
      epoch,
      observedGeneration: generation,
      status: change.status,
      reason: change.reason,
      detail: change.detail,
      mqttReasonCode: change.mqttReasonCode,
      subscriptionsOk: change.subscriptionsOk,
      device: null,
    })
    this.#schedule(urgent ? 0 : GATHER_MS)
  }

  /** Forgets what is not written yet of a connection that is not ours any more. */
  forget(id: string): void {
    this.#queue.delete(id)
  }

  /** One last try. */
  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer ?? undefined)
    await this.#flushing
    if (this.#queue.size > 0) await this.#flush()
  }

  #schedule(ms: number): void {
    if (this.#flushing !== null || this.#failing) return
    if (this.#timer !== null && ms > 0) return
    this.#wait(ms)
  }

  #wait(ms: number): void {
    clearTimeout(this.#timer ?? undefined)
    this.#timer = setTimeout(() => {
      this.#timer = null
      this.#flushing = this.#flush().finally(() => {
        this.#flushing = null
        if (this.#queue.size > 0 && !this.#stopped) this.#wait(this.#failing ? RETRY_MS : 0)
      })
    }, ms)
  }

  async #flush(): Promise<void> {
    const writes = [...this.#queue.values()]
    this.#queue.clear()
    try {
      const written = await this.#options.write(writes)
      this.#failing = false
      for (const { id, epoch } of writes) if (!written.has(id)) this.#options.onLost(id, epoch)
    } catch (error) {
      if (!this.#failing) {
        this.#options.log.warn(
          { err: error, count: writes.length },
          'statuses can not be written; trying again',
        )
      }
      this.#failing = true
      // What was seen meanwhile is newer.
      for (const write of writes) if (!this.#queue.has(write.id)) this.#queue.set(write.id, write)
    }
  }
}

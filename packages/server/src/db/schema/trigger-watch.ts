/** Looks from time to time whether the triggers fire: what is written without them is never shown, and leaves no trace. */
import type { Log } from '../../log.ts'
import type { Database } from '../postgres/lane.ts'
import { describeFaults, findTriggerFaults } from './triggers.ts'

export interface TriggerWatchOptions {
  readonly lane: Database
  readonly log: Log
  /** @default 10_000 */
  readonly everyMs?: number
}

const EVERY_MS = 10_000

export class TriggerWatch {
  readonly #options: TriggerWatchOptions
  #timer: NodeJS.Timeout | null = null
  #looking: Promise<void> | null = null
  #stopped = false
  /** Faults that an operator has to repair; empty while there are none. */
  faults: readonly string[] = []

  constructor(options: TriggerWatchOptions) {
    this.#options = options
  }

  start(): void {
    this.#looking = this.#look().finally(() => {
      if (!this.#stopped)
        this.#timer = setTimeout(() => {
          this.start()
        }, this.#options.everyMs ?? EVERY_MS)
    })
  }

  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer ?? undefined)
    await this.#looking
    clearTimeout(this.#timer ?? undefined)
  }

  async #look(): Promise<void> {
    const { lane, log } = this.#options
    try {
      const faults = describeFaults(await lane.read(findTriggerFaults))
      if (faults.join() === this.faults.join()) return
      this.faults = faults
      if (faults.length > 0)
        log.error({ faults }, 'changes of connections may not be shown: run "mqtt-status doctor"')
      else log.info('the triggers fire again')
    } catch {
      // The feed tells that the database can't be read.
    }
  }
}

/**
 * Writes the times of the last messages of devices. It keeps them in memory and writes all of them in one statement every `flushMs`,
 * so that thousands of messages a second do not cause as many writes. A change of the state of a device does not wait for this:
 * the keeper writes it at once, with the status.
 */
import type { Log } from '../log.ts'
import type { ActivityWrite, RowVersion, Written } from '../model/observed.ts'
import type { Keeper } from './keeper.ts'
import type { Ledger } from './ledger.ts'

export interface ActivityOptions {
  readonly keepers: () => Iterable<Keeper>
  readonly write: (writes: readonly ActivityWrite[]) => Promise<Written>
  readonly onWritten: (ledger: Ledger) => void
  readonly onLost: (ledger: Ledger) => void
  /** The same clock as that of the keepers. */
  readonly now: () => number
  readonly flushMs: number
  readonly log: Log
}

/** The interval at which keepers check whether their device has become stale. */
const TICK_MS = 1_000
const BATCH = 1_000

export class Activity {
  readonly #options: ActivityOptions
  readonly #ticking: NodeJS.Timeout
  readonly #flushing: NodeJS.Timeout
  #writing: Promise<void> = Promise.resolve()

  constructor(options: ActivityOptions) {
    this.#options = options
    this.#ticking = setInterval(() => {
      for (const keeper of options.keepers()) keeper.tick()
    }, TICK_MS)
    this.#flushing = setInterval(() => {
      this.#flushSoon()
    }, options.flushMs)
  }

  /** Writes all times now; a time whose write fails stays in memory for the next flush. */
  async flush(): Promise<void> {
    this.#flushSoon()
    await this.#writing
  }

  /** Writes all times once more; the caller ends the keepers after that. */
  async stop(): Promise<void> {
    clearInterval(this.#ticking)
    clearInterval(this.#flushing)
    await this.flush()
  }

  #flushSoon(): void {
    this.#writing = this.#writing.then(() => this.#flush())
  }

  async #flush(): Promise<void> {
    const keepers = [...this.#options.keepers()].filter(({ unwrittenMs }) => unwrittenMs !== null)
    for (let from = 0; from < keepers.length; from += BATCH) {
      try {
        await this.#write(keepers.slice(from, from + BATCH))
      } catch (error) {
        // No time is lost: the next flush writes them.
        this.#options.log.warn(
          { err: error },
          'times of messages can not be written; the server tries again with the next flush',
        )
        return
      }
    }
  }

  async #write(keepers: readonly Keeper[]): Promise<void> {
    const nowMs = this.#options.now()
    const batch = keepers.map((keeper) => ({ keeper, messageMs: keeper.unwrittenMs ?? nowMs }))
    for (const { keeper } of batch) keeper.ledger.begin()
    const written = await this.#options
      .write(
        batch.map(({ keeper: { ledger }, messageMs }) => ({
          id: ledger.claimed.id,
          fence: ledger.claimed.fence,
          ageMs: Math.round(nowMs - messageMs),
          lastMessageAt: ledger.due.lastMessageAt,
        })),
      )
      .catch((error: unknown) => {
        for (const { keeper } of batch) keeper.ledger.fail()
        throw error
      })
    for (const { keeper, messageMs } of batch) {
      this.#settle(keeper, messageMs, written.get(keeper.claimed.id))
    }
  }

  #settle(keeper: Keeper, messageMs: number, row: RowVersion | 'locked' | undefined): void {
    if (row === undefined) {
      keeper.ledger.fail()
      this.#options.onLost(keeper.ledger)
    } else if (row === 'locked') {
      // The next flush writes it.
      keeper.ledger.fail()
    } else {
      keeper.written(messageMs)
      keeper.ledger.wroteActivity(row)
      this.#options.onWritten(keeper.ledger)
    }
  }
}

/** Reads rows again, in batches, one statement at a time, and retries until each row is read. */
import type { Log } from '../log.ts'

export interface RereadsOptions {
  /** Reads rows and acts on them. */
  readonly read: (ids: readonly string[]) => Promise<void>
  readonly log: Log
}

const BATCH = 200
const RETRY_MS = 1_000

export class Rereads {
  readonly #options: RereadsOptions
  readonly #ids = new Set<string>()
  #reading: Promise<void> | null = null
  #retry: NodeJS.Timeout | null = null
  #stopped = false

  constructor(options: RereadsOptions) {
    this.#options = options
  }

  /** Rows that wait to be read. */
  get size(): number {
    return this.#ids.size
  }

  add(id: string): void {
    this.#ids.add(id)
  }

  /** Starts to read the rows that were added. */
  start(): void {
    if (this.#reading !== null || this.#stopped || this.#ids.size === 0) return
    this.#reading = this.#readAll()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#retry ?? undefined)
    await this.#reading
  }

  async #readAll(): Promise<void> {
    while (this.#ids.size > 0 && !this.#stopped) {
      const ids = [...this.#ids].slice(0, BATCH)
      for (const id of ids) this.#ids.delete(id)
      try {
        await this.#options.read(ids)
      } catch (error) {
        this.#options.log.warn(
          { err: error, count: ids.length },
          'rows can not be read; the server tries again in 1 s',
        )
        for (const id of ids) this.#ids.add(id)
        this.#retry = setTimeout(() => {
          this.start()
        }, RETRY_MS)
        break
      }
    }
    // Reset before the promise settles, so that `start` does not skip rows that are added in between.
    this.#reading = null
  }
}

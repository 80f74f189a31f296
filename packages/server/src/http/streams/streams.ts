/** All open WebSockets and SSE streams. One timer calls `tick` of each, and `drain` ends all of them. */
import type { Log } from '../../log.ts'
import type { Patience } from '../context.ts'

export interface Stream {
  /** Sends heartbeats and ends what is over its deadline; the timer calls it at least once a second. */
  tick(nowMs: number): void
  /** Sends `bye` and starts to close. */
  farewell(): void
  /** Closes without waiting for the client. */
  terminate(): void
}

/** Streams that `drain` ends in one turn of the event loop, so that a large fleet does not block it. */
const BATCH = 500

export class Streams {
  readonly #open = new Set<Stream>()
  readonly #patience: Patience
  readonly #log: Log
  readonly #clock: NodeJS.Timeout
  #draining = false
  #emptied: (() => void) | null = null

  constructor({
    heartbeatMs,
    patience,
    log,
  }: {
    heartbeatMs: number
    patience: Patience
    log: Log
  }) {
    this.#patience = patience
    this.#log = log
    this.#clock = setInterval(
      () => {
        const nowMs = Date.now()
        for (const stream of [...this.#open]) stream.tick(nowMs)
      },
      Math.min(
        1_000,
        heartbeatMs / 5,
        ...[patience.pongMs, patience.helloMs, patience.closeMs].map((ms) => ms / 5),
      ),
    )
  }

  /** Number of open sockets and streams. */
  get size(): number {
    return this.#open.size
  }

  get draining(): boolean {
    return this.#draining
  }

  add(stream: Stream): void {
    this.#open.add(stream)
    if (this.#draining) stream.farewell()
  }

  delete(stream: Stream): void {
    this.#open.delete(stream)
    if (this.#open.size === 0) this.#emptied?.()
  }

  /** Ends all streams, and terminates those that have not closed after `closeMs`. */
  async drain(): Promise<void> {
    this.#draining = true
    const streams = [...this.#open]
    for (let start = 0; start < streams.length; start += BATCH) {
      for (const stream of streams.slice(start, start + BATCH)) stream.farewell()
      await new Promise((resolve) => setImmediate(resolve))
    }
    await this.#empty()
    if (this.#open.size > 0)
      this.#log.info({ count: this.#open.size }, 'terminating clients that have not closed in time')
    for (const stream of [...this.#open]) stream.terminate()
    await this.#empty()
    clearInterval(this.#clock)
  }

  #empty(): Promise<void> {
    if (this.#open.size === 0) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, this.#patience.closeMs)
      this.#emptied = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}

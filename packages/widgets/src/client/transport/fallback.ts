/**
 * Chooses a stream of events where WebSockets fail, and polling where streams fail too. The client loads this file after a
 * WebSocket has failed, or if one has failed earlier in this visit.
 */
import type { OpenTransport } from './transport.ts'
import { remembered } from './settings.ts'
import type { TransportName, TransportSettings } from './settings.ts'

/** A server that restarts fails once or twice, and then does not answer at `/healthz`. */
const FAILURES = 3
const REMEMBERED_MS = 3_600_000
const PATIENCE_MS = 5_000
const NEXT = { ws: 'sse', sse: 'poll', poll: 'ws' } as const

/** Why no transport gets through: the server does not answer at `/healthz`, or it does. */
export type Finding = 'unreachable' | 'blocked'

export class Fallback {
  readonly #settings: TransportSettings
  #current: TransportName = 'ws'
  /** Until when `#current` is used, in ms. */
  #until = 0
  #failures = 0
  /** Transports that did not get through since one has worked. */
  readonly #failed = new Set<TransportName>()

  constructor(settings: TransportSettings) {
    const { src, transport = 'auto' } = settings
    this.#settings = settings
    const [name = '', until] =
      transport === 'auto' ? (remembered(src) ?? '').split(' ') : [transport, Infinity]
    if (name in NEXT) {
      this.#current = name as TransportName
      this.#until = Number(until)
    }
  }

  /** @returns `null` where a WebSocket is the current transport */
  async open(): Promise<OpenTransport | null> {
    if (this.#settings.now() > this.#until) this.#current = 'ws'
    if (this.#current === 'ws') return null
    return this.#current === 'sse'
      ? (await import('./event-stream.ts')).openEventStream
      : (await import('./polling.ts')).openPolling
  }

  /** A `welcome` proves that a WebSocket works. A proxy may deliver the first part of a stream and hold back the rest. */
  received(type: 'welcome' | 'ping'): void {
    if (type === 'welcome' && this.#current !== 'ws') return
    this.#failures = 0
    this.#failed.clear()
    const { src, transport = 'auto', now } = this.#settings
    if (transport !== 'auto' || this.#current === 'ws') return
    this.#until = now() + REMEMBERED_MS
    remembered(src, `${this.#current} ${this.#until}`)
  }

  /**
   * The transport is the cause only if the server answers at `/healthz`.
   *
   * @returns the reason; `null` while other transports have not been tried
   */
  async failed(): Promise<Finding | null> {
    const { src, transport = 'auto', now } = this.#settings
    const failed = this.#current
    if (!(await answers(src))) return 'unreachable'
    if (failed === this.#current && ++this.#failures >= FAILURES) {
      this.#failures = 0
      this.#failed.add(failed)
      if (transport === 'auto') {
        this.#current = NEXT[failed]
        this.#until = now() + REMEMBERED_MS
      }
    }
    return this.#failed.has(this.#current) ? 'blocked' : null
  }
}

/** A proxy may answer with a page of its own, so only the JSON of the server counts. */
async function answers(src: string): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS)
    const response = await fetch(`${src}healthz`, { cache: 'no-store', signal })
    return ((await response.json()) as { status?: unknown }).status === 'ok'
  } catch {
    return false
  }
}

/**
 * What is used where WebSockets do not get through: a stream of events, and if that does not either, polling. Loaded when
 * a socket has failed, or when it is remembered that one did.
 */
import type { LinkCause } from './failures.ts'
import type { OpenTransport } from './transport.ts'
import { remembered } from './wire.ts'
import type { Wire, WireSettings } from './wire.ts'

/** A server that restarts fails once or twice, and then does not answer to anything. */
const FAILURES = 3
const REMEMBERED_MS = 3_600_000
const PATIENCE_MS = 5_000
const NEXT = { ws: 'sse', sse: 'poll', poll: 'ws' } as const

export class Fallback {
  readonly #settings: WireSettings
  #wire: Wire = 'ws'
  /** Until when it is used, in ms. */
  #until = 0
  #failures = 0
  /** Wires that did not get through since one has worked. */
  readonly #failed = new Set<Wire>()

  constructor(settings: WireSettings) {
    const { src, transport = 'auto' } = settings
    this.#settings = settings
    const [wire = '', until] =
      transport === 'auto' ? (remembered(src) ?? '').split(' ') : [transport, Infinity]
    if (wire in NEXT) {
      this.#wire = wire as Wire
      this.#until = Number(until)
    }
  }

  /** `null`: a WebSocket is worth another try. */
  async open(): Promise<OpenTransport | null> {
    if (this.#settings.now() > this.#until) this.#wire = 'ws'
    if (this.#wire === 'ws') return null
    return this.#wire === 'sse'
      ? (await import('./sse-transport.ts')).openEventStream
      : (await import('./poll-transport.ts')).openPolling
  }

  worked(): void {
    this.#failures = 0
    this.#failed.clear()
    const { src, transport = 'auto', now } = this.#settings
    if (transport !== 'auto' || this.#wire === 'ws') return
    this.#until = now() + REMEMBERED_MS
    remembered(src, `${this.#wire} ${this.#until}`)
  }

  /**
   * It is the wire's fault only if the server can be reached by other means meanwhile.
   *
   * @returns why it failed; `null` while other wires have not been tried
   */
  async failed(): Promise<LinkCause | null> {
    const { src, transport = 'auto', now } = this.#settings
    const wire = this.#wire
    if (!(await answers(src))) return 'unreachable'
    if (wire === this.#wire && ++this.#failures >= FAILURES) {
      this.#failures = 0
      this.#failed.add(wire)
      if (transport === 'auto') {
        this.#wire = NEXT[wire]
        this.#until = now() + REMEMBERED_MS
      }
    }
    return this.#failed.has(this.#wire) ? 'blocked' : null
  }
}

/** A page that says "back soon" in the server's place is no answer. */
async function answers(src: string): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS)
    const response = await fetch(`${src}healthz`, { cache: 'no-store', signal })
    return ((await response.json()) as { status?: unknown }).status === 'ok'
  } catch {
    return false
  }
}

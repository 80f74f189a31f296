/**
 * What is used where WebSockets do not get through: a stream of events, and if that does not either, polling. Loaded when
 * a socket has failed, or when it is remembered that one did.
 */
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
    const { src, transport = 'auto', now } = this.#settings
    if (transport !== 'auto' || this.#wire === 'ws') return
    this.#until = now() + REMEMBERED_MS
    remembered(src, `${this.#wire} ${this.#until}`)
  }

  /** It is the wire's fault only if the server can be reached by other means meanwhile. */
  async failed(): Promise<void> {
    const { src, transport = 'auto', now } = this.#settings
    const wire = this.#wire
    if (transport !== 'auto' || !(await answers(src))) return
    if (wire !== this.#wire || ++this.#failures < FAILURES) return
    this.#wire = NEXT[wire]
    this.#failures = 0
    this.#until = now() + REMEMBERED_MS
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

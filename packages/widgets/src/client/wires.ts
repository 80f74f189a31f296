/**
 * Which wire is used: a WebSocket, until it has failed again and again while the server could be reached by other means;
 * then a stream of events, then polling. What worked is remembered for an hour.
 */
import type { TokenSettings } from './tokens.ts'
import type { OpenTransport } from './transport.ts'
import { openWebSocket } from './websocket-transport.ts'

export type Wire = 'ws' | 'sse' | 'poll'

export interface WireSettings extends TokenSettings {
  /** Ends with a slash. */
  readonly src: string
  readonly transport?: Wire | 'auto'
  readonly share?: 'page' | 'tabs'
  /** A wire of the caller's own, and no other. */
  readonly open?: OpenTransport | undefined
  readonly now: () => number
}

/** A server that restarts fails once or twice, and then does not answer to anything. */
const FAILURES = 3
const REMEMBERED_MS = 3_600_000
const PATIENCE_MS = 5_000
const NEXT = { ws: 'sse', sse: 'poll', poll: 'ws' } as const

export class Wires {
  readonly #settings: WireSettings
  readonly #fixed: Wire | null
  readonly #key: string
  #wire: Wire = 'ws'
  /** Until when another wire than the first is used, in ms. */
  #until = 0
  #failures = 0

  constructor(settings: WireSettings) {
    const { transport = 'auto', src, open } = settings
    this.#settings = settings
    this.#key = `mqtt-status:${src}`
    this.#fixed = open ? 'ws' : transport === 'auto' ? null : transport
    const [wire = '', until] = (remembered(this.#key) ?? '').split(' ')
    if (wire in NEXT) {
      this.#wire = wire as Wire
      this.#until = Number(until)
    }
  }

  get wire(): Wire {
    if (this.#fixed) return this.#fixed
    if (this.#wire !== 'ws' && this.#settings.now() > this.#until) this.#turnTo('ws')
    return this.#wire
  }

  /** Wires that most pages never need are loaded when they are. */
  async open(): Promise<OpenTransport> {
    const { src, open = openWebSocket, share, getToken, tokenSrc, token } = this.#settings
    switch (this.wire) {
      case 'ws': {
        // Who a function would answer with in another tab can't be known.
        if (share !== 'tabs' || getToken || !('locks' in navigator)) return open
        const { openAmongTabs } = await import('./tabs-transport.ts')
        return openAmongTabs(JSON.stringify(['mqtt-status.tabs.1', src, tokenSrc, token]), open)
      }
      case 'sse':
        return (await import('./sse-transport.ts')).openEventStream
      case 'poll':
        return (await import('./poll-transport.ts')).openPolling
    }
  }

  /** It has carried what it should. */
  worked(): void {
    this.#failures = 0
    if (this.#fixed || this.#wire === 'ws') return
    this.#until = this.#settings.now() + REMEMBERED_MS
    remembered(this.#key, `${this.#wire} ${this.#until}`)
  }

  /** It could not be opened, or went silent: the wire's fault only if the server can be reached meanwhile. */
  async failed(): Promise<void> {
    const wire = this.#wire
    if (this.#fixed || !(await answers(this.#settings.src))) return
    if (wire === this.#wire && ++this.#failures >= FAILURES) this.#turnTo(NEXT[wire])
  }

  #turnTo(wire: Wire): void {
    this.#wire = wire
    this.#failures = 0
    this.#until = this.#settings.now() + REMEMBERED_MS
  }
}

/** A page that says "back soon" instead of the server is no answer. */
async function answers(src: string): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS)
    const response = await fetch(`${src}healthz`, { cache: 'no-store', signal })
    return ((await response.json()) as { status?: unknown }).status === 'ok'
  } catch {
    return false
  }
}

/** There is no such place in Node, and some pages may not use it. */
function remembered(key: string, value?: string): string | null {
  try {
    if (value !== undefined) sessionStorage.setItem(key, value)
    return sessionStorage.getItem(key)
  } catch {
    return null
  }
}

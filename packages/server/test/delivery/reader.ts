/**
 * A client as docs/protocol.md describes one, and nothing more: it keeps rows by id, the highest revision of each, and
 * the last cursor. It notes every fault of the server: a row that goes back, a frame over 64 KiB, a cursor while a
 * snapshot is unfinished.
 */
import type { Connection, ServerMessage, WatchFilter } from '@mqtt-status/protocol'

/** The lines that arrive; after `close` no line arrives any more. */
export interface Line {
  close(): void
  /** Stops taking anything from the network, or goes on. */
  pause(paused: boolean): void
}

export interface Dial {
  readonly url: string
  readonly token: string | null
  readonly watch: WatchFilter & { readonly cursor?: string }
  readonly onFrame: (message: ServerMessage, bytes: number) => void
  readonly onClose: (code: number) => void
}

export type Wire = (dial: Dial) => Line

const FRAME_BYTES = 64 * 1024

export class Reader {
  readonly name: string
  readonly rows: Map<string, Connection> = new Map()
  readonly faults: string[] = []
  /** The number of snapshots and patches that have arrived. */
  frames = 0
  /** How the answers to its watches came. */
  readonly answers: { snapshot: number; patch: number } = { snapshot: 0, patch: 0 }
  readonly #wire: Wire
  readonly #token: string | null
  readonly #watch: WatchFilter
  readonly #highest = new Map<string, number>()
  #epoch = ''
  #cursor: string | undefined
  /** The ids of a snapshot whose last page has not come yet. */
  #pages: Set<string> | null = null
  #line: Line | null = null

  constructor(name: string, wire: Wire, { token, watch }: Pick<Dial, 'token' | 'watch'>) {
    this.name = name
    this.#wire = wire
    this.#token = token
    this.#watch = watch
  }

  get connected(): boolean {
    return this.#line !== null
  }

  connect(url: string): void {
    this.disconnect()
    this.#pages = null
    const cursor = this.#cursor
    const line = this.#wire({
      url,
      token: this.#token,
      watch: { ...this.#watch, ...(cursor === undefined ? {} : { cursor }) },
      onFrame: (message, bytes) => {
        if (this.#line !== line) return
        if (message.type === 'snapshot' || message.type === 'patch') this.frames++
        // A row that is larger than a frame goes alone.
        if (bytes > FRAME_BYTES && rowsOf(message) > 1)
          this.faults.push(`a frame of ${bytes} bytes`)
        this.#hear(message)
      },
      onClose: () => {
        if (this.#line === line) this.#line = null
      },
    })
    this.#line = line
  }

  disconnect(): void {
    this.#line?.close()
    this.#line = null
  }

  pause(paused: boolean): void {
    this.#line?.pause(paused)
  }

  #hear(message: ServerMessage): void {
    switch (message.type) {
      case 'welcome':
        if (this.#epoch !== '' && this.#epoch !== message.epoch) this.#forget()
        this.#epoch = message.epoch
        return
      case 'snapshot':
        this.#pages ??= new Set()
        for (const row of message.connections) this.#pages.add(row.id)
        this.#take(message)
        if (message.final === true) this.#finish(this.#pages)
        else if (message.cursor !== undefined) this.faults.push('a cursor before the last page')
        return
      case 'patch':
        this.#take(message)
        if (message.final === true) this.answers.patch++
        return
      case 'ping':
        this.#cursor = message.cursor ?? this.#cursor
        return
      default:
    }
  }

  #take(message: Extract<ServerMessage, { type: 'snapshot' | 'patch' }>): void {
    for (const row of message.connections) {
      if (this.#isNews(row.id, row.revision)) this.rows.set(row.id, row)
    }
    for (const { id, revision } of message.type === 'patch' ? message.removed : []) {
      // It may have left the place that is watched long before it was lost from sight.
      if (!this.rows.has(id) && revision < (this.#highest.get(id) ?? 0)) continue
      if (this.#isNews(id, revision)) this.rows.delete(id)
    }
    this.#cursor = message.cursor ?? this.#cursor
  }

  /** The same revision may come twice; a lower one must never come. */
  #isNews(id: string, revision: number): boolean {
    const highest = this.#highest.get(id) ?? 0
    if (revision < highest) {
      this.faults.push(`${id} went back from ${highest} to ${revision}`)
      return false
    }
    this.#highest.set(id, revision)
    return true
  }

  #finish(named: ReadonlySet<string>): void {
    for (const id of this.rows.keys()) if (!named.has(id)) this.rows.delete(id)
    this.#pages = null
    this.answers.snapshot++
  }

  #forget(): void {
    this.rows.clear()
    this.#highest.clear()
    this.#cursor = undefined
  }
}

function rowsOf(message: ServerMessage): number {
  return 'connections' in message ? message.connections.length : 0
}

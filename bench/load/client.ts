import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { MarkerScanner } from '../marker.ts'
import { greeting, READY, reply } from './wire.ts'
import type { Watched, WireKind } from './wire.ts'

const CURSOR = Buffer.from('"cursor":"')
const QUOTE = 0x22
const BYE = Buffer.from('"reconnectAfterMs":[')
const SNAPSHOT = Buffer.from('"type":"snapshot"')

export interface ClientOptions {
  readonly kind: WireKind
  readonly port: number
  readonly watched: Watched
  readonly onChange: (momentMs: number, sequence: number) => void
}

/** One connection: counts markers, remembers the last cursor, and how its watch was answered. */
export class LoadClient {
  readonly #options: ClientOptions
  readonly #scanner = new MarkerScanner()
  #socket: Socket
  cursor: string | null = null
  answeredBy: 'patch' | 'snapshot' | null = null
  chunks = 0
  bytes = 0
  closed = false
  /** Whether the server asked it to come back later. */
  saidBye = false
  readonly ready: Promise<void>

  constructor(options: ClientOptions) {
    this.#options = options
    const { kind, port, watched } = options
    this.#socket = connect(port, '127.0.0.1')
    this.#socket.setNoDelay(true)
    this.#socket.on('error', () => undefined)
    this.#socket.on('close', () => (this.closed = true))
    this.ready = new Promise((resolve, reject) => {
      this.#socket.once('connect', () => {
        this.#socket.write(greeting(kind, port, watched))
        if (kind === 'raw') resolve()
      })
      this.#socket.once('close', () => {
        reject(new Error('closed before it was ready'))
      })
      this.#listen(resolve)
    })
    // Only the caller that awaits the promise handles its rejection.
    this.ready.catch(() => undefined)
  }

  pause(): void {
    this.#socket.pause()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  #listen(onReady: () => void): void {
    const { kind, onChange } = this.#options
    let head: Buffer | null = Buffer.alloc(0)
    this.#socket.on('data', (chunk: Buffer) => {
      this.chunks++
      this.bytes += chunk.length
      if (head !== null) {
        head = Buffer.concat([head, chunk])
        const answer = reply(kind, chunk)
        if (answer !== null) this.#socket.write(answer)
        if (head.includes(READY[kind])) {
          this.answeredBy = head.includes(SNAPSHOT) ? 'snapshot' : 'patch'
          head = null
          onReady()
        }
      }
      this.#note(chunk)
      this.#scanner.scan(chunk, onChange)
    })
  }

  #note(chunk: Buffer): void {
    if (!this.#options.kind.startsWith('status')) return
    if (chunk.includes(BYE)) this.saidBye = true
    const at = chunk.lastIndexOf(CURSOR)
    if (at === -1) return
    const end = chunk.indexOf(QUOTE, at + CURSOR.length)
    if (end !== -1) this.cursor = chunk.toString('latin1', at + CURSOR.length, end)
  }
}

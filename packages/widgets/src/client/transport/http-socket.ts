/**
 * Makes reads over HTTP look like a WebSocket, so that nothing above a transport knows which one it has.
 *
 * A WebSocket adds each `watch` to its set and removes each `unwatch` from it. A read over HTTP takes no messages and names
 * the whole set in its request. The adapter therefore keeps the set, and replaces the running read whenever the set or
 * the token changes. A read begins with a `welcome`; its answers have no `id`, which means that they are about
 * everything that is watched.
 */
import type { ClientMessage, WatchFilter, WatchMessage } from '@mqtt-status/protocol'
import { toJson } from '../json.ts'
import { fitsOneMessage, toFilter, toNames } from '../names.ts'
import type { OpenTransport, Transport, TransportListener } from './transport.ts'

export interface ReadRequest {
  /** Ends with a slash. */
  readonly src: string
  readonly token: string | undefined
  readonly watch: WatchFilter & { readonly cursor?: string }
  /** Aborts when the read is replaced, or the transport is closed. */
  readonly signal: AbortSignal
  /** @param cursor from where the next read can continue, once `text` is processed */
  readonly hear: (text: string, cursor?: string) => void
}

/** Reads until the server ends the answer, or the network breaks. @returns the close code that a WebSocket would have had */
export type Read = (request: ReadRequest) => Promise<number>

export function openHttpSocket(read: Read): OpenTransport {
  return (src, listener) => new HttpSocket(src, { read, listener })
}

class HttpSocket implements Transport {
  readonly #src: string
  readonly #read: Read
  readonly #listener: TransportListener
  readonly #names = new Set<string>()
  #isWatching = false
  #token: string | undefined
  #cursor: string | undefined
  /** Whether the client waits for a `pong`: the first message of the next read proves what a `pong` would. */
  #pinged = false
  #isDue = false
  #isClosed = false
  #current = new AbortController()

  constructor(src: string, { read, listener }: { read: Read; listener: TransportListener }) {
    this.#src = src
    this.#read = read
    this.#listener = listener
    queueMicrotask(listener.onOpen)
  }

  send(message: ClientMessage): boolean {
    switch (message.type) {
      case 'hello':
        this.#token = message.token
        break
      case 'auth':
        this.#token = message.token
        this.#readAgain()
        break
      case 'ping':
        this.#pinged = true
        this.#readAgain()
        break
      case 'watch':
        this.#watch(message)
        break
      case 'unwatch':
        for (const name of toNames(message)) this.#names.delete(name)
        this.#readAgain()
        break
      default:
    }
    return true
  }

  close(): void {
    this.#isClosed = true
    this.#current.abort()
  }

  #watch(message: WatchMessage): void {
    const added = toNames(message)
    if (!fitsOneMessage([...this.#names, ...added])) {
      this.#refuse(message.id)
      return
    }
    for (const name of added) this.#names.add(name)
    // One read serves all watches of a task. It continues from a cursor only if every one of them has one.
    if (!this.#isDue || this.#cursor !== undefined) this.#cursor = message.cursor
    this.#isWatching = true
    this.#readAgain()
  }

  /** Refuses a watch as a server without room for it would. */
  #refuse(id: number | undefined): void {
    const message = 'The names of all watches do not fit into one request'
    const refusal = toJson({ type: 'error', id, code: 'limit_watch', message, retryable: false })
    queueMicrotask(() => {
      if (!this.#isClosed) this.#listener.onMessage(refusal)
    })
  }

  /** Ends the running read at once, because its later messages would not answer the new set. */
  #readAgain(): void {
    if (!this.#isWatching) return
    this.#current.abort()
    if (this.#isDue) return
    this.#isDue = true
    queueMicrotask(() => {
      this.#isDue = false
      if (!this.#isClosed) void this.#begin()
    })
  }

  async #begin(): Promise<void> {
    const { signal } = (this.#current = new AbortController())
    const cursor = this.#cursor
    const code = await this.#read({
      src: this.#src,
      token: this.#token,
      watch: { ...toFilter([...this.#names]), ...(cursor !== undefined && { cursor }) },
      signal,
      hear: (text, reached) => {
        if (signal.aborted) return
        this.#cursor = reached ?? this.#cursor
        if (this.#pinged) this.#deliver(toJson({ type: 'pong', now: '' }), signal)
        this.#pinged = false
        this.#deliver(text, signal)
      },
    })
    if (!signal.aborted) this.#listener.onClose(code)
  }

  /** The client may replace the read while it processes a message. */
  #deliver(text: string, signal: AbortSignal): void {
    if (!signal.aborted) this.#listener.onMessage(text)
  }
}

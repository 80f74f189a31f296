import { connect, createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'

/**
 * - `pass`: forwards all bytes
 * - `drop`: drops the bytes of both sides and closes no connection
 * - `up-drop`: drops the bytes of the client
 * - `hold`: buffers the bytes of the server until the mode changes, like a proxy that buffers
 * - `slow`: delays all bytes by 300 ms
 * - `refuse-upgrade`, `reset-upgrade`: answers 403 to WebSockets, or resets them, and forwards all else
 * - `whole-answers`: answers 403 to WebSockets, and buffers SSE streams, which never end
 */
export type FaultMode =
  | 'pass'
  | 'drop'
  | 'up-drop'
  | 'hold'
  | 'slow'
  | 'refuse-upgrade'
  | 'reset-upgrade'
  | 'whole-answers'

const SLOW_MS = 300
const REFUSAL = 'HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n'
const REFUSING: ReadonlySet<FaultMode> = new Set(['refuse-upgrade', 'whole-answers'])

/** A TCP proxy with the faults of networks, most of which close no connection. */
export class FaultProxy {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #flows = new Set<Flow>()
  /** Upgrades that were refused or reset. */
  refused = 0
  /** Chunks and ends that the proxy has received, forwarded or not. */
  taken = 0
  #mode: FaultMode = 'pass'

  private constructor(targetPort: () => number) {
    this.#server = createServer((client) => {
      const upstream = connect(targetPort(), '127.0.0.1')
      this.#join(client, upstream, true)
      this.#join(upstream, client, false)
    })
  }

  /** @param target the port behind the proxy; a function is called for each connection */
  static async start(target: number | (() => number)): Promise<FaultProxy> {
    const proxy = new FaultProxy(typeof target === 'number' ? () => target : target)
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get mode(): FaultMode {
    return this.#mode
  }

  set mode(mode: FaultMode) {
    this.#mode = mode
    for (const flow of this.#flows) flow.turn(mode)
  }

  /** Resets every connection (RST). */
  reset(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    for (const socket of this.#sockets) socket.destroy()
    await closed
    for (const flow of this.#flows) flow.stop()
  }

  #join(from: Socket, to: Socket, up: boolean): void {
    const flow = new Flow(to, up, this.#mode)
    this.#flows.add(flow)
    this.#sockets.add(from)
    from.on('error', () => undefined)
    from.on('data', (chunk) => {
      this.taken++
      if (up && this.#refuses(from, chunk)) return
      flow.take(chunk)
    })
    from.once('close', () => {
      this.taken++
      this.#sockets.delete(from)
      flow.take(null)
    })
    to.once('close', () => {
      flow.stop()
      this.#flows.delete(flow)
    })
  }

  #refuses(from: Socket, chunk: Buffer): boolean {
    const resets = this.#mode === 'reset-upgrade'
    if (!resets && !REFUSING.has(this.#mode)) return false
    if (!/^upgrade: websocket/im.test(String(chunk))) return false
    this.refused++
    if (resets) from.resetAndDestroy()
    else from.end(REFUSAL)
    return true
  }
}

/** One direction of one connection: as in TCP, bytes arrive in order, and none arrives after a lost one. */
class Flow {
  readonly #to: Socket
  readonly #up: boolean
  #mode: FaultMode
  #waiting: { readonly chunk: Buffer | null; readonly dueMs: number }[] = []
  #timer: ReturnType<typeof setTimeout> | undefined
  #isLost = false
  #isEventStream = false

  constructor(to: Socket, up: boolean, mode: FaultMode) {
    this.#to = to
    this.#up = up
    this.#mode = mode
  }

  /** @param chunk `null`: the end */
  take(chunk: Buffer | null): void {
    const waitMs = this.#mode === 'slow' ? SLOW_MS : 0
    if (!this.#up && chunk && /^content-type: text\/event-stream/im.test(String(chunk)))
      this.#isEventStream = true
    this.#waiting.push({ chunk, dueMs: performance.now() + waitMs })
    this.#pump()
  }

  turn(mode: FaultMode): void {
    this.#mode = mode
    if (this.#waiting.length > 0) this.#pump()
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#isLost = true
  }

  #pump(): void {
    clearTimeout(this.#timer)
    this.#isLost ||= this.#swallows
    if (this.#isLost) this.#waiting = []
    if (this.#isHeld) return
    for (let [first] = this.#waiting; first; [first] = this.#waiting) {
      const waitMs = first.dueMs - performance.now()
      if (waitMs > 0) {
        this.#timer = setTimeout(() => {
          this.#pump()
        }, waitMs)
        return
      }
      this.#waiting.shift()
      if (first.chunk) this.#to.write(first.chunk)
      else this.#to.destroySoon()
    }
  }

  /** In the mode `drop` neither side gets the close of the other one. */
  get #swallows(): boolean {
    const isEnd = this.#waiting.some(({ chunk }) => chunk === null)
    return this.#mode === 'drop' || (this.#mode === 'up-drop' && (this.#up || isEnd))
  }

  get #isHeld(): boolean {
    if (this.#up) return false
    return this.#mode === 'hold' || (this.#mode === 'whole-answers' && this.#isEventStream)
  }
}

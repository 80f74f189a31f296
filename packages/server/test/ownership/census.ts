/** A real broker in the test's process that counts accepted sockets per client id, and how long one had none. */
import { createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { Aedes } from 'aedes'

interface Seen {
  readonly live: Set<Socket>
  accepts: number
  peak: number
  closedAt: number | null
}

export class Census {
  readonly #seen = new Map<string, Seen>()
  readonly #sockets = new Set<Socket>()
  readonly #aedes: Aedes
  readonly #server: Server
  /** The longest time between the end of a client's connection and its next one, in ms. */
  longestGap = 0
  /** How often clients were accepted, ever. */
  total = 0

  private constructor(aedes: Aedes) {
    this.#aedes = aedes
    this.#server = createServer((socket) => {
      this.#sockets.add(socket)
      socket.on('error', () => undefined)
      socket.once('close', () => this.#sockets.delete(socket))
      aedes.handle(socket)
    })
    aedes.on('clientReady', (client) => {
      this.#accepted(client.id, client.conn as Socket)
    })
  }

  static async start(): Promise<Census> {
    const census = new Census(await Aedes.createBroker())
    await new Promise<void>((resolve) => census.#server.listen(0, '127.0.0.1', resolve))
    return census
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Clients that are connected. */
  get connected(): readonly string[] {
    return [...this.#seen].filter(([, { live }]) => live.size > 0).map(([id]) => id)
  }

  /** Accepted sockets at this moment, of all clients. */
  get live(): number {
    return this.#sum(({ live }) => live.size)
  }

  /** The most sockets that one client had at the same time. */
  get peak(): number {
    return Math.max(0, ...[...this.#seen.values()].map(({ peak }) => peak))
  }

  /** How often clients were accepted since the last reset. */
  get accepts(): number {
    return this.#sum(({ accepts }) => accepts)
  }

  /** How often the busiest client was accepted. */
  get mostAccepts(): number {
    return Math.max(0, ...[...this.#seen.values()].map(({ accepts }) => accepts))
  }

  acceptsOf(id: string): number {
    return this.#seen.get(id)?.accepts ?? 0
  }

  isLive(id: string): boolean {
    return (this.#seen.get(id)?.live.size ?? 0) > 0
  }

  /** From now on. */
  forget(): void {
    this.longestGap = 0
    for (const seen of this.#seen.values()) {
      seen.accepts = 0
      seen.peak = seen.live.size
    }
  }

  /** Closes the socket of a client without a DISCONNECT. */
  cut(id: string): void {
    for (const socket of this.#seen.get(id)?.live ?? []) socket.destroy()
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    for (const socket of this.#sockets) socket.destroy()
    await closed
    await new Promise<void>((resolve) => {
      this.#aedes.close(() => {
        resolve()
      })
    })
  }

  #accepted(id: string, socket: Socket): void {
    const seen = this.#seen.get(id) ?? { live: new Set(), accepts: 0, peak: 0, closedAt: null }
    this.#seen.set(id, seen)
    if (seen.live.size === 0 && seen.closedAt !== null)
      this.longestGap = Math.max(this.longestGap, performance.now() - seen.closedAt)
    seen.live.add(socket)
    seen.accepts++
    this.total++
    seen.peak = Math.max(seen.peak, seen.live.size)
    socket.once('close', () => {
      seen.live.delete(socket)
      seen.closedAt = performance.now()
    })
    if (socket.destroyed) seen.live.delete(socket)
  }

  #sum(of: (seen: Seen) => number): number {
    return [...this.#seen.values()].reduce((total, seen) => total + of(seen), 0)
  }
}

import { connect, createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'

/**
 * `pass` forwards; `drop` swallows everything both ways and closes nothing; `up-drop` swallows what the client sends;
 * `hold` keeps what the server sends, as a proxy that buffers does, until it passes again.
 */
export type FaultMode = 'pass' | 'drop' | 'up-drop' | 'hold'

/** A TCP proxy that breaks the way networks do: silently. */
export class FaultProxy {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #held: (() => void)[] = []
  #mode: FaultMode = 'pass'

  private constructor(targetPort: number) {
    this.#server = createServer((client) => {
      const upstream = connect(targetPort, '127.0.0.1')
      this.#join(client, upstream, true)
      this.#join(upstream, client, false)
    })
  }

  static async start(targetPort: number): Promise<FaultProxy> {
    const proxy = new FaultProxy(targetPort)
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
    if (mode === 'pass') for (const release of this.#held.splice(0)) release()
  }

  /** Resets every connection (RST). */
  reset(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  #join(from: Socket, to: Socket, up: boolean): void {
    this.#sockets.add(from)
    from.on('error', () => undefined)
    from.on('data', (chunk) => {
      if (this.#mode === 'pass' || (this.#mode === 'up-drop' && !up)) to.write(chunk)
      else if (this.#mode === 'hold') {
        if (up) to.write(chunk)
        else this.#held.push(() => to.write(chunk))
      }
    })
    from.once('close', () => {
      this.#sockets.delete(from)
      // In a black hole nobody hears that the other side is gone.
      if (this.#mode === 'pass') to.destroy()
    })
  }
}

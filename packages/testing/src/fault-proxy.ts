import { connect, createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'

/** `pass` forwards; `drop` swallows everything both ways and closes nothing; `up-drop` swallows what the client sends. */
export type FaultMode = 'pass' | 'drop' | 'up-drop'

/** A TCP proxy that breaks the way networks do: silently. */
export class FaultProxy {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  mode: FaultMode = 'pass'

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
      if (this.mode === 'pass' || (this.mode === 'up-drop' && !up)) to.write(chunk)
    })
    from.once('close', () => {
      this.#sockets.delete(from)
      // In a black hole nobody hears that the other side is gone.
      if (this.mode === 'pass') to.destroy()
    })
  }
}

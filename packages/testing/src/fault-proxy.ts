import { connect, createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'

/**
 * `pass` forwards; `drop` swallows everything both ways and closes nothing; `up-drop` swallows what the client sends;
 * `hold` keeps what the server sends, as a proxy that buffers does, until it passes again; `slow` lets everything wait
 * for 300 ms; `refuse-upgrade` answers 403 to WebSockets and `reset-upgrade` resets them, both forward everything else.
 */
export type FaultMode =
  'pass' | 'drop' | 'up-drop' | 'hold' | 'slow' | 'refuse-upgrade' | 'reset-upgrade'

const SLOW_MS = 300
const REFUSAL = 'HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n'

/** A TCP proxy that breaks the way networks do: silently. */
export class FaultProxy {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #held: (() => void)[] = []
  /** Upgrades that were refused or reset. */
  refused = 0
  #mode: FaultMode = 'pass'

  private constructor(targetPort: () => number) {
    this.#server = createServer((client) => {
      const upstream = connect(targetPort(), '127.0.0.1')
      this.#join(client, upstream, true)
      this.#join(upstream, client, false)
    })
  }

  /** @param target the port behind it; a function is asked for every connection */
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
      const isUpgrade =
        up && this.#mode.endsWith('-upgrade') && /^upgrade: websocket/im.test(String(chunk))
      if (isUpgrade) {
        this.refused++
        if (this.#mode === 'reset-upgrade') from.resetAndDestroy()
        else from.end(REFUSAL)
      } else if (this.#mode === 'slow') setTimeout(() => to.write(chunk), SLOW_MS)
      else if (
        this.#mode === 'pass' ||
        this.#mode.endsWith('-upgrade') ||
        (this.#mode === 'up-drop' && !up)
      )
        to.write(chunk)
      else if (this.#mode === 'hold') {
        if (up) to.write(chunk)
        else this.#held.push(() => to.write(chunk))
      }
    })
    from.once('close', () => {
      this.#sockets.delete(from)
      // In a black hole nobody hears that the other side is gone.
      if (this.#mode !== 'drop' && this.#mode !== 'up-drop') to.destroy()
    })
  }
}

/** A TCP proxy in front of mqtt-status that counts WebSockets: pages and the example's own server come through it. */
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'

export class FrontDoor {
  /** Where mqtt-status answers. */
  readonly url: string
  /** How many WebSockets have been opened. */
  handshakes = 0
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #webSockets = new Set<Socket>()

  private constructor(server: Server) {
    this.#server = server
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  /** @param target the address of the server behind it */
  static async open(target: string): Promise<FrontDoor> {
    const server = createServer()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const door = new FrontDoor(server)
    const port = Number(new URL(target).port)
    server.on('connection', (client) => {
      const upstream = connect(port, '127.0.0.1')
      door.#join(client, upstream)
      door.#join(upstream, client)
      client.once('data', (chunk) => {
        if (/^upgrade: websocket/im.test(chunk.toString('latin1'))) door.#count(client)
      })
    })
    return door
  }

  /** How many WebSockets are open. */
  get open(): number {
    return this.#webSockets.size
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  #count(client: Socket): void {
    this.handshakes++
    this.#webSockets.add(client)
    client.on('close', () => this.#webSockets.delete(client))
  }

  #join(from: Socket, to: Socket): void {
    this.#sockets.add(from)
    from.pipe(to)
    // Both ends fail together: a server that does not listen refuses the page.
    from.on('error', () => undefined)
    from.on('close', () => {
      this.#sockets.delete(from)
      to.destroy()
    })
  }
}

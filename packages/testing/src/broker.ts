import { createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { Aedes } from 'aedes'
import type { AuthenticateError, AuthErrorCode } from 'aedes'
import { parser } from 'mqtt-packet'

export interface BrokerOptions {
  /** The return code of CONNACK for a client; 0 accepts it. @default 0 for every client */
  readonly connack?: (client: {
    id: string
    username: string | undefined
    password: string | undefined
  }) => 0 | AuthErrorCode
  /** Whether a topic may be subscribed. @default any */
  readonly maySubscribe?: (topic: string) => boolean
}

function refusal(returnCode: AuthErrorCode): AuthenticateError {
  return Object.assign(new Error('refused'), { returnCode })
}

/** A real MQTT 3.1.1 broker in this process that counts the packets it receives, and that a test can kill. */
export class Broker {
  readonly #options: BrokerOptions
  readonly #sockets = new Set<Socket>()
  readonly #connects = new Map<string, number>()
  readonly #disconnects = new Map<string, number>()
  #aedes: Aedes | null = null
  #server: Server | null = null
  #port = 0

  private constructor(options: BrokerOptions) {
    this.#options = options
  }

  static async start(options: BrokerOptions = {}): Promise<Broker> {
    const broker = new Broker(options)
    await broker.#listen()
    return broker
  }

  get port(): number {
    return this.#port
  }

  /** Open sockets. */
  get sockets(): number {
    return this.#sockets.size
  }

  /** How many CONNECT packets a client has sent. */
  connects(clientId: string): number {
    return this.#connects.get(clientId) ?? 0
  }

  /** How many DISCONNECT packets a client has sent; a socket that just ends does not count. */
  disconnects(clientId: string): number {
    return this.#disconnects.get(clientId) ?? 0
  }

  /** Sends a message to the subscribers of the topic. */
  async publish(topic: string, payload: string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const packet = { cmd: 'publish', topic, payload, qos: 0, retain: false, dup: false } as const
      this.#aedes?.publish(packet, (error) => {
        if (error) reject(error)
        else resolve()
      })
    })
  }

  /** As if the process had died: all sockets are cut without a DISCONNECT. */
  async kill(): Promise<void> {
    const server = this.#server
    if (server === null) return
    this.#server = null
    const closed = new Promise((resolve) => server.close(resolve))
    for (const socket of this.#sockets) socket.destroy()
    await closed
    await new Promise<void>((resolve) => {
      this.#aedes?.close(() => {
        resolve()
      })
    })
  }

  /** Starts again on the same port. */
  async restart(): Promise<void> {
    await this.kill()
    await this.#listen()
  }

  async stop(): Promise<void> {
    await this.kill()
  }

  async #listen(): Promise<void> {
    const { connack = () => 0, maySubscribe = () => true } = this.#options
    const aedes = await Aedes.createBroker({
      // eslint-disable-next-line max-params -- the signature is the broker's
      authenticate: (client, username, password, done) => {
        const returnCode = connack({
          id: client.id,
          username: username ?? undefined,
          password: password?.toString(),
        })
        if (returnCode === 0) done(null, true)
        else done(refusal(returnCode), false)
      },
      authorizeSubscribe: (_client, subscription, done) => {
        done(null, maySubscribe(subscription.topic) ? subscription : null)
      },
    })
    const server = createServer((socket) => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
      socket.on('error', () => undefined)
      this.#listenIn(socket)
      aedes.handle(socket)
    })
    this.#aedes = aedes
    this.#server = server
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(this.#port, '127.0.0.1', resolve)
    })
    this.#port = (server.address() as AddressInfo).port
  }

  #listenIn(socket: Socket): void {
    let clientId = ''
    const packets = parser()
    packets.on('packet', (packet) => {
      if (packet.cmd === 'connect') {
        clientId = packet.clientId
        this.#connects.set(clientId, this.connects(clientId) + 1)
      }
      if (packet.cmd === 'disconnect')
        this.#disconnects.set(clientId, this.disconnects(clientId) + 1)
    })
    packets.on('error', () => undefined)
    socket.on('data', (chunk) => packets.parse(chunk))
  }
}

import { createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { generate, parser } from 'mqtt-packet'
import type { IConnectPacket, ISubscribePacket, Packet } from 'mqtt-packet'

/** @param version 4 for MQTT 3.1.1, or 5 */
export function encode(packet: Packet, version = 4): Buffer {
  return generate(packet, { protocolVersion: version })
}

/** The answers of the broker; it ignores all other packets of a client. */
export interface Script {
  /** Called for each CONNECT, with how many there were before; answers bytes, packets or nothing. */
  readonly onConnect?: (
    connection: ScriptedConnection,
    packet: IConnectPacket,
    before: number,
  ) => void
  readonly onSubscribe?: (connection: ScriptedConnection, packet: ISubscribePacket) => void
  /** Called for each PINGREQ. @default it is answered */
  readonly onPing?: (connection: ScriptedConnection) => void
  /** Called before anything is received. */
  readonly onSocket?: (connection: ScriptedConnection) => void
  /** Called for each packet of a client. */
  readonly onPacket?: (connection: ScriptedConnection, packet: Packet) => void
  /** Opens the stream for MQTT over a TCP connection, as TLS and WebSockets do. @default the connection itself */
  readonly opens?: (socket: Socket, serve: (stream: Duplex) => void) => void
}

export class ScriptedConnection {
  /** The TCP connection. */
  readonly socket: Socket
  /** The stream over it that carries MQTT. */
  stream: Duplex
  version = 4

  constructor(socket: Socket) {
    this.socket = socket
    this.stream = socket
  }

  send(packet: Packet): void {
    this.stream.write(encode(packet, this.version))
  }

  publish(topic: string, payload: string | Buffer, retain = false): void {
    this.send({ cmd: 'publish', topic, payload, qos: 0, retain, dup: false })
  }

  /** CONNACK with a return code (3.1.1) or reason code (5). */
  connack(code: number): void {
    const codes = this.version === 5 ? { reasonCode: code } : { returnCode: code }
    this.send({ cmd: 'connack', sessionPresent: false, ...codes })
  }
}

/** Accepts a client, as version 3.1.1 or 5 asks for it, and grants every topic. */
export const WILLING: Script = {
  onConnect: (connection) => {
    connection.connack(0)
  },
  onSubscribe: (connection, { messageId = 0, subscriptions }) => {
    connection.send({ cmd: 'suback', messageId, granted: subscriptions.map(() => 0) })
  },
}

/** A server that sends the codes, bytes or nothing that a test sets. */
export class ScriptedBroker {
  readonly #server: Server
  readonly #sockets = new Map<Socket, ScriptedConnection>()
  /** When each CONNECT arrived, in ms. */
  readonly dials: number[] = []
  #accepted = 0

  private constructor(script: Script) {
    this.#server = createServer((socket) => {
      this.#serve(socket, script)
    })
  }

  /** @param port @default any that is free */
  static async start(script: Script, port = 0, host = '127.0.0.1'): Promise<ScriptedBroker> {
    const broker = new ScriptedBroker(script)
    await new Promise<void>((resolve, reject) => {
      broker.#server.once('error', reject)
      broker.#server.listen(port, host, resolve)
    })
    return broker
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get sockets(): number {
    return this.#sockets.size
  }

  /** How many TCP connections there have been. */
  get accepted(): number {
    return this.#accepted
  }

  /** Those that are open. */
  get connections(): ScriptedConnection[] {
    return [...this.#sockets.values()]
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    for (const socket of this.#sockets.keys()) socket.destroy()
    await closed
  }

  #serve(socket: Socket, script: Script): void {
    const connection = new ScriptedConnection(socket)
    this.#accepted++
    this.#sockets.set(socket, connection)
    socket.once('close', () => this.#sockets.delete(socket))
    socket.on('error', () => undefined)
    script.onSocket?.(connection)
    if (script.opens === undefined) this.#speak(connection, script)
    else {
      script.opens(socket, (stream) => {
        connection.stream = stream.on('error', () => undefined)
        this.#speak(connection, script)
      })
    }
  }

  #speak(
    connection: ScriptedConnection,
    { onConnect, onSubscribe, onPing, onPacket }: Script,
  ): void {
    const packets = parser()
    packets.on('error', () => undefined)
    packets.on('packet', (packet) => {
      if (packet.cmd === 'connect') {
        connection.version = packet.protocolVersion ?? 4
        const before = this.dials.length
        this.dials.push(performance.now())
        onConnect?.(connection, packet, before)
      }
      if (packet.cmd === 'subscribe') onSubscribe?.(connection, packet)
      if (packet.cmd === 'pingreq') {
        if (onPing === undefined) connection.send({ cmd: 'pingresp' })
        else onPing(connection)
      }
      onPacket?.(connection, packet)
    })
    connection.stream.on('data', (chunk: Buffer) => packets.parse(chunk))
  }
}

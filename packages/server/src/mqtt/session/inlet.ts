/**
 * The stream between the network and MQTT.js. It bounds what a broker can make this process hold and do:
 *
 * - a packet over the limit ends the session when its header has arrived (`Framing`);
 * - packets are handed over in slices, which share the time of the event loop with those of all other sessions (`LoopShare`);
 * - while the broker does not read what the server has sent, mostly acknowledgements, the server reads nothing from it, and ends
 *   the session after 10 s.
 *
 * MQTT.js alone reads a packet of 256 MB into memory before it compares its length with the limit, handles all packets of a chunk in one
 * turn, and does not wait for the stream when it writes acknowledgements.
 */
import { Duplex } from 'node:stream'
import { BrokerFault } from '../reasons/broker-fault.ts'
import { Framing } from './framing.ts'
import { LoopShare } from '../../model/loop-share.ts'

/** MQTT 5, 3.1.2.11.4: the server announces it in CONNECT. In MQTT 3.1.1 a broker can not know it. */
export const MAX_PACKET_BYTES: number = 256 * 1024

const LIMITS = { packetBytes: MAX_PACKET_BYTES, packets: 64, chunks: 4_096 }
/** How long the broker may leave unread what the server has sent. */
const UNREAD_MS = 10_000
/** The time in which a broker can read the DISCONNECT before the server closes the connection. */
const FAREWELL_MS = 1_000
/** MQTT 5, 3.14: the type, and the remaining length of a packet that has a reason code only. */
const DISCONNECT = [0xe0, 1]

/** One for all sessions, because the process has one event loop. */
const share = new LoopShare(5)

type Callback = (error?: Error | null) => void

export class Inlet extends Duplex {
  readonly #inner: Duplex
  readonly #saysWhy: boolean
  readonly #framing = new Framing(LIMITS)
  #chunk: Buffer | null = null
  /** The part of the chunk before it is handed over. */
  #at = 0
  /** MQTT.js has handled all earlier slices. */
  #isWanted = false
  /** The next slice waits for a turn of the event loop. */
  #isQueued = false
  #unread: NodeJS.Timeout | null = null

  /** @param saysWhy whether this version of MQTT has a DISCONNECT with a reason code */
  constructor(inner: Duplex, saysWhy: boolean) {
    // With 1 byte MQTT.js has at most one slice ahead.
    super({ allowHalfOpen: false, readableHighWaterMark: 1 })
    this.#inner = inner
    this.#saysWhy = saysWhy
    const pump = (): void => {
      this.#pump()
    }
    inner.on('readable', pump).on('end', pump)
    inner.on('drain', () => {
      clearTimeout(this.#unread ?? undefined)
      this.#unread = null
      this.#pump()
    })
    inner.on('error', (error) => this.destroy(error))
    inner.on('close', () => {
      if (inner.readableEnded) this.#pump()
      else this.destroy()
    })
  }

  override _read(): void {
    this.#isWanted = true
    this.#pump()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: Callback): void {
    this.#send(chunk, callback)
  }

  override _writev(chunks: readonly { readonly chunk: Buffer }[], callback: Callback): void {
    this.#send(Buffer.concat(chunks.map(({ chunk }) => chunk)), callback)
  }

  override _final(callback: Callback): void {
    this.#inner.end(() => {
      callback()
    })
  }

  override _destroy(error: Error | null, callback: Callback): void {
    clearTimeout(this.#unread ?? undefined)
    this.#chunk = null
    const inner = this.#inner
    const code = error instanceof BrokerFault && this.#saysWhy ? error.reasonCode : null
    if (code === null || inner.destroyed) inner.destroy()
    else this.#sayWhy(code)
    callback(error)
  }

  #send(bytes: Buffer, callback: Callback): void {
    if (this.#inner.write(bytes)) callback()
    else this.#inner.once('drain', callback)
  }

  #pump(): void {
    if (!this.#isWanted || this.#isQueued || this.destroyed || this.#isUnread()) return
    if (this.#chunk === null) {
      this.#chunk = this.#inner.read() as Buffer | null
      this.#at = 0
    }
    if (this.#chunk === null) {
      if (this.#inner.readableEnded) this.push(null)
      return
    }
    const chunk = this.#chunk
    this.#isQueued = true
    share.run(() => {
      this.#isQueued = false
      if (!this.destroyed) this.#handOver(chunk)
    })
  }

  #handOver(chunk: Buffer): void {
    const from = this.#at
    try {
      this.#at = this.#framing.cut(chunk, from)
    } catch (fault) {
      this.destroy(fault as BrokerFault)
      return
    }
    const slice = chunk.subarray(from, this.#at)
    if (this.#at === chunk.length) this.#chunk = null
    this.#isWanted = false
    this.push(slice)
  }

  /** Whether the broker has more to read than the buffer of the connection holds. */
  #isUnread(): boolean {
    if (!this.#inner.writableNeedDrain) return false
    this.#unread ??= setTimeout(() => {
      const message = `The broker has read nothing of what this server sent for ${UNREAD_MS / 1_000} s.`
      this.destroy(new BrokerFault(message, 'keepalive_timeout'))
    }, UNREAD_MS)
    return true
  }

  /** Ends the connection after a DISCONNECT. The server reads nothing more, so what a broker still sends takes no memory. */
  #sayWhy(code: number): void {
    const inner = this.#inner
    const timer = setTimeout(() => inner.destroy(), FAREWELL_MS)
    inner.once('close', () => {
      clearTimeout(timer)
    })
    inner.end(Buffer.from([...DISCONNECT, code]))
  }
}

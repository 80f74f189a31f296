/**
 * Finds where MQTT packets end in a stream of bytes, from their fixed headers (MQTT 5, 2.1.1). It refuses a packet by the length in
 * its header, so that no more than one header of a packet that is too large is in memory.
 */
import { BrokerFault } from '../reasons/broker-fault.ts'

export interface FramingLimits {
  /** The largest packet, its header included. */
  readonly packetBytes: number
  /** Packets of one slice. */
  readonly packets: number
  /** Chunks in which one packet may arrive: each of them takes memory beside its bytes. */
  readonly chunks: number
}

/** MQTT 5, 2.4. */
const MALFORMED_PACKET = 129
const PACKET_TOO_LARGE = 149
/** The type of the packet, and four bytes of the remaining length at most. */
const HEADER_BYTES = 5

export class Framing {
  readonly #limits: FramingLimits
  /** Bytes of the header so far; 0 between two packets. */
  #header = 0
  #length = 0
  /** Bytes of the packet that follow. */
  #left = 0
  #chunks = 0

  constructor(limits: FramingLimits) {
    this.#limits = limits
  }

  /**
   * Reads on in a chunk. Each byte is read once, in order.
   *
   * @returns the end of a slice that begins at `from`: the end of its last packet, or of the chunk
   * @throws BrokerFault
   */
  cut(chunk: Buffer, from: number): number {
    let at = from
    let packets = 0
    while (at < chunk.length) {
      if (this.#left > 0) {
        const step = Math.min(this.#left, chunk.length - at)
        this.#left -= step
        at += step
      } else {
        this.#readHeader(chunk.readUInt8(at))
        at++
      }
      if (this.#left > 0 || this.#header > 0) continue
      this.#chunks = 0
      if (++packets === this.#limits.packets) return at
    }
    if ((this.#left > 0 || this.#header > 0) && ++this.#chunks > this.#limits.chunks)
      throw malformed(`The broker sent one packet in more than ${this.#limits.chunks} pieces.`)
    return at
  }

  #readHeader(byte: number): void {
    if (this.#header++ === 0) {
      this.#length = 0
      return
    }
    this.#length += (byte & 0x7f) * 128 ** (this.#header - 2)
    if (byte < 0x80) this.#end(this.#header + this.#length)
    else if (this.#header === HEADER_BYTES)
      throw malformed('The broker sent a packet with a malformed length.')
  }

  /** The header is complete. */
  #end(packetBytes: number): void {
    const most = this.#limits.packetBytes
    if (packetBytes > most) {
      throw new BrokerFault(
        `The broker sent a packet of ${packetBytes} bytes; this server accepts ${most} at most.`,
        'protocol_error',
        PACKET_TOO_LARGE,
      )
    }
    this.#left = this.#length
    this.#header = 0
  }
}

function malformed(message: string): BrokerFault {
  return new BrokerFault(message, 'protocol_error', MALFORMED_PACKET)
}

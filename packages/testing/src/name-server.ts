import { createSocket } from 'node:dgram'
import type { RemoteInfo, Socket } from 'node:dgram'
import { once } from 'node:events'
import { isIPv4 } from 'node:net'

/** The answer for a name: addresses, `unknown` (NXDOMAIN), `broken` (SERVFAIL), or no answer. */
export type NameAnswer = readonly string[] | 'unknown' | 'broken' | 'silence'

const TYPE_A = 1
const TYPE_AAAA = 28
const HEADER = 12
const CODES = { broken: 2, unknown: 3 } as const

/** A DNS server on loopback, over UDP, with the answers that a test sets. */
export class NameServer {
  readonly #socket: Socket
  readonly #answers: (name: string) => NameAnswer
  /** The names of the queries, in order; a lookup sends one query per family of addresses and try. */
  readonly asked: string[] = []

  private constructor(answers: (name: string) => NameAnswer) {
    this.#answers = answers
    this.#socket = createSocket('udp4', (query, from) => {
      this.#answer(query, from)
    })
  }

  static async start(answers: (name: string) => NameAnswer): Promise<NameServer> {
    const server = new NameServer(answers)
    server.#socket.bind(0, '127.0.0.1')
    await once(server.#socket, 'listening')
    return server
  }

  /** Its address and port, in the form of a resolver. */
  get address(): string {
    return `127.0.0.1:${this.#socket.address().port}`
  }

  async stop(): Promise<void> {
    const closed = once(this.#socket, 'close')
    this.#socket.close()
    await closed
  }

  #answer(query: Buffer, { port, address }: RemoteInfo): void {
    const { name, type, end } = questionOf(query)
    this.asked.push(name)
    const answer = this.#answers(name)
    if (answer === 'silence') return
    const records =
      typeof answer === 'string' ? [] : answer.filter((each) => typeOf(each) === type).map(recordOf)
    const code = typeof answer === 'string' ? CODES[answer] : 0
    const head = Buffer.alloc(HEADER)
    query.copy(head, 0, 0, 2)
    // A response to a recursive query, recursion available.
    head.writeUInt16BE(0x8180 | code, 2)
    head.writeUInt16BE(1, 4)
    head.writeUInt16BE(records.length, 6)
    this.#socket.send(Buffer.concat([head, query.subarray(HEADER, end), ...records]), port, address)
  }
}

/** The first question of a query: labels with their lengths, a type and a class. */
function questionOf(query: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = []
  let at = HEADER
  for (let length = query.readUInt8(at); length > 0; length = query.readUInt8(at)) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 }
}

function typeOf(address: string): number {
  return isIPv4(address) ? TYPE_A : TYPE_AAAA
}

/** Builds a record for the name of the question, with a TTL of 0. */
function recordOf(address: string): Buffer {
  const data = isIPv4(address) ? Buffer.from(address.split('.').map(Number)) : bytesOf(address)
  const head = Buffer.alloc(HEADER)
  head.writeUInt16BE(0xc000 + HEADER, 0)
  head.writeUInt16BE(typeOf(address), 2)
  head.writeUInt16BE(1, 4)
  head.writeUInt16BE(data.length, 10)
  return Buffer.concat([head, data])
}

/** The 16 bytes of an IPv6 address that may be shortened once. */
function bytesOf(address: string): Buffer {
  const [before = '', after] = address.split('::')
  const [left, right] = [before, after ?? ''].map((part) => part.split(':').filter(Boolean))
  const zeros = Array.from({ length: 8 - (left?.length ?? 0) - (right?.length ?? 0) }, () => '0')
  const groups = [...(left ?? []), ...zeros, ...(right ?? [])]
  return Buffer.from(groups.map((group) => group.padStart(4, '0')).join(''), 'hex')
}

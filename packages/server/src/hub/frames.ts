import type { ServerMessage } from '@mqtt-status/protocol'

/** A message that is encoded once for each transport at most, for any number of subscribers. */
export class Frame {
  readonly type: ServerMessage['type']
  readonly json: string
  /** Becomes the `id:` of an SSE event. */
  readonly cursor: string | null
  #websocket: Buffer | null = null
  #sse: Buffer | null = null
  #sseChunk: Buffer | null = null

  constructor(type: ServerMessage['type'], json: string, cursor: string | null = null) {
    this.type = type
    this.json = json
    this.cursor = cursor
  }

  static of(message: ServerMessage): Frame {
    const cursor = 'cursor' in message ? (message.cursor ?? null) : null
    return new Frame(message.type, JSON.stringify(message), cursor)
  }

  /** A whole unmasked text frame (RFC 6455, 5.2), ready for the socket. */
  get websocket(): Buffer {
    this.#websocket ??= textFrame(Buffer.from(this.json))
    return this.#websocket
  }

  /** A whole event (HTML Standard, 9.2.5). JSON has no line breaks, so one `data:` line is enough. */
  get sse(): Buffer {
    const id = this.cursor === null ? '' : `id: ${this.cursor}\n`
    this.#sse ??= Buffer.from(`event: ${this.type}\ndata: ${this.json}\n${id}\n`)
    return this.#sse
  }

  /** The event as a chunk of HTTP/1.1 (RFC 9112, 7.1), ready for the socket. */
  get sseChunk(): Buffer {
    this.#sseChunk ??= chunk(this.sse)
    return this.#sseChunk
  }
}

const FIN_TEXT = 0x81

function textFrame(payload: Buffer): Buffer {
  const { length } = payload
  if (length < 126) return Buffer.concat([Buffer.of(FIN_TEXT, length), payload])
  if (length < 65_536) {
    const head = Buffer.of(FIN_TEXT, 126, 0, 0)
    head.writeUInt16BE(length, 2)
    return Buffer.concat([head, payload])
  }
  const head = Buffer.alloc(10)
  head[0] = FIN_TEXT
  head[1] = 127
  head.writeBigUInt64BE(BigInt(length), 2)
  return Buffer.concat([head, payload])
}

const CRLF = Buffer.from('\r\n')

function chunk(payload: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${payload.length.toString(16)}\r\n`), payload, CRLF])
}

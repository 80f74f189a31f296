/** How a client of each kind is opened, as bytes: clients must cost next to nothing, so nothing is parsed. */
import { randomBytes } from 'node:crypto'

export type WireKind = 'status-ws' | 'status-sse' | 'ws' | 'sse' | 'socketio' | 'raw'

/** What is watched; peers know only "all". */
export interface Watched {
  readonly all?: true
  readonly sites?: readonly string[]
  readonly connections?: readonly string[]
  readonly cursor?: string
}

/** What is written once the socket is open. */
export function greeting(kind: WireKind, port: number, watched: Watched): Buffer {
  switch (kind) {
    case 'raw':
      return Buffer.alloc(0)
    case 'status-ws':
      return Buffer.concat([upgrade(port, '/ws/status', 'mqtt-status.v1'), ...hello(watched)])
    case 'ws':
      return upgrade(port, '/', null)
    case 'socketio':
      return upgrade(port, '/socket.io/?EIO=4&transport=websocket', null)
    case 'status-sse': {
      const body = JSON.stringify({ ...watched, cursor: undefined })
      const resume = watched.cursor === undefined ? '' : `Last-Event-ID: ${watched.cursor}\r\n`
      return Buffer.from(
        `POST /sse/status HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${resume}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
      )
    }
    case 'sse':
      return Buffer.from(
        `GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAccept: text/event-stream\r\n\r\n`,
      )
  }
}

/** The reply of a client to the first bytes of the server, by kind: socket.io has a second handshake. */
export function reply(kind: WireKind, heard: Buffer): Buffer | null {
  return kind === 'socketio' && heard.includes('"sid"') && heard.includes('"upgrades"')
    ? frame('40')
    : null
}

/** The bytes after which a client starts to count. */
export const READY: Readonly<Record<WireKind, string>> = {
  'status-ws': '"final":true',
  'status-sse': '"final":true',
  ws: '101 Switching',
  sse: '200 OK',
  socketio: '40{"sid"',
  raw: '',
}

function hello(watched: Watched): Buffer[] {
  return [
    frame(JSON.stringify({ type: 'hello' })),
    frame(JSON.stringify({ type: 'watch', id: 1, ...watched })),
  ]
}

function upgrade(port: number, path: string, protocol: string | null): Buffer {
  const offered = protocol === null ? '' : `Sec-WebSocket-Protocol: ${protocol}\r\n`
  return Buffer.from(
    `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n${offered}\r\n`,
  )
}

/** A masked text frame (RFC 6455, 5.3); the mask is zero, which is a mask too. */
function frame(text: string): Buffer {
  const payload = Buffer.from(text)
  const { length } = payload
  const head =
    length < 126 ? Buffer.of(0x81, 0x80 | length) : Buffer.of(0x81, 0xfe, length >> 8, length & 255)
  return Buffer.concat([head, Buffer.alloc(4), payload])
}

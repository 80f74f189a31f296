/** Requests as bytes, for heads that no HTTP client would send. */
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { until } from '@mqtt-status/testing/until'

export interface RawAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** One connection that sends what it is given and reads answers one by one. */
export class RawConnection {
  readonly socket: Socket
  #received = ''

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1')
    this.socket.on('error', () => undefined)
    this.socket.setEncoding('latin1').on('data', (text: string) => (this.#received += text))
  }

  /** All that came and was not read as an answer. */
  get received(): string {
    return this.#received
  }

  /** Lines end with CR LF; an empty line ends the head. */
  send(lines: readonly string[], body = ''): void {
    this.socket.write(`${lines.join('\r\n')}\r\n\r\n${body}`, 'latin1')
  }

  /** The next answer; interim ones (100 Continue) are answers, too. */
  async answer({ head = false }: { readonly head?: boolean } = {}): Promise<RawAnswer> {
    return until(
      () => {
        const found = parse(this.#received, { head, ended: this.socket.closed })
        if (found === null) return null
        this.#received = this.#received.slice(found.length)
        return found.answer
      },
      { what: `an answer in ${JSON.stringify(this.#received)}` },
    ) as Promise<RawAnswer>
  }

  close(): void {
    this.socket.destroy()
  }
}

function parse(
  text: string,
  { head, ended }: { readonly head: boolean; readonly ended: boolean },
): { answer: RawAnswer; length: number } | null {
  const end = text.indexOf('\r\n\r\n')
  if (end < 0) return null
  const [first = '', ...lines] = text.slice(0, end).split('\r\n')
  const headers = Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
    }),
  )
  const status = Number(first.split(' ')[1])
  const rest = text.slice(end + 4)
  const length = bodyLength(rest, { status, headers, head, ended })
  if (length === null) return null
  return { answer: { status, headers, body: rest.slice(0, length) }, length: end + 4 + length }
}

function bodyLength(
  rest: string,
  {
    status,
    headers,
    head,
    ended,
  }: {
    readonly status: number
    readonly headers: Readonly<Record<string, string>>
    readonly head: boolean
    readonly ended: boolean
  },
): number | null {
  if (head || status < 200 || status === 204 || status === 304) return 0
  const known = headers['content-length']
  if (known !== undefined) return rest.length >= Number(known) ? Number(known) : null
  if (headers['transfer-encoding'] === 'chunked') {
    const last = rest.indexOf('0\r\n\r\n')
    return last < 0 ? null : last + 5
  }
  return ended ? rest.length : null
}

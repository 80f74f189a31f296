/**
 * The requests under way. A connection has one request at a time: with pipelining, the next one begins when the client has read the
 * answer to the last one. An address has a limited number, and a client that does not read its answer loses the connection.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { StatusError } from '../../errors.ts'
import type { Limits } from './limits.ts'

/** Requests of one connection that wait for earlier ones. Browsers and proxies send one at a time. */
const PIPELINED = 16

interface Answer {
  readonly socket: Socket
  /** Gives the place of the address back. */
  readonly leave: () => void
  /** Bytes that the operating system has taken from this connection. */
  sent: number
  /** The time since which it has taken none while there were some, in ms. */
  sinceMs: number
}

/** The requests of one connection, in order. */
interface Line {
  isBusy: boolean
  readonly waiting: (() => void)[]
}

export interface RequestsOptions {
  readonly limits: Limits
  /** How long a client may leave an answer unread, in ms. */
  readonly unreadMs: number
}

export class Requests {
  readonly #limits: Limits
  readonly #unreadMs: number
  readonly #lines = new WeakMap<Socket, Line>()
  readonly #answers = new Map<ServerResponse, Answer>()
  readonly #clock: NodeJS.Timeout

  constructor({ limits, unreadMs }: RequestsOptions) {
    this.#limits = limits
    this.#unreadMs = unreadMs
    this.#clock = setInterval(
      () => {
        this.#sweep(Date.now())
      },
      Math.min(1_000, unreadMs / 5),
    )
    this.#clock.unref()
  }

  /** The number of requests under way, without streams. */
  get size(): number {
    return this.#answers.size
  }

  /** Calls `handle` when it is the turn of the request, or `refuse` if there are too many. */
  admit(
    request: IncomingMessage,
    response: ServerResponse,
    {
      handle,
      refuse,
    }: { readonly handle: () => void; readonly refuse: (error: StatusError) => void },
  ): void {
    const { socket } = request
    const line = this.#lines.get(socket) ?? { isBusy: false, waiting: [] }
    this.#lines.set(socket, line)
    if (line.waiting.length >= PIPELINED) {
      refuse(tooMany(`A connection may have ${PIPELINED} requests that wait for their answers.`))
      return
    }
    const begin = (): void => {
      line.isBusy = true
      response.once('close', () => {
        line.isBusy = false
        this.release(response)
        line.waiting.shift()?.()
      })
      if (socket.destroyed) return
      const leave = this.#limits.takeRequest(request)
      if (leave === null) {
        refuse(tooMany('This address has too many requests under way.'))
        return
      }
      this.#answers.set(response, { socket, leave, sent: sentBy(socket), sinceMs: Date.now() })
      handle()
    }
    if (line.isBusy) line.waiting.push(begin)
    else begin()
  }

  /** The answer is complete, or it is a stream, which has a place and a deadline of its own. */
  release(response: ServerResponse): void {
    this.#answers.get(response)?.leave()
    this.#answers.delete(response)
  }

  stop(): void {
    clearInterval(this.#clock)
  }

  #sweep(nowMs: number): void {
    for (const answer of this.#answers.values()) {
      const sent = sentBy(answer.socket)
      if (answer.socket.writableLength === 0 || sent > answer.sent) {
        answer.sent = sent
        answer.sinceMs = nowMs
      } else if (nowMs - answer.sinceMs >= this.#unreadMs) answer.socket.destroy()
    }
  }
}

function sentBy({ bytesWritten, writableLength }: Socket): number {
  return bytesWritten - writableLength
}

function tooMany(why: string): StatusError {
  return new StatusError('rate_limited', `${why} Wait for the answers.`, { retryAfterS: 1 })
}

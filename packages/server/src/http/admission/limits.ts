/** Limits on sockets, handshakes and requests to brokers. The server refuses what is over a limit with a code and never queues it. */
import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import { createAddressOf } from './address.ts'
import type { AddressOf } from './address.ts'
import { Seats } from './seats.ts'
import type { Holder } from './seats.ts'

/** 0 = no limit. */
export interface LimitSettings {
  /** Open sockets and streams of one address. @default 256 */
  readonly socketsPerAddress: number
  /** Open sockets and streams of one token. @default 64 */
  readonly socketsPerToken: number
  /** Sockets and streams that one address may open, per second. @default 50 */
  readonly handshakesPerAddress: number
  /** Requests of one address that are under way, streams not counted. @default 256 */
  readonly requestsPerAddress: number
  /** Tests of settings that one subject or address may run, per minute. @default 20 */
  readonly testsPerMinute: number
  /** Checks of connections that one subject or address may run, per minute. @default 60 */
  readonly checksPerMinute: number
  /** Address ranges of proxies whose `X-Forwarded-For` the server trusts. @default none */
  readonly trustedProxies: readonly string[]
}

/** `Retry-After` of a client that found no place, in seconds. The widgets wait longer with each try. */
export const ROOM_RETRY_S = 60

export const LIMITS: LimitSettings = {
  socketsPerAddress: 256,
  socketsPerToken: 64,
  handshakesPerAddress: 50,
  requestsPerAddress: 256,
  testsPerMinute: 20,
  checksPerMinute: 60,
  trustedProxies: [],
}

/** A place for a socket or stream, or the code of the refusal. */
export type Entry =
  | { readonly kind: 'admitted'; readonly leave: () => void }
  | { readonly kind: 'too_many_connections' }
  | { readonly kind: 'rate_limited'; readonly retryAfterS: number }

export class Limits {
  readonly #addressOf: AddressOf
  readonly #addresses: Seats
  readonly #tokens: Seats
  readonly #requests: Seats
  readonly #handshakes: RateLimiterMemory | null
  readonly #probes: Readonly<Record<Probing, RateLimiterMemory | null>>
  readonly #proofMs: number

  /** @param proofMs how long an occupant has to prove that it is alive before another client gets its place */
  constructor(settings: LimitSettings, proofMs: number) {
    this.#proofMs = proofMs
    this.#addressOf = createAddressOf(settings.trustedProxies)
    this.#addresses = new Seats(settings.socketsPerAddress)
    this.#tokens = new Seats(settings.socketsPerToken)
    this.#requests = new Seats(settings.requestsPerAddress)
    this.#handshakes = limiter(settings.handshakesPerAddress, 1)
    this.#probes = {
      test: limiter(settings.testsPerMinute, 60),
      check: limiter(settings.checksPerMinute, 60),
    }
  }

  /** Addresses and tokens with a place taken, for leak checks. */
  get taken(): number {
    return this.#addresses.size + this.#tokens.size
  }

  /** Takes a place of the address for a socket or stream; the caller calls `leave` when it is closed. */
  async enter(request: IncomingMessage, holder: Holder): Promise<Entry> {
    const address = this.#addressOf(request)
    const waitMs = await consume(this.#handshakes, address)
    if (waitMs > 0) return { kind: 'rate_limited', retryAfterS: Math.ceil(waitMs / 1_000) }
    const leave = await this.#addresses.claim(address, holder, this.#proofMs)
    return leave === null ? { kind: 'too_many_connections' } : { kind: 'admitted', leave }
  }

  /** Takes a place of the address for a request; `null` if all are taken. */
  takeRequest(request: IncomingMessage): (() => void) | null {
    return this.#requests.take(this.#addressOf(request))
  }

  /** Takes a place of the token; `null` if all are taken. Clients without a token only count by address. */
  async seat(token: string | null, holder: Holder): Promise<(() => void) | null> {
    if (token === null) return () => undefined
    const key = createHash('sha256').update(token).digest('base64url')
    return this.#tokens.claim(key, holder, this.#proofMs)
  }

  /**
   * Takes one test or check from the limit of the subject of the token, or of the address without a token. Without a limit a
   * client could make the server scan networks or flood a broker.
   *
   * @returns seconds until the next one is allowed; 0 = this one is
   */
  async probe(kind: Probing, request: IncomingMessage, subject: string | null): Promise<number> {
    const key = subject === null ? `address ${this.#addressOf(request)}` : `subject ${subject}`
    return Math.ceil((await consume(this.#probes[kind], key)) / 1_000)
  }
}

/** Requests on which the server sends packets to a broker. */
type Probing = 'test' | 'check'

function limiter(points: number, durationS: number): RateLimiterMemory | null {
  return points === 0 ? null : new RateLimiterMemory({ points, duration: durationS })
}

/** @returns ms until the next point; 0 = one was taken */
async function consume(from: RateLimiterMemory | null, key: string): Promise<number> {
  try {
    await from?.consume(key)
    return 0
  } catch (refusal) {
    if (refusal instanceof RateLimiterRes) return Math.max(1, refusal.msBeforeNext)
    throw refusal
  }
}

/** How much of the house one caller may take. What is over a limit is refused with a code, never queued. */
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
  /** Dials of the test of a connection that one caller may ask for, per minute. @default 20 */
  readonly testsPerMinute: number
  /** Checks of connections that one caller may ask for, per minute. @default 60 */
  readonly checksPerMinute: number
  /** Address ranges of proxies whose `X-Forwarded-For` is believed. @default none */
  readonly trustedProxies: readonly string[]
}

/** Seconds after which a client that has found no place tries again. The widgets wait longer with each try. */
export const ROOM_RETRY_S = 60

export const LIMITS: LimitSettings = {
  socketsPerAddress: 256,
  socketsPerToken: 64,
  handshakesPerAddress: 50,
  testsPerMinute: 20,
  checksPerMinute: 60,
  trustedProxies: [],
}

/** A place at the door, or why there is none. */
export type Entry =
  | { readonly kind: 'admitted'; readonly leave: () => void }
  | { readonly kind: 'too_many_connections' }
  | { readonly kind: 'rate_limited'; readonly retryAfterS: number }

export class Limits {
  readonly #addressOf: AddressOf
  readonly #addresses: Seats
  readonly #tokens: Seats
  readonly #handshakes: RateLimiterMemory | null
  readonly #probes: Readonly<Record<Probing, RateLimiterMemory | null>>
  readonly #proofMs: number

  /** @param proofMs how long an occupant has for a sign of life before its place goes to another one */
  constructor(settings: LimitSettings, proofMs: number) {
    this.#proofMs = proofMs
    this.#addressOf = createAddressOf(settings.trustedProxies)
    this.#addresses = new Seats(settings.socketsPerAddress)
    this.#tokens = new Seats(settings.socketsPerToken)
    this.#handshakes = limiter(settings.handshakesPerAddress, 1)
    this.#probes = {
      test: limiter(settings.testsPerMinute, 60),
      check: limiter(settings.checksPerMinute, 60),
    }
  }

  /** Places that are taken, for leak checks. */
  get taken(): number {
    return this.#addresses.size + this.#tokens.size
  }

  /** Asks for a place for a socket or stream; `leave` gives it back when it is closed. */
  async enter(request: IncomingMessage, holder: Holder): Promise<Entry> {
    const address = this.#addressOf(request)
    const waitMs = await consume(this.#handshakes, address)
    if (waitMs > 0) return { kind: 'rate_limited', retryAfterS: Math.ceil(waitMs / 1_000) }
    const leave = await this.#addresses.claim(address, holder, this.#proofMs)
    return leave === null ? { kind: 'too_many_connections' } : { kind: 'admitted', leave }
  }

  /** A place for the holder of a token; `null` if it has too many. Callers without one are only counted by address. */
  async seat(token: string | null, holder: Holder): Promise<(() => void) | null> {
    if (token === null) return () => undefined
    const key = createHash('sha256').update(token).digest('base64url')
    return this.#tokens.claim(key, holder, this.#proofMs)
  }

  /**
   * Asks for one test or check. A client without a limit could have the server scan networks or flood a broker. The
   * limit counts by subject of the token, or by address where there is none.
   *
   * @returns s until it may be asked for again; 0 = now
   */
  async probe(kind: Probing, request: IncomingMessage, subject: string | null): Promise<number> {
    const key = subject === null ? `address ${this.#addressOf(request)}` : `subject ${subject}`
    return Math.ceil((await consume(this.#probes[kind], key)) / 1_000)
  }
}

/** What makes the server talk to a broker at once. */
type Probing = 'test' | 'check'

function limiter(points: number, durationS: number): RateLimiterMemory | null {
  return points === 0 ? null : new RateLimiterMemory({ points, duration: durationS })
}

/** @returns ms until there is a point again; 0 = one was taken */
async function consume(from: RateLimiterMemory | null, key: string): Promise<number> {
  try {
    await from?.consume(key)
    return 0
  } catch (refusal) {
    if (refusal instanceof RateLimiterRes) return Math.max(1, refusal.msBeforeNext)
    throw refusal
  }
}

/** Warned a minute before the end; a new token may still come for half a minute after it. */
const WARN_MS = 60_000
const GRACE_MS = 30_000

/** When the token of a stream ends, and what has to be said about it. */
export class TokenClock {
  readonly #expiresAt: number | null
  #warned = false

  constructor(expiresAt: number | null) {
    this.#expiresAt = expiresAt
  }

  get expiresAt(): string | null {
    return this.#expiresAt === null ? null : new Date(this.#expiresAt).toISOString()
  }

  /** `expiring` once, `expired` when even the grace is over. */
  check(nowMs: number): 'expiring' | 'expired' | null {
    if (this.#expiresAt === null) return null
    if (nowMs >= this.#expiresAt + GRACE_MS) return 'expired'
    if (this.#warned || nowMs < this.#expiresAt - WARN_MS) return null
    this.#warned = true
    return 'expiring'
  }
}

/** The server warns the client this long before its token expires. */
const WARN_MS = 60_000
/** The client may send a new token for this long after the old one has expired. */
const GRACE_MS = 30_000

/** Tracks the expiry of the token of one stream. */
export class TokenClock {
  readonly #expiresAt: number | null
  #warned = false

  constructor(expiresAt: number | null) {
    this.#expiresAt = expiresAt
  }

  get expiresAt(): string | null {
    return this.#expiresAt === null ? null : new Date(this.#expiresAt).toISOString()
  }

  /** @returns `expiring` once, 60 s before the expiry; `expired` when the grace period is over */
  check(nowMs: number): 'expiring' | 'expired' | null {
    if (this.#expiresAt === null) return null
    if (nowMs >= this.#expiresAt + GRACE_MS) return 'expired'
    if (this.#warned || nowMs < this.#expiresAt - WARN_MS) return null
    this.#warned = true
    return 'expiring'
  }
}

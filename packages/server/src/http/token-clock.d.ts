/** When the token of a stream ends, and what has to be said about it. */
export declare class TokenClock {
  #private
  constructor(expiresAt: number | null)
  get expiresAt(): string | null
  /** `expiring` once, `expired` when even the grace is over. */
  check(nowMs: number): 'expiring' | 'expired' | null
}

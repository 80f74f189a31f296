export interface Backoff {
  /** Upper bound of the first wait. */
  readonly baseMs: number
  /** Upper bound of every wait. */
  readonly capMs: number
}

/**
 * Full jitter: a random wait between nothing and an upper bound that doubles with each attempt. It spreads a herd
 * better than a jittered fraction does.
 *
 * @see https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 * @param attempt 0 for the first wait
 * @param random a number in [0, 1)
 */
export function fullJitter(attempt: number, { baseMs, capMs }: Backoff, random: number): number {
  return random * Math.min(capMs, baseMs * 2 ** Math.min(attempt, 30))
}

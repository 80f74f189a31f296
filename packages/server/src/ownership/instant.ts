/**
 * A moment by both clocks of this machine. The monotonic clock stands still while the machine sleeps, and the wall clock
 * can be set back.
 */
export interface Instant {
  readonly monotonicMs: number
  readonly wallMs: number
}

export function instant(): Instant {
  return { monotonicMs: performance.now(), wallMs: Date.now() }
}

/**
 * The time between two instants, by the clock that has advanced further. A node that counts too long gives its lease up
 * too early, which is harmless; a node that counts too short dials what another node keeps.
 */
export function elapsedMs(since: Instant, now: Instant = instant()): number {
  return Math.max(now.monotonicMs - since.monotonicMs, now.wallMs - since.wallMs)
}

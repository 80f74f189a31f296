/** How long is waited before the next try. */
import { fullJitter } from '@mqtt-status/protocol'
import type { Backoff, ReasonClass } from '@mqtt-status/protocol'

/** How long is waited for what, in ms. */
export interface Timing {
  readonly transient: Backoff
  readonly slow: Backoff
  /** Between two tries of a connection that has failed; ± 50 %. */
  readonly probeMs: number
  /** A connection that was up this long starts again with short waits. */
  readonly stableMs: number
  /** Losses are counted within this time. */
  readonly flappingMs: number
  /** How long an inherited connection keeps the status `connected` before it is up. */
  readonly inheritedMs: number
}

export const TIMING: Timing = {
  transient: { baseMs: 1_000, capMs: 60_000 },
  slow: { baseMs: 30_000, capMs: 600_000 },
  probeMs: 1_800_000,
  stableMs: 30_000,
  flappingMs: 120_000,
  inheritedMs: 5_000,
}

export interface Moment {
  readonly nowMs: number
  /** In [0, 1). */
  readonly random: number
  readonly timing: Timing
}

/** The wait after a failure of that class, in ms. */
export function delay(kind: ReasonClass, attempt: number, { random, timing }: Moment): number {
  if (kind === 'transient' || kind === 'none') return fullJitter(attempt, timing.transient, random)
  // Slow ones never come back at once.
  return fullJitter(attempt, timing.slow, 0.5 + random / 2)
}

/** The wait between two tries of what has failed, in ms. */
export function probe({ random, timing }: Moment): number {
  return timing.probeMs * (0.5 + random)
}

/** The wait for what ends at a known time: a little longer, so that not all who wait for it dial at once. */
export function whenOver(ms: number, moment: Moment): number {
  return Math.min(probe(moment), ms + moment.random * moment.timing.transient.baseMs)
}

/** Computes how long the keeper waits before the next dial. */
import { fullJitter } from '@mqtt-status/protocol'
import type { Backoff, ReasonClass } from '@mqtt-status/protocol'

/** All times of retries, in ms. */
export interface Timing {
  readonly transient: Backoff
  readonly slow: Backoff
  /** The wait between two dials of a connection with the status `failed`; ± 50 %. */
  readonly probeMs: number
  /** After a connection was up for this time, the first retry has the shortest wait again. */
  readonly stableMs: number
  /** The window in which losses count towards `flapping`. */
  readonly flappingMs: number
  /** How long a connection of another node keeps the status `connected` while this node dials. */
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

/** @returns the wait after a failure of that class, in ms */
export function delay(kind: ReasonClass, attempt: number, { random, timing }: Moment): number {
  if (kind === 'transient' || kind === 'none') return fullJitter(attempt, timing.transient, random)
  // The wait of a slow reason is never shorter than half of its bound.
  return fullJitter(attempt, timing.slow, 0.5 + random / 2)
}

/** @returns the wait between two dials of a connection with the status `failed`, in ms */
export function probe({ random, timing }: Moment): number {
  return timing.probeMs * (0.5 + random)
}

/** @returns the wait for a cause that ends at a known time, in ms, plus up to 1 s, so that the connections of a broker do not all dial at once */
export function whenOver(ms: number, moment: Moment): number {
  return Math.min(probe(moment), ms + moment.random * moment.timing.transient.baseMs)
}

/**
 * When all rows of an attachment are compared. Notes alone keep the mirror right, unless some were lost: then a comparison
 * follows, and further ones until every transaction has ended that may have lost a note.
 *
 *     start, lost ──▶ doubtful ──▶ settled         compared, after the transactions that were open at the doubt have ended
 *     any ──failed──▶ failing ──▶ doubtful         compared
 */
import { fullJitter } from '@mqtt-status/protocol'

export type State =
  | { readonly kind: 'settled'; readonly compareAt: number }
  | {
      readonly kind: 'doubtful'
      /** Transactions before it may have lost a note. */
      readonly since: bigint
      readonly attempt: number
      readonly compareAt: number
    }
  | {
      readonly kind: 'failing'
      readonly attempt: number
      readonly compareAt: number
      /** When connections become unknown that still show what was read last. */
      readonly distrustAt: number
    }

/** A moment, and the transactions that are open then. */
export interface Moment {
  /** In ms. */
  readonly now: number
  /** All transactions before it have ended. */
  readonly xmin: bigint
  /** No transaction from it on has begun. */
  readonly xmax: bigint
  /** In [0, 1). */
  readonly random: number
}

/** Partitions that come and go, conditions over other tables and over the time are noticed by nothing else. */
const EVERY_MS = 300_000
const DOUBT = { baseMs: 1_000, capMs: EVERY_MS }
const FAILURE = { baseMs: 1_000, capMs: 60_000 }
/** Connections that were locked when the others became unknown follow later. */
const DISTRUST_AGAIN_MS = 10_000

/** A note may have been lost; compares at once. */
export function doubt({ now, xmax }: Pick<Moment, 'now' | 'xmax'>): State {
  return { kind: 'doubtful', since: xmax, attempt: 0, compareAt: now }
}

/** The tables have changed, or a note asks for it: compares at once. */
export function hurry(state: State, { now }: Pick<Moment, 'now'>): State {
  return { ...state, compareAt: now }
}

/** All rows were compared; the moment is that before the comparison. */
export function compared(state: State, { now, xmin, xmax, random }: Moment): State {
  switch (state.kind) {
    case 'settled':
      return settled(now, random)
    case 'failing':
      return { kind: 'doubtful', since: xmax, attempt: 1, compareAt: now + DOUBT.baseMs }
    case 'doubtful': {
      if (xmin >= state.since) return settled(now, random)
      const attempt = state.attempt + 1
      const waitMs = Math.min(DOUBT.capMs, DOUBT.baseMs * 2 ** Math.min(attempt, 20))
      return { ...state, attempt, compareAt: now + waitMs }
    }
  }
}

/** The mirror could not be written. @param distrustMs how long connections may go on showing what was read last */
export function failed(
  state: State,
  { now, random, distrustMs }: Pick<Moment, 'now' | 'random'> & { readonly distrustMs: number },
): State {
  const isFirst = state.kind !== 'failing'
  const attempt = isFirst ? 0 : state.attempt + 1
  const waitMs = FAILURE.baseMs / 2 + fullJitter(attempt, FAILURE, random)
  return {
    ...{ kind: 'failing', attempt, compareAt: now + waitMs },
    distrustAt: isFirst ? now + distrustMs : state.distrustAt,
  }
}

/** Whether the connections have to become unknown. */
export function isOverdue(state: State, { now }: Pick<Moment, 'now'>): boolean {
  return state.kind === 'failing' && now >= state.distrustAt
}

/** The connections have become unknown. */
export function distrusted(state: State, { now }: Pick<Moment, 'now'>): State {
  return state.kind === 'failing' ? { ...state, distrustAt: now + DISTRUST_AGAIN_MS } : state
}

/** Whether notes may be read; while the mirror fails, a comparison of all rows follows. */
export function readsNotes(state: State): boolean {
  return state.kind !== 'failing'
}

function settled(now: number, random: number): State {
  return { kind: 'settled', compareAt: now + EVERY_MS * (0.9 + 0.2 * random) }
}

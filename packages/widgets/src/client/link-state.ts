/**
 * The line to the server, as a pure function; clock and randomness are arguments.
 *
 *   idle ──start──▶ opening ──welcomed──▶ open ──answered──▶ live
 *                    ▲   │ lost             │ lost            │ lost
 *         elapsed,   │   ▼                  ▼                 ▼
 *         retry    waiting ◀────────────────┴─────────────────┘       (40xx: ended, until retry)
 *                    │ offline ▲ online
 *                    ▼         │
 *                  offline ────┘
 */
import { comesBack, fullJitter } from '@mqtt-status/protocol'

/** The feed's own health, an axis of its own next to the status of a connection. */
export type LinkState =
  | 'connecting'
  | 'live'
  | 'stale'
  | 'offline'
  | 'unauthorized'
  | 'forbidden'
  | 'incompatible'
  | 'unavailable'

export type Ended = Extract<
  LinkState,
  'unauthorized' | 'forbidden' | 'incompatible' | 'unavailable'
>

export type LinkPhase =
  | { readonly kind: 'idle' }
  | { readonly kind: 'opening'; readonly attempt: number; readonly refused: boolean }
  | { readonly kind: 'open'; readonly attempt: number }
  | {
      readonly kind: 'live'
      readonly attempt: number
      readonly sinceMs: number
      readonly feedStale: boolean
    }
  | {
      readonly kind: 'waiting'
      readonly attempt: number
      readonly untilMs: number
      readonly refused: boolean
    }
  | { readonly kind: 'offline'; readonly attempt: number }
  | { readonly kind: 'ended'; readonly state: Ended }

export type LinkEvent =
  | { readonly kind: 'start' }
  | { readonly kind: 'stop' }
  | { readonly kind: 'welcomed' }
  /** The first watch is answered. */
  | { readonly kind: 'answered' }
  | {
      readonly kind: 'lost'
      readonly code: number
      /** What `bye` said, in ms. */
      readonly window: readonly [number, number] | null
      /** Whether another token can be asked for. */
      readonly renewable: boolean
    }
  /** The page's own server says that there is no token for this visitor. */
  | { readonly kind: 'denied' }
  | { readonly kind: 'elapsed' }
  | { readonly kind: 'retry' }
  | { readonly kind: 'feed'; readonly stale: boolean }
  | { readonly kind: 'online' }
  | { readonly kind: 'offline' }

export type LinkEffect = 'dial' | 'close'

export interface LinkMoment {
  readonly nowMs: number
  /** In [0, 1). */
  readonly random: number
}

const BACKOFF = { baseMs: 500, capMs: 20_000 }
/** A line that lasted this long starts again with short waits. */
const STABLE_MS = 30_000

const ENDINGS: Readonly<Record<number, Ended>> = {
  4001: 'unauthorized',
  4003: 'forbidden',
  4006: 'incompatible',
}

type Step = readonly [LinkPhase, readonly LinkEffect[]]

export function nextLink(phase: LinkPhase, event: LinkEvent, moment: LinkMoment): Step {
  switch (event.kind) {
    case 'start':
      return phase.kind === 'idle' ? dial(0) : [phase, []]
    case 'stop':
      return [{ kind: 'idle' }, ['close']]
    case 'welcomed':
      return phase.kind === 'opening' ? [{ kind: 'open', attempt: phase.attempt }, []] : [phase, []]
    case 'answered':
      return answered(phase, moment)
    case 'feed':
      return phase.kind === 'live' ? [{ ...phase, feedStale: event.stale }, []] : [phase, []]
    case 'elapsed':
      return phase.kind === 'waiting'
        ? [{ kind: 'opening', attempt: phase.attempt, refused: phase.refused }, ['dial']]
        : [phase, []]
    case 'denied':
      return phase.kind === 'opening' ? end('unauthorized') : [phase, []]
    case 'lost':
      return lost(phase, event, moment)
    case 'retry':
    case 'online':
    case 'offline':
      return fromOutside(phase, event.kind)
  }
}

function answered(phase: LinkPhase, { nowMs }: LinkMoment): Step {
  if (phase.kind !== 'open') return [phase, []]
  return [{ kind: 'live', attempt: phase.attempt, sinceMs: nowMs, feedStale: false }, []]
}

/** What a person or the network says, whatever the line is doing. */
function fromOutside(phase: LinkPhase, said: 'retry' | 'online' | 'offline'): Step {
  switch (phase.kind) {
    case 'idle':
      return [phase, []]
    case 'open':
    case 'live':
      // A line that works is not given up for a new one.
      return said === 'offline' ? [{ kind: 'offline', attempt: 0 }, ['close']] : [phase, []]
    case 'opening':
      if (said === 'online') return [phase, []]
      return said === 'offline' ? [{ kind: 'offline', attempt: 0 }, ['close']] : again()
    case 'waiting':
    case 'offline':
      return said === 'offline' ? [{ kind: 'offline', attempt: 0 }, ['close']] : again()
    case 'ended':
      // Only a person ends what the server has said for good.
      return said === 'retry' ? again() : [phase, []]
  }
}

function lost(
  phase: LinkPhase,
  event: Extract<LinkEvent, { kind: 'lost' }>,
  moment: LinkMoment,
): Step {
  if (!isDialled(phase)) return [phase, []]
  // A token that was refused is asked for anew, once at once; then there is no hurry.
  const refused = event.code === 4001 && event.renewable
  if (!comesBack(event.code) && !refused) return end(ENDINGS[event.code] ?? 'unavailable')
  const stable = phase.kind === 'live' && moment.nowMs - phase.sinceMs >= STABLE_MS
  const attempt = stable ? 0 : phase.attempt
  const hurry = refused && !(phase.kind === 'opening' && phase.refused)
  const waitMs = hurry ? 0 : waitFor(attempt, event.window, moment)
  const untilMs = moment.nowMs + waitMs
  return [{ kind: 'waiting', attempt: attempt + 1, untilMs, refused }, []]
}

function isDialled(
  phase: LinkPhase,
): phase is Extract<LinkPhase, { kind: 'opening' | 'open' | 'live' }> {
  return phase.kind === 'opening' || phase.kind === 'open' || phase.kind === 'live'
}

function waitFor(
  attempt: number,
  window: readonly [number, number] | null,
  { random }: LinkMoment,
): number {
  if (window === null) return fullJitter(attempt, BACKOFF, random)
  const [from, to] = window
  return from + random * Math.max(0, to - from)
}

function end(state: Ended): Step {
  return [{ kind: 'ended', state }, ['close']]
}

/** Starts over; whatever is under way is dropped first. */
function again(): Step {
  const [phase, effects] = dial(0)
  return [phase, ['close', ...effects]]
}

function dial(attempt: number): Step {
  return [{ kind: 'opening', attempt, refused: false }, ['dial']]
}

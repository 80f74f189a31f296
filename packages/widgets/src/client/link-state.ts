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
    case 'stop':
      return [{ kind: 'idle' }, ['close']]
    case 'start':
      return phase.kind === 'idle' ? dial(0) : [phase, []]
    case 'retry':
      // A line that works is not given up for a new one.
      return phase.kind === 'idle' || phase.kind === 'live' || phase.kind === 'open'
        ? [phase, []]
        : again(0)
    case 'welcomed':
      return phase.kind === 'opening' ? [{ kind: 'open', attempt: phase.attempt }, []] : [phase, []]
    case 'answered':
      if (phase.kind !== 'open') return [phase, []]
      return [{ kind: 'live', attempt: phase.attempt, sinceMs: moment.nowMs, feedStale: false }, []]
    case 'feed':
      return phase.kind === 'live' ? [{ ...phase, feedStale: event.stale }, []] : [phase, []]
    case 'elapsed':
      return phase.kind === 'waiting'
        ? [{ kind: 'opening', attempt: phase.attempt, refused: phase.refused }, ['dial']]
        : [phase, []]
    case 'online':
      return phase.kind === 'offline' || phase.kind === 'waiting'
        ? dial(phase.attempt)
        : [phase, []]
    case 'offline':
      if (phase.kind === 'idle' || phase.kind === 'ended') return [phase, []]
      return [{ kind: 'offline', attempt: 0 }, ['close']]
    case 'denied':
      return phase.kind === 'opening'
        ? [{ kind: 'ended', state: 'unauthorized' }, ['close']]
        : [phase, []]
    case 'lost':
      return lost(phase, event, moment)
  }
}

function lost(
  phase: LinkPhase,
  event: Extract<LinkEvent, { kind: 'lost' }>,
  moment: LinkMoment,
): Step {
  if (phase.kind !== 'opening' && phase.kind !== 'open' && phase.kind !== 'live') return [phase, []]
  const { code, window, renewable } = event
  // A token that was refused is asked for anew, once at once; then there is no hurry.
  const refused = code === 4001 && renewable
  if (!comesBack(code) && !refused)
    return [{ kind: 'ended', state: ENDINGS[code] ?? 'unavailable' }, []]
  const stable = phase.kind === 'live' && moment.nowMs - phase.sinceMs >= STABLE_MS
  const attempt = stable ? 0 : phase.attempt
  const hurry = refused && !(phase.kind === 'opening' && phase.refused)
  const waitMs = hurry
    ? 0
    : window === null
      ? fullJitter(attempt, BACKOFF, moment.random)
      : within(window, moment.random)
  return [{ kind: 'waiting', attempt: attempt + 1, untilMs: moment.nowMs + waitMs, refused }, []]
}

function dial(attempt: number): Step {
  return [{ kind: 'opening', attempt, refused: false }, ['dial']]
}

/** Whatever is under way is dropped first. */
function again(attempt: number): Step {
  const [phase, effects] = dial(attempt)
  return [phase, ['close', ...effects]]
}

function within([from, to]: readonly [number, number], random: number): number {
  return from + random * Math.max(0, to - from)
}

/**
 * The line to the server, as a pure function; clock and randomness are arguments.
 *
 *   idle ──start──▶ opening ──welcomed──▶ open ──answered──▶ live
 *                    ▲   │ lost             │ lost            │ lost
 *         elapsed,   │   ▼                  ▼                 ▼
 *         retry    waiting ◀────────────────┴─────────────────┘       (40xx: ended, until retry)
 *
 *   whatever is wanted ──offline──▶ offline ──online, retry──▶ opening
 *   whatever is wanted ──pause────▶ paused ──resume, retry──▶ opening
 */
import { comesBack, fullJitter } from '@mqtt-status/protocol'
import type { Backoff } from '@mqtt-status/protocol'

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

interface Dialled {
  /** Attempts since the last line that lasted. */
  readonly attempt: number
  /** The server has not read its database for a while. */
  readonly feedStale: boolean
}

export type LinkPhase =
  | { readonly kind: 'idle' }
  | { readonly kind: 'opening'; readonly attempt: number; readonly refused: boolean }
  | ({ readonly kind: 'open' } & Dialled)
  | ({ readonly kind: 'live'; readonly sinceMs: number } & Dialled)
  | {
      readonly kind: 'waiting'
      readonly attempt: number
      readonly untilMs: number
      readonly refused: boolean
    }
  | { readonly kind: 'offline' }
  /** Nobody looks at the page, or it is frozen. */
  | { readonly kind: 'paused' }
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
  | { readonly kind: 'pause' }
  /** The page can be seen again, or the machine has slept. */
  | { readonly kind: 'resume' }

/** `dial`: on a new line, the old one is let go; `probe`: the line may be dead without knowing it, it is asked. */
export type LinkEffect = 'dial' | 'close' | 'probe'

export interface LinkMoment {
  readonly nowMs: number
  /** In [0, 1). */
  readonly random: number
}

/** Full jitter between nothing and a bound that doubles from 0.5 s to 20 s. */
export const BACKOFF: Backoff = { baseMs: 500, capMs: 20_000 }
/** A line that lasted this long starts again with short waits. */
const STABLE_MS = 30_000

const ENDINGS: Readonly<Record<number, Ended>> = {
  4001: 'unauthorized',
  4003: 'forbidden',
  4006: 'incompatible',
}

type Step = readonly [LinkPhase, LinkEffect?]

export function nextLink(phase: LinkPhase, event: LinkEvent, moment: LinkMoment): Step {
  switch (event.kind) {
    case 'start':
      return phase.kind === 'idle' ? DIAL : [phase]
    case 'stop':
      return [{ kind: 'idle' }, 'close']
    case 'welcomed':
      return phase.kind === 'opening' ? [{ ...phase, kind: 'open', feedStale: false }] : [phase]
    case 'answered':
      return phase.kind === 'open' ? [{ ...phase, kind: 'live', sinceMs: moment.nowMs }] : [phase]
    case 'feed':
      return isOpen(phase) ? [{ ...phase, feedStale: event.stale }] : [phase]
    case 'elapsed':
      return phase.kind === 'waiting' ? [{ ...phase, kind: 'opening' }, 'dial'] : [phase]
    case 'denied':
      return phase.kind === 'opening' ? end('unauthorized') : [phase]
    case 'lost':
      return lost(phase, event, moment)
    default:
      return fromOutside(phase, event.kind)
  }
}

const DIAL: Step = [{ kind: 'opening', attempt: 0, refused: false }, 'dial']

/** Which phases a person, the network or the page ends. Only a person ends what the server has said for good. */
const ENDS = {
  retry: ['opening', 'waiting', 'offline', 'paused', 'ended'],
  online: ['waiting', 'offline'],
  resume: ['waiting', 'paused'],
  offline: ['opening', 'open', 'live', 'waiting', 'offline'],
  pause: ['opening', 'open', 'live', 'waiting', 'offline', 'paused'],
} as const satisfies Record<string, readonly LinkPhase['kind'][]>

function fromOutside(phase: LinkPhase, said: keyof typeof ENDS): Step {
  if (!(ENDS[said] as readonly string[]).includes(phase.kind)) {
    // A line that works is not given up for a new one.
    return isOpen(phase) ? [phase, 'probe'] : [phase]
  }
  if (said === 'offline') return [{ kind: said }, 'close']
  return said === 'pause' ? [{ kind: 'paused' }, 'close'] : DIAL
}

function lost(
  phase: LinkPhase,
  event: Extract<LinkEvent, { kind: 'lost' }>,
  moment: LinkMoment,
): Step {
  if (phase.kind !== 'opening' && !isOpen(phase)) return [phase]
  // A token that was refused is asked for anew, once and at once. That holds until a line is welcomed.
  const before = isRefused(phase)
  const hurry = event.code === 4001 && event.renewable && !before
  if (!comesBack(event.code) && !hurry) return end(ENDINGS[event.code] ?? 'unavailable')
  const stable = phase.kind === 'live' && moment.nowMs - phase.sinceMs >= STABLE_MS
  const attempt = stable ? 0 : phase.attempt
  const untilMs = moment.nowMs + (hurry ? 0 : waitFor(attempt, event.window, moment))
  return [{ kind: 'waiting', attempt: attempt + 1, untilMs, refused: hurry || before }]
}

function isRefused(phase: LinkPhase): boolean {
  return phase.kind === 'opening' && phase.refused
}

/** What the state alone does not tell, see `Link.cause`. A refused token is no failure at first: there is another one. */
export function causeOf(
  state: LinkState,
  phase: LinkPhase,
  { none }: { readonly none: boolean },
): 'unreachable' | 'tokenless' | null {
  if (state === 'unauthorized') return none ? 'tokenless' : null
  if (state !== 'connecting' || (phase.kind !== 'waiting' && phase.kind !== 'opening')) return null
  return phase.attempt > (phase.refused ? 1 : 0) ? 'unreachable' : null
}

function isOpen(phase: LinkPhase): phase is Extract<LinkPhase, { kind: 'open' | 'live' }> {
  return phase.kind === 'open' || phase.kind === 'live'
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
  return [{ kind: 'ended', state }, 'close']
}

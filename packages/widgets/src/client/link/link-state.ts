/**
 * The states of the link to the server, as a pure function; clock and randomness are arguments.
 *
 *   idle ──start──▶ opening ──welcomed──▶ open ──answered──▶ live
 *                    ▲   │ lost             │ lost            │ lost
 *         elapsed,   │   ▼                  ▼                 ▼
 *         retry    waiting ◀────────────────┴─────────────────┘
 *
 *   any phase but idle ──offline──▶ offline ──online, retry──▶ opening
 *   any phase but idle ──pause────▶ paused ──resume, retry──▶ opening
 *
 * The link never gives up. How long it waits after each failure is in failures.ts.
 */
import { fullJitter } from '@mqtt-status/protocol'
import type { Backoff } from '@mqtt-status/protocol'
import { CALM, FAILURES, troubleOf } from './failures.ts'
import type { Credentials, Failure, LinkCause, Trouble } from './failures.ts'

interface Attempts {
  /** Attempts since the last transport that was live for 30 s. */
  readonly attempt: number
  /** Why the last one failed. */
  readonly trouble: Trouble
}

interface Dialled extends Attempts {
  /** The server has not read its database for a while. */
  readonly feedStale: boolean
}

interface Trying extends Attempts {
  /** Whether a token was refused since the last welcome. */
  readonly refused: boolean
}

export type LinkPhase =
  | { readonly kind: 'idle' }
  | ({ readonly kind: 'opening' } & Trying)
  | ({ readonly kind: 'open' } & Dialled)
  | ({ readonly kind: 'live'; readonly sinceMs: number } & Dialled)
  | ({ readonly kind: 'waiting'; readonly untilMs: number } & Trying)
  | { readonly kind: 'offline' }
  /** The page is hidden, or the browser has frozen it. */
  | { readonly kind: 'paused'; readonly trouble: Trouble }

export type LinkEvent =
  | { readonly kind: 'start' }
  | { readonly kind: 'stop' }
  | { readonly kind: 'welcomed' }
  /** The server has answered every watch. */
  | { readonly kind: 'answered' }
  | {
      readonly kind: 'lost'
      readonly failure: Failure
      /** Whether the client requests `/healthz` to find the cause: `probed` will follow. */
      readonly probing: boolean
      /** When the server wants the client to come back: a range, in ms. */
      readonly window: readonly [number, number] | null
      readonly credentials: Credentials
      /** Whether the client can request another token. */
      readonly renewable: boolean
    }
  /** The client has found why the last attempt failed. */
  | { readonly kind: 'probed'; readonly cause: LinkCause | null }
  | { readonly kind: 'elapsed' }
  | { readonly kind: 'retry' }
  | { readonly kind: 'feed'; readonly stale: boolean }
  | { readonly kind: 'online' }
  | { readonly kind: 'offline' }
  | { readonly kind: 'pause' }
  /** The page is visible again, or the machine has slept. */
  | { readonly kind: 'resume' }

/** `dial`: closes the transport and opens another one. `probe`: sends a `ping`, because the transport may be dead without an event. */
export type LinkEffect = 'dial' | 'close' | 'probe'

export interface LinkMoment {
  readonly nowMs: number
  /** In [0, 1). */
  readonly random: number
}

/** Full jitter between nothing and a bound that doubles from 0.5 s to 20 s. */
export const BACKOFF: Backoff = { baseMs: 500, capMs: 20_000 }
/** At least half of a bound that doubles from 2 min to 10 min. */
const SLOW_BACKOFF: Backoff = { baseMs: 120_000, capMs: 600_000 }
/** After a transport was live for this long, the next waits are short again. */
const STABLE_MS = 30_000

type Step = readonly [LinkPhase, LinkEffect?]

export function nextLink(phase: LinkPhase, event: LinkEvent, moment: LinkMoment): Step {
  switch (event.kind) {
    case 'start':
      return phase.kind === 'idle' ? dial(CALM) : [phase]
    case 'stop':
      return [{ kind: 'idle' }, 'close']
    case 'welcomed':
      return phase.kind === 'opening'
        ? [{ kind: 'open', attempt: phase.attempt, trouble: phase.trouble, feedStale: false }]
        : [phase]
    case 'answered':
      return phase.kind === 'open' ? [{ ...phase, kind: 'live', sinceMs: moment.nowMs }] : [phase]
    case 'feed':
      return isOpen(phase) ? [{ ...phase, feedStale: event.stale }] : [phase]
    case 'elapsed':
      return phase.kind === 'waiting' ? [{ ...phase, kind: 'opening' }, 'dial'] : [phase]
    case 'probed':
      return isTrying(phase) && phase.trouble.state === null
        ? [{ ...phase, trouble: { state: null, cause: event.cause } }]
        : [phase]
    case 'lost':
      return lost(phase, event, moment)
    default:
      return fromOutside(phase, event.kind)
  }
}

function dial(trouble: Trouble): Step {
  return [{ kind: 'opening', attempt: 0, refused: false, trouble }, 'dial']
}

/** The phases that each event of a viewer, the network or the page ends. */
const ENDS = {
  retry: ['opening', 'waiting', 'offline', 'paused'],
  online: ['waiting', 'offline'],
  resume: ['waiting', 'paused'],
  offline: ['opening', 'open', 'live', 'waiting', 'offline'],
  pause: ['opening', 'open', 'live', 'waiting', 'offline', 'paused'],
} as const satisfies Record<string, readonly LinkPhase['kind'][]>

function fromOutside(phase: LinkPhase, happening: keyof typeof ENDS): Step {
  if (!(ENDS[happening] as readonly string[]).includes(phase.kind)) {
    // The link keeps a transport that may work.
    return isOpen(phase) ? [phase, 'probe'] : [phase]
  }
  if (happening === 'offline') return [{ kind: happening }, 'close']
  const trouble = shown(phase)
  if (happening === 'pause') return [{ kind: 'paused', trouble }, 'close']
  // After a click on Retry the page shows an attempt, and no former trouble.
  return dial(happening === 'retry' ? CALM : trouble)
}

function lost(
  phase: LinkPhase,
  event: Extract<LinkEvent, { kind: 'lost' }>,
  moment: LinkMoment,
): Step {
  if (phase.kind !== 'opening' && !isOpen(phase)) return [phase]
  const { failure, renewable, window } = event
  const refused = phase.kind === 'opening' && phase.refused
  // After the server has refused a token, the client requests another one at once, but only once until the next welcome.
  const hurry = failure === 'unauthorized' && renewable && !refused
  const isSlow = FAILURES[failure].retry === 'slowly'
  const wasSlow = phase.trouble.state !== null
  const attempt = isStable(phase, moment) || isSlow !== wasSlow ? 0 : phase.attempt
  const waitMs = hurry ? 0 : waitFor(attempt, { isSlow, window, random: moment.random })
  return [
    {
      kind: 'waiting',
      attempt: attempt + 1,
      untilMs: moment.nowMs + waitMs,
      refused: hurry || refused,
      trouble: hurry ? shown(phase) : troubleAfter(phase, event),
    },
  ]
}

/** The trouble that the page shows now. */
function shown(phase: LinkPhase): Trouble {
  return isOpen(phase) || !('trouble' in phase) ? CALM : phase.trouble
}

function troubleAfter(
  phase: LinkPhase,
  { failure, probing, credentials }: Extract<LinkEvent, { kind: 'lost' }>,
): Trouble {
  if (failure !== 'broken') return troubleOf(failure, credentials)
  // The page shows no cause for the end of an open transport, until an attempt to open another one fails.
  if (isOpen(phase)) return CALM
  if (!probing) return troubleOf(failure, credentials)
  const known = shown(phase)
  return known.state === null ? known : CALM
}

function isOpen(phase: LinkPhase): phase is Extract<LinkPhase, { kind: 'open' | 'live' }> {
  return phase.kind === 'open' || phase.kind === 'live'
}

function isTrying(phase: LinkPhase): phase is Extract<LinkPhase, { kind: 'opening' | 'waiting' }> {
  return phase.kind === 'opening' || phase.kind === 'waiting'
}

function isStable(phase: LinkPhase, { nowMs }: LinkMoment): boolean {
  return phase.kind === 'live' && nowMs - phase.sinceMs >= STABLE_MS
}

interface Wait {
  readonly isSlow: boolean
  readonly window: readonly [number, number] | null
  readonly random: number
}

function waitFor(attempt: number, { isSlow, window, random }: Wait): number {
  if (window !== null) {
    const [from, to] = window
    return from + random * Math.max(0, to - from)
  }
  return isSlow ? slowWait(attempt, random) : fullJitter(attempt, BACKOFF, random)
}

/** @returns ms until the client retries what only a change elsewhere can mend */
export function slowWait(attempt: number, random: number): number {
  return fullJitter(attempt, SLOW_BACKOFF, 0.5 + random / 2)
}

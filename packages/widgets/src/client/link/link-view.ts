/** What a page shows of the link, as pure functions of its phase and of what was shown before. */
import type { LinkCause, LinkState } from './failures.ts'
import type { LinkPhase } from './link-state.ts'

/** The link as a page may show it; both times are the server's (compare with `client.now()`). */
export interface Link {
  readonly state: LinkState
  /** Since when, in ms since the epoch; while not live: when what is shown was last known to be true. */
  readonly since: number
  /** When the next attempt is made, in ms since the epoch; `null` = none is planned. */
  readonly retryAt: number | null
  /** Why it is not live, where the state does not say it. */
  readonly cause: LinkCause | null
}

/** What the next view depends on. */
export interface Shown {
  readonly link: Link
  readonly phase: LinkPhase
  /** When the rows were last known to be true, in ms of the server's clock. */
  readonly trueAt: number
  /** Whether the link was live since it was started. */
  readonly everLive: boolean
}

export interface ViewMoment {
  /** The server's time, in ms. */
  readonly serverMs: number
  /** How far the server's clock is ahead of this device's, in ms. */
  readonly offsetMs: number
}

export function firstView(nowMs: number): Shown {
  const link = { state: 'connecting', since: nowMs, retryAt: null, cause: null } as const
  return { link, phase: { kind: 'idle' }, trueAt: nowMs, everLive: false }
}

/** Whether the page shows `live` while a new transport is opened: most losses end before a reader notices them. */
export function isMending({ link, phase, everLive }: Shown): boolean {
  const isTrying = phase.kind !== 'live' && phase.kind !== 'idle'
  return link.state === 'live' && isTrying && stateOf(phase, everLive) === 'stale'
}

/** The server has sent a message. */
export function heard(shown: Shown, serverMs: number): Shown {
  const isLive = shown.link.state === 'live' && stateOf(shown.phase, shown.everLive) === 'live'
  return isLive ? { ...shown, trueAt: serverMs } : shown
}

/** Shows the phase. The link keeps its identity unless something in it changes. */
export function nextView(shown: Shown, { serverMs, offsetMs }: ViewMoment): Shown {
  const { phase, link: former, trueAt } = shown
  const state = stateOf(phase, shown.everLive)
  const cause = causeOf(phase)
  const retryAt = phase.kind === 'waiting' ? phase.untilMs + offsetMs : null
  const everLive = state === 'live' || (shown.everLive && phase.kind !== 'idle')
  const isSame = state === former.state
  if (isSame && retryAt === former.retryAt && cause === former.cause) return { ...shown, everLive }
  const since = isSame ? former.since : state === 'live' ? serverMs : trueAt
  return { ...shown, everLive, link: { state, since, retryAt, cause } }
}

function stateOf(phase: LinkPhase, everLive: boolean): LinkState {
  // Rows that were live once stay on the page, as rows of a former time.
  const former = everLive ? 'stale' : 'connecting'
  switch (phase.kind) {
    case 'offline':
      return 'offline'
    case 'live':
      return phase.feedStale ? 'stale' : 'live'
    case 'idle':
      return 'stale'
    case 'open':
      return former
    default:
      return phase.trouble.state ?? former
  }
}

function causeOf(phase: LinkPhase): LinkCause | null {
  switch (phase.kind) {
    case 'idle':
    case 'offline':
      return null
    case 'open':
    case 'live':
      return phase.feedStale ? 'server_error' : null
    default:
      return phase.trouble.cause
  }
}

import { STATUSES } from './connection.ts'
import type { Connection, Status } from './connection.ts'
import { REASONS } from './reasons.ts'
import type { Reason } from './reasons.ts'
import { COMMAND_TIMEOUT_MS, RECONNECT_GRACE_MS } from './timing.ts'

/** The five tones, each with its colour. Elements show a tone by a shape and words, too. */
export type Tone = 'positive' | 'progress' | 'warning' | 'negative' | 'neutral'

/**
 * What an element draws: the status, with three exceptions. A connection lost for longer than the grace, or against
 * the wish, is `lost`; one that retries for a permanent reason is `failed`; a status that this version does not know
 * is `unknown`.
 */
export type Look = Status | 'lost'

export interface Appearance {
  readonly look: Look
  readonly tone: Tone
  /** Whether the connection needs attention: its tone is warning or negative. */
  readonly attention: boolean
  /** When the appearance of the same row changes with time, in ms since 1970; `null` = never. */
  readonly changesAt: number | null
}

/** The part of a row that its appearance depends on. */
export type Seen = Pick<
  Connection,
  | 'status'
  | 'reason'
  | 'desired'
  | 'desiredAt'
  | 'device'
  | 'since'
  | 'generation'
  | 'observedGeneration'
  | 'managed'
>

/**
 * Whether the supervisor has not acted on the last command yet. Observed rows are never pending, because their writer may
 * not know generations.
 */
export function isPending(
  row: Pick<Seen, 'generation' | 'observedGeneration' | 'managed'>,
): boolean {
  return row.managed && row.generation > row.observedGeneration
}

/**
 * How a row looks at a moment: one function for every element and for the hub's counts, so that a summary never
 * disagrees with the cards below it.
 */
export function appearance(row: Seen, nowMs: number): Appearance {
  const answerDueAt = isPending(row)
    ? Date.parse(row.desiredAt ?? '') + COMMAND_TIMEOUT_MS
    : Number.NaN
  // A command that is overdue no longer hides a problem.
  if (nowMs < answerDueAt)
    return { look: known(row.status), tone: 'progress', attention: false, changesAt: answerDueAt }
  return settled(row, nowMs)
}

/** How a connection looks while no command is pending. */
function settled(row: Seen, nowMs: number): Appearance {
  switch (row.status) {
    case 'connected':
      return still('connected', impaired(row) ? 'warning' : 'positive')
    case 'connecting':
    case 'disconnecting':
      return still(row.status, 'progress')
    case 'reconnecting':
      return reconnecting(row, nowMs)
    case 'failed':
      return still('failed', 'negative')
    case 'disconnected':
      return row.desired === 'connected'
        ? still('lost', 'warning')
        : still('disconnected', 'neutral')
    default:
      // `unknown`, and any status of a newer server.
      return still('unknown', row.desired === 'connected' ? 'warning' : 'neutral')
  }
}

function known(status: Status): Status {
  return STATUSES.includes(status) ? status : 'unknown'
}

function impaired(row: Seen): boolean {
  return row.device === 'offline' || row.reason === 'subscription_denied'
}

function reconnecting(row: Seen, nowMs: number): Appearance {
  // The supervisor still retries a refused password, but only an operator can correct it: the grace would hide that.
  if (isPermanent(row.reason)) return still('failed', 'negative')
  const lostAt = Date.parse(row.since) + RECONNECT_GRACE_MS
  // An invalid time would keep the grace for ever.
  if (!(nowMs < lostAt)) return still('lost', 'warning')
  return { look: 'reconnecting', tone: 'progress', attention: false, changesAt: lostAt }
}

function isPermanent(reason: string | null): boolean {
  // A newer server may send a reason that is not in the table.
  return (
    reason !== null && Object.hasOwn(REASONS, reason) && REASONS[reason as Reason] === 'permanent'
  )
}

function still(look: Look, tone: Tone): Appearance {
  return { look, tone, attention: tone === 'warning' || tone === 'negative', changesAt: null }
}

/**
 * Finds the topic filters on which a broker closes the connection without a reason code, as AWS IoT does, by bisection: the
 * next dial subscribes to the portion at which the broker closed in two halves, and so on down to one filter. A filter is
 * forbidden when the broker has closed on it alone, twice in a row. A broker that closes for another reason does not close
 * again at the same filter, so no filter counts as forbidden then.
 *
 *     plain ──closed at a portion──▶ suspects: its halves ──closed at one of them──▶ its halves, …
 *       ▲                                │ all answered          │ closed at a single one, twice: forbidden, left out
 *       └────────────────────────────────┴───────────────────────┘
 *
 * The result is dropped with a change of the settings, a command, the end of the process, and after 1 h at the next dial; and
 * at once when a connection that leaves filters out is lost within 30 s, because that loss has another cause.
 */
import type { Reason } from '@mqtt-status/protocol'
import type { Step } from '../reasons/attribution.ts'
import type { Failure } from '../reasons/failure.ts'

export interface FilterSearch {
  /** The broker has closed the connection on each of these filters alone, twice. */
  readonly forbidden: readonly string[]
  /** The time at which the search found the first forbidden filter, in ms; `null` if it found none. */
  readonly foundAtMs: number | null
  /** Sets of filters with at least one that may be forbidden; the next dial sends a SUBSCRIBE for each set. */
  readonly suspects: readonly (readonly string[])[]
  /** The single filter at which the broker has closed once. */
  readonly accused: string | null
  /** Dials since the search has begun. */
  readonly dials: number
}

export const NO_SEARCH: FilterSearch = {
  forbidden: [],
  foundAtMs: null,
  suspects: [],
  accused: null,
  dials: 0,
}

/** Topic filters in one SUBSCRIBE. AWS IoT closes the connection if there are more. */
const PORTION = 8
/** Twenty forbidden filters take 57 dials: the search subscribes to each set once, and to each single filter twice. */
const MOST_DIALS = 64
const REMEMBERED_MS = 3_600_000
/** If the connection is lost sooner, the loss may have another cause than the filters, so the search starts again. */
const PROVEN_MS = 30_000

/** Reasons of a broker that forbids a filter. */
const FORBIDDING: ReadonlySet<Reason> = new Set([
  'closed_by_broker',
  'connection_reset',
  'not_authorized',
  'protocol_error',
])

/** The filters of each SUBSCRIBE of a dial, in order, and the filters that the dial leaves out. */
export interface FilterPlan {
  readonly portions: readonly (readonly string[])[]
  readonly leftOut: readonly string[]
}

export function planOf(filters: readonly string[], search: FilterSearch): FilterPlan {
  const leftOut = filters.filter((filter) => search.forbidden.includes(filter))
  const suspected = new Set(search.suspects.flat())
  const plain = filters.filter((filter) => !leftOut.includes(filter) && !suspected.has(filter))
  const portions = Array.from({ length: Math.ceil(plain.length / PORTION) }, (_, i) =>
    plain.slice(i * PORTION, (i + 1) * PORTION),
  )
  return { portions: [...search.suspects, ...portions], leftOut }
}

/** The broker has answered every portion, so none of the suspects is forbidden. */
export function answered({ forbidden, foundAtMs }: FilterSearch): FilterSearch {
  return { ...NO_SEARCH, forbidden, foundAtMs }
}

/** Whether a failure at that step can come from a forbidden filter. */
export function forbids({ reason }: Failure, step: Step, asked: readonly string[]): boolean {
  return step === 'suback' && asked.length > 0 && FORBIDDING.has(reason)
}

/**
 * The broker has closed the connection at a portion.
 *
 * @returns `null` if the search has taken too many dials
 */
export function closedAt(
  search: FilterSearch,
  asked: readonly string[],
  nowMs: number,
): FilterSearch | null {
  const dials = search.dials + 1
  if (dials > MOST_DIALS) return null
  const others = unanswered(search.suspects, asked)
  const [only] = asked
  if (asked.length > 1 || only === undefined) {
    const half = Math.ceil(asked.length / 2)
    const halves = [asked.slice(0, half), asked.slice(half)]
    return { ...search, suspects: [...halves, ...others], accused: null, dials }
  }
  if (search.accused !== only)
    return { ...search, suspects: [[only], ...others], accused: only, dials }
  return {
    forbidden: [...search.forbidden, only],
    foundAtMs: search.foundAtMs ?? nowMs,
    suspects: others,
    accused: null,
    dials,
  }
}

/** A connection that left filters out is lost after `upMs`. */
export function lostAfter(search: FilterSearch, upMs: number): FilterSearch {
  return upMs < PROVEN_MS ? NO_SEARCH : search
}

/** The search as it continues with the next dial. */
export function recall(search: FilterSearch, nowMs: number): FilterSearch {
  const { foundAtMs } = search
  return foundAtMs !== null && search.suspects.length === 0 && nowMs - foundAtMs >= REMEMBERED_MS
    ? NO_SEARCH
    : search
}

/** The session subscribes to portions in order, so the broker has answered those before the one on which it closed. */
function unanswered(
  suspects: readonly (readonly string[])[],
  asked: readonly string[],
): readonly (readonly string[])[] {
  const at = suspects.findIndex((set) => set[0] === asked[0])
  return at < 0 ? [] : suspects.slice(at + 1)
}

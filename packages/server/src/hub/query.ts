/** Answers a watch once, as one object: for polling clients and for pages that a server renders. */
import type { Removed, WatchFilter } from '@mqtt-status/protocol'
import { changedSince, cursorOf, honour, missingOf } from './answer.ts'
import type { View } from './answer.ts'
import type { Mirror } from './mirror.ts'
import { Row } from './mirror.ts'
import { toJson } from './pages.ts'
import type { Envelope, Page } from './pages.ts'
import type { HubScope } from './scope.ts'
import { SummaryGroup } from './summary-group.ts'
import { present, select, toFilter } from './watch.ts'

export interface Query {
  /** If the hub can resume from the cursor, the answer has the changes since only. */
  readonly cursor?: string
  /** Rows of a snapshot at most. @default 1000 */
  readonly limit?: number
  /** Rows of a snapshot after this id, in the order of ids. */
  readonly after?: string
  /** Further fields of the answer. */
  readonly extra?: Readonly<Record<string, unknown>>
}

/** A page of rows and the fields around it. */
type Content = Omit<Page, 'missing'> & { readonly around: Envelope }

const LIMIT = 1_000

/**
 * A `snapshot` or `patch` object, as JSON. Without a filter it covers all that the scope permits; summaries are a filter
 * that names no rows.
 */
export function queryOnce(
  mirror: Mirror,
  scope: HubScope,
  query: WatchFilter & Query & { now: string },
): string {
  const { connections, sites, summary, extra, now } = query
  const named = (connections ?? sites ?? summary) !== undefined || query.all === true
  const filter = toFilter(named ? query : { all: true })
  const view = { scope, filter }
  const mark = honour(mirror, scope, query.cursor)
  const { around, ...rows } =
    mark === null ? snapshot(mirror, view, query) : patchSince(mirror, view, mark)
  const summaries = summary?.map((site) => countOnce(mirror, scope, { site, now }))
  const missing = missingOf(mirror, scope, filter)
  return toJson({ ...rows, missing }, { ...around, summaries, extra })
}

function countOnce(
  mirror: Mirror,
  scope: HubScope,
  { site, now }: { site: string; now: string },
): string {
  const group = new SummaryGroup('', scope, site)
  group.begin(mirror, Date.parse(now))
  return group.frame?.json ?? 'null'
}

function snapshot(
  mirror: Mirror,
  { scope, filter }: View,
  { after = '', limit = LIMIT, now }: Query & { now: string },
): Content {
  const rest = Array.from(select(mirror, scope, filter))
    .filter(({ connection }) => connection.id > after)
    .sort((a, b) => (a.connection.id < b.connection.id ? -1 : 1))
  const rows = rest.slice(0, limit)
  const next = rest.length > limit ? (rows.at(-1)?.connection.id ?? null) : null
  // A client reads the pages at different moments, and no page is older than the cursor of the first one.
  const cursor = after === '' ? cursorOf(mirror, scope) : null
  return {
    connections: rows.map((row) => row.json(scope.control)),
    removed: [],
    around: { type: 'snapshot', cursor, final: next === null, next, now },
  }
}

function patchSince(mirror: Mirror, view: View, mark: bigint): Content {
  const { scope } = view
  const connections: string[] = []
  const removed: Removed[] = []
  for (const id of changedSince(mirror, view, mark)) {
    const found = present(mirror, view, id)
    if (found instanceof Row) connections.push(found.json(scope.control))
    else if (found !== null) removed.push({ id, revision: found.revision })
  }
  return {
    connections,
    removed,
    around: { type: 'patch', cursor: cursorOf(mirror, scope), final: true },
  }
}

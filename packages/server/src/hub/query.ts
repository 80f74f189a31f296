/** Answers a watch once, as one object: for polling clients and for pages that a server renders. */
import type { Removed, WatchFilter } from '@mqtt-status/protocol'
import { changedSince, cursorOf, honour, missingOf } from './answer.ts'
import type { View } from './answer.ts'
import type { Mirror } from './mirror.ts'
import { Row } from './mirror.ts'
import { jsonPieces } from './pages.ts'
import type { Envelope, Page } from './pages.ts'
import type { HubScope } from './scope.ts'
import { ALL, SummaryGroup } from './summary-group.ts'
import { holds, present, toFilter } from './watch.ts'

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
type Content = Pick<Page, 'removed'> & {
  readonly connections: Iterable<string>
  readonly around: Envelope
}

const LIMIT = 1_000
/** Rows that a summary counts before it yields to other work. */
const COUNTED_AT_ONCE = 5_000

/**
 * A `snapshot` or `patch` object, as pieces of JSON. Without a filter it covers all that the scope permits; summaries are a filter
 * that names no rows. The pieces of rows are made when the caller takes them.
 */
export async function queryOnce(
  mirror: Mirror,
  scope: HubScope,
  query: WatchFilter & Query & { now: string },
): Promise<Iterable<string>> {
  const { connections, sites, summary, extra, now } = query
  const named = (connections ?? sites ?? summary) !== undefined || query.all === true
  const filter = toFilter(named ? query : { all: true })
  const view = { scope, filter }
  const mark = honour(mirror, scope, query.cursor)
  const { around, ...rows } =
    mark === null ? snapshot(mirror, view, query) : patchSince(mirror, view, mark)
  const missing = missingOf(mirror, scope, filter)
  const summaries =
    summary === undefined ? undefined : await countAll(mirror, scope, { summary, now })
  return jsonPieces({ ...rows, missing }, { ...around, summaries, extra })
}

async function countAll(
  mirror: Mirror,
  scope: HubScope,
  { summary, now }: { readonly summary: readonly string[]; readonly now: string },
): Promise<string[]> {
  const counts: string[] = []
  for (const site of new Set(summary)) counts.push(await countOnce(mirror, scope, { site, now }))
  return counts
}

/** Counts in parts, because a hundred thousand rows would take longer than one turn of the event loop may. */
async function countOnce(
  mirror: Mirror,
  scope: HubScope,
  { site, now }: { site: string; now: string },
): Promise<string> {
  const nowMs = Date.parse(now)
  const group = new SummaryGroup('', scope, site)
  const ids = site === ALL ? mirror.ids : [...mirror.at(site)]
  for (let from = 0; from === 0 || from < ids.length; from += COUNTED_AT_ONCE) {
    if (from > 0) await new Promise((resolve) => setImmediate(resolve))
    for (const id of ids.slice(from, from + COUNTED_AT_ONCE)) group.dirty.add(id)
    group.count(mirror, nowMs)
  }
  return group.frame?.json ?? 'null'
}

function snapshot(
  mirror: Mirror,
  { scope, filter }: View,
  { after = '', limit = LIMIT, now }: Query & { now: string },
): Content {
  const rows: Row[] = []
  let next: string | null = null
  for (const row of following(mirror, { scope, filter }, after)) {
    if (rows.length === limit) {
      next = rows.at(-1)?.connection.id ?? null
      break
    }
    rows.push(row)
  }
  // A client reads the pages at different moments, and no page is older than the cursor of the first one.
  const cursor = after === '' ? cursorOf(mirror, scope) : null
  return {
    connections: jsonOf(rows, scope),
    removed: [],
    around: { type: 'snapshot', cursor, final: next === null, next, now },
  }
}

/** The rows of the view whose ids come after this one, in the order of ids. */
function* following(mirror: Mirror, { scope, filter }: View, after: string): Iterable<Row> {
  const { ids } = mirror
  const isLarge = filter.all || filter.sites.size > 0
  const candidates = isLarge ? ids : [...filter.connections].sort()
  for (let at = isLarge ? firstAfter(ids, after) : 0; at < candidates.length; at++) {
    const id = candidates[at] ?? ''
    const row = mirror.rows.get(id)
    if (row !== undefined && id > after && holds(scope, filter, row.connection)) yield row
  }
}

function firstAfter(ids: readonly string[], after: string): number {
  let low = 0
  let high = ids.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((ids[middle] ?? '') > after) high = middle
    else low = middle + 1
  }
  return low
}

function* jsonOf(rows: readonly Row[], scope: HubScope): Iterable<string> {
  for (const row of rows) yield row.json(scope.control)
}

function patchSince(mirror: Mirror, view: View, mark: bigint): Content {
  const { scope } = view
  const connections: Row[] = []
  const removed: Removed[] = []
  for (const id of changedSince(mirror, view, mark)) {
    const found = present(mirror, view, id)
    if (found instanceof Row) connections.push(found)
    else if (found !== null) removed.push({ id, revision: found.revision })
  }
  return {
    connections: jsonOf(connections, scope),
    removed,
    around: { type: 'patch', cursor: cursorOf(mirror, scope), final: true },
  }
}

/** The same answer as a watch gets, once, as one object: for polling and for rendering on a server. */
import type { WatchFilter } from '@mqtt-status/protocol'
import { changedSince, cursorOf, honour, missingOf } from './answer.ts'
import type { Mirror } from './mirror.ts'
import { Row } from './mirror.ts'
import type { HubScope } from './scope.ts'
import { SummaryGroup } from './summary-group.ts'
import { present, select, toFilter } from './watch.ts'
import type { Filter } from './watch.ts'

export interface Query {
  /** Only what changed since, if it can be honoured. */
  readonly cursor?: string
  /** Rows of a snapshot at most. @default 1000 */
  readonly limit?: number
  /** Rows of a snapshot after this id, in the order of ids. */
  readonly after?: string
}

export interface Page {
  /** A `snapshot` or `patch` object, as JSON. */
  readonly json: string
  /** The cursor in it. */
  readonly cursor: string | null
  /** Ask again with `after` set to it for the rest; `null` if there is none. */
  readonly next: string | null
}

const LIMIT = 1_000

/** Without any filter all that is permitted is meant; summaries are a filter that names no rows. */
export function queryOnce(
  mirror: Mirror,
  scope: HubScope,
  query: WatchFilter & Query & { now: string },
): Page {
  const { connections, sites, summary } = query
  const named = (connections ?? sites ?? summary) !== undefined || query.all === true
  const filter = toFilter(named ? query : { all: true })
  const view = { scope, filter }
  const mark = honour(mirror, scope, query.cursor)
  const missing = JSON.stringify(missingOf(mirror, scope, filter))
  const page =
    mark === null
      ? snapshotPage(mirror, view, { ...query, missing })
      : patchSince(mirror, view, { mark, missing })
  if (summary === undefined) return page
  const counts = summary.map((site) => countOnce(mirror, scope, { site, now: query.now }))
  return { ...page, json: `${page.json.slice(0, -1)},"summaries":[${counts.join(',')}]}` }
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

function snapshotPage(
  mirror: Mirror,
  view: { scope: HubScope; filter: Filter },
  { after = '', limit = LIMIT, missing, now }: Query & { missing: string; now: string },
): Page {
  const { scope, filter } = view
  const rest = Array.from(select(mirror, scope, filter))
    .filter(({ connection }) => connection.id > after)
    .sort((a, b) => (a.connection.id < b.connection.id ? -1 : 1))
  const rows = rest.slice(0, limit)
  const next = rest.length > limit ? (rows.at(-1)?.connection.id ?? null) : null
  // Pages are read at different moments: only the first one's cursor is before all of them.
  const cursor = after === '' ? cursorOf(mirror, scope) : null
  const fields = [
    `"type":"snapshot"`,
    `"connections":[${rows.map((row) => row.json(scope.control)).join(',')}]`,
    `"missing":${missing}`,
    ...(cursor === null ? [] : [`"cursor":"${cursor}"`]),
    `"final":${String(next === null)}`,
    ...(next === null ? [] : [`"next":${JSON.stringify(next)}`]),
    `"now":"${now}"`,
  ]
  return { json: `{${fields.join(',')}}`, cursor, next }
}

function patchSince(
  mirror: Mirror,
  view: { scope: HubScope; filter: Filter },
  { mark, missing }: { mark: bigint; missing: string },
): Page {
  const { scope } = view
  const cursor = cursorOf(mirror, scope)
  const found = changedSince(mirror, view, mark).map((id) => ({
    id,
    now: present(mirror, view, id),
  }))
  const rows = found.flatMap(({ now }) => (now instanceof Row ? [now.json(scope.control)] : []))
  const removed = found.flatMap(({ id, now }) =>
    now === null || now instanceof Row ? [] : [{ id, revision: now.revision }],
  )
  const json =
    `{"type":"patch","connections":[${rows.join(',')}],"removed":${JSON.stringify(removed)},` +
    `"missing":${missing},"cursor":"${cursor}","final":true}`
  return { json, cursor, next: null }
}

/** Builds the answer to a watch or a query: all rows that it names, or those that changed since its cursor. */
import { formatCursor, parseCursor } from '@mqtt-status/protocol'
import type { Removed } from '@mqtt-status/protocol'
import type { Unanswered } from './backlog.ts'
import { Frame } from './frames.ts'
import type { Mirror } from './mirror.ts'
import { Row } from './mirror.ts'
import { Pager } from './pages.ts'
import type { HubScope } from './scope.ts'
import { holds, present, select, toFilter } from './watch.ts'
import type { Filter } from './watch.ts'

/** An answer that the subscriber writes page by page. */
export interface Answer {
  readonly type: 'snapshot' | 'patch'
  /** The id of the watch; absent for changes, which answer no watch. */
  readonly id: number | undefined
  readonly isAnswer: boolean
  /** All ids of the answer, written or not. */
  readonly ids: readonly string[]
  readonly pager: Pager
}

/** The filter and the scope of a subscriber at this moment. */
export interface View {
  readonly scope: HubScope
  readonly filter: Filter
}

/** @returns the cursor for the present mark */
export function cursorOf(mirror: Mirror, scope: HubScope): string {
  return formatCursor({ epoch: mirror.epoch, mark: mirror.mark, scope: scope.key })
}

/** @returns the mark of a cursor from which the mirror can resume; `null` means that the answer is a snapshot */
export function honour(mirror: Mirror, scope: HubScope, text: string | undefined): bigint | null {
  const cursor = text === undefined ? null : parseCursor(text)
  if (cursor === null || cursor.epoch !== mirror.epoch || cursor.scope !== scope.key) return null
  return cursor.mark >= mirror.floor && cursor.mark <= mirror.mark ? cursor.mark : null
}

/** @returns the ids of rows that the filter names and that changed in transactions from `mark` on */
export function changedSince(
  mirror: Mirror,
  { scope, filter }: View,
  mark: bigint,
): readonly string[] {
  if (filter.all || filter.sites.size > 0) {
    const places = mirror.changedSince(mark).filter((place) => holds(scope, filter, place))
    return [...new Set(places.map(({ id }) => id))]
  }
  // For a few ids in a large table it is cheaper to check each id than all changes.
  return [...filter.connections].filter((id) => {
    const row = mirror.rows.get(id)
    if (row !== undefined && row.changed >= mark && holds(scope, filter, row.connection))
      return true
    return Iterator.from(mirror.tombstones(id)).some(
      (stone) => stone.changed >= mark && holds(scope, filter, stone),
    )
  })
}

/** The named ids that do not exist or that the scope does not permit. The answer does not say which of the two. */
export function missingOf(mirror: Mirror, scope: HubScope, filter: Filter): readonly string[] {
  return [...filter.connections].filter((id) => {
    const row = mirror.rows.get(id)
    return row === undefined || !scope.permits(id, row.connection.siteId)
  })
}

/** @returns pages of these ids; each page has the rows, and the scope, at the moment at which it is written */
export function pagerOf(
  mirror: Mirror,
  view: () => View,
  { ids, missing = [] }: { ids: readonly string[]; missing?: readonly string[] },
): Pager {
  function* removed(): Iterable<Removed> {
    for (const id of ids) {
      const found = present(mirror, view(), id)
      if (found !== null && !(found instanceof Row)) yield { id, revision: found.revision }
    }
  }
  return new Pager({ rows: rowsOf(mirror, view, ids), removed: removed(), missing })
}

/** The rows of these ids that the view holds, as JSON. */
function* rowsOf(mirror: Mirror, view: () => View, ids: readonly string[]): Iterable<string> {
  for (const id of ids) {
    const row = mirror.rows.get(id)
    const { scope, filter } = view()
    if (row !== undefined && holds(scope, filter, row.connection)) yield row.json(scope.control)
  }
}

/** The answer to a watch that named `filter`, for a subscriber whose whole watch is `view`. */
function answerTo(
  mirror: Mirror,
  view: () => View,
  asked: { filter: Filter; cursor: string | undefined; id: number | undefined },
): Answer {
  const { filter, id } = asked
  const { scope } = view()
  const mark = honour(mirror, scope, asked.cursor)
  const missing = missingOf(mirror, scope, filter)
  if (mark === null) {
    // The list of ids is fixed now. The hub sends rows that change while pages are written again, as changes. All answers about
    // everything share one list; the pages leave out what the scope does not permit.
    const ids = filter.all
      ? mirror.ids
      : Array.from(select(mirror, scope, filter), (row) => row.connection.id)
    const pager = new Pager({ rows: rowsOf(mirror, view, ids), missing })
    return { type: 'snapshot', id, isAnswer: true, ids, pager }
  }
  const ids = changedSince(mirror, { scope, filter }, mark)
  return { type: 'patch', id, isAnswer: true, ids, pager: pagerOf(mirror, view, { ids, missing }) }
}

/** The answers to equal watches: the first gets all rows, each other one a patch that says that nothing has changed since. */
export function answersTo(
  mirror: Mirror,
  view: () => View,
  { request, ids: [first, ...others] }: Unanswered,
): Answer[] {
  const filter = toFilter(request)
  const answer = answerTo(mirror, view, { filter, id: first, cursor: request.cursor })
  if (others.length === 0) return [answer]
  const missing = missingOf(mirror, view().scope, filter)
  const repeated = others.map((id): Answer => {
    return { type: 'patch', id, isAnswer: true, ids: [], pager: new Pager({ missing }) }
  })
  return [answer, ...repeated]
}

export function refusalOf(id: number | undefined, limit: number): Frame {
  return Frame.of({
    type: 'error',
    ...(id === undefined ? {} : { id }),
    code: 'limit_watch',
    message: `A socket may watch ${limit} ids and sites by name; nothing of this watch was added. Watch sites or all instead.`,
    retryable: false,
  })
}

/** What a view that changes its scope has to be sent: removals, and the ids of rows that are new to it or have other fields. */
export function turnOf(
  mirror: Mirror,
  before: View,
  after: { readonly scope: HubScope; readonly unsent: readonly string[] },
): { readonly removed: readonly Removed[]; readonly changed: readonly string[] } {
  const { scope } = after
  // With or without `control` every row has other fields, so the subscriber gets all of them again.
  const isSame = before.scope.control === scope.control
  const changed = Array.from(select(mirror, scope, before.filter), ({ connection }) => connection)
    .filter((place) => !isSame || !holds(before.scope, before.filter, place))
    .map(({ id }) => id)
  return { removed: lostWith(mirror, before, after), changed }
}

/**
 * The removals to send when a view changes its scope: of rows that the new scope does not permit, and of ids whose
 * removal the subscriber has not got yet (`unsent`).
 */
function lostWith(
  mirror: Mirror,
  before: View,
  { scope, unsent }: { scope: HubScope; unsent: readonly string[] },
): Removed[] {
  const known = Array.from(select(mirror, before.scope, before.filter), (row) => row.connection.id)
  return [...new Set([...known, ...unsent])].flatMap((id) => {
    if (present(mirror, { scope, filter: before.filter }, id) instanceof Row) return []
    const found = present(mirror, before, id)
    if (found === null) return []
    return [{ id, revision: found instanceof Row ? found.connection.revision : found.revision }]
  })
}

/** Changes that answer no watch. */
export function changes(ids: readonly string[], pager: Pager): Answer {
  return { type: 'patch', id: undefined, isAnswer: false, ids, pager }
}

/** Rows, removals and missing ids, cut into frames of at most 64 KiB. */
import type { Removed } from '@mqtt-status/protocol'
import { Frame } from './frames.ts'

/** A frame has 64 KiB; the rest is for the fields around the rows. */
const PAGE_BYTES = 63 * 1024

/** A page before it knows whether it is the last one. Rows are JSON already. */
export interface Page {
  readonly connections: readonly string[]
  readonly removed: readonly Removed[]
  readonly missing: readonly string[]
}

/** The fields around the rows of a page. */
export interface Envelope {
  readonly type: 'snapshot' | 'patch'
  /** The id of the watch that this answers. */
  readonly id?: number | undefined
  readonly cursor?: string | null | undefined
  /** In answers: whether this is the last page. */
  readonly final?: boolean | undefined
  /** In answers over HTTP: the client asks again with `after` set to it. */
  readonly next?: string | null | undefined
  readonly now?: string | undefined
  /** In answers over HTTP: messages of type `summary`, as JSON. */
  readonly summaries?: readonly string[] | undefined
  /** Further fields of an answer over HTTP. */
  readonly extra?: Readonly<Record<string, unknown>> | undefined
}

interface Item {
  readonly kind: keyof Page
  readonly json: string
  readonly bytes: number
  readonly item: string | Removed
}

/** Takes items one by one, so that a page has each row as it is when the page is written. */
export class Pager {
  readonly #rows: Iterator<string>
  readonly #removed: Iterator<Removed>
  readonly #missing: Iterator<string>
  #ahead: Item | null = null

  constructor(source: {
    rows?: Iterable<string>
    removed?: Iterable<Removed>
    missing?: Iterable<string>
  }) {
    this.#rows = (source.rows ?? [])[Symbol.iterator]()
    this.#removed = (source.removed ?? [])[Symbol.iterator]()
    this.#missing = (source.missing ?? [])[Symbol.iterator]()
  }

  /** The next page and whether it is the last; there is always at least one. */
  next(): { page: Page; last: boolean } {
    const connections: string[] = []
    const removed: Removed[] = []
    const missing: string[] = []
    let room = PAGE_BYTES
    let ahead = this.#ahead ?? this.#take()
    let taken = 0
    // An item that is larger than a page has a page of its own.
    while (ahead !== null && (ahead.bytes <= room || taken === 0)) {
      room -= ahead.bytes + 1
      taken++
      if (ahead.kind === 'connections') connections.push(ahead.json)
      else if (ahead.kind === 'removed') removed.push(ahead.item as Removed)
      else missing.push(ahead.item as string)
      ahead = this.#take()
    }
    this.#ahead = ahead
    return { page: { connections, removed, missing }, last: ahead === null }
  }

  #take(): Item | null {
    const row = this.#rows.next()
    if (!row.done) return sized('connections', row.value, row.value)
    const removed = this.#removed.next()
    if (!removed.done) return sized('removed', JSON.stringify(removed.value), removed.value)
    const missing = this.#missing.next()
    if (!missing.done) return sized('missing', JSON.stringify(missing.value), missing.value)
    return null
  }
}

function sized(kind: keyof Page, json: string, item: string | Removed): Item {
  return { kind, json, item, bytes: Buffer.byteLength(json) }
}

export function toFrame(page: Page, around: Envelope): Frame {
  return new Frame(around.type, toJson(page, around), around.cursor ?? null)
}

/** A message of type `snapshot` or `patch`, its fields in the order of the protocol's examples. Rows are JSON already. */
function toJson(page: Page, around: Envelope): string {
  return [...jsonPieces(page, around)].join('')
}

/** The same in pieces: one for each row, and one for what comes before and after all rows. */
export function* jsonPieces(
  {
    connections,
    removed,
    missing,
  }: Omit<Page, 'connections'> & { readonly connections: Iterable<string> },
  around: Envelope,
): Iterable<string> {
  const { type, id, cursor, final, next, now, summaries, extra = {} } = around
  yield `{${joined([field('type', type), field('id', id), '"connections":['])}`
  let separator = ''
  for (const row of connections) {
    yield separator + row
    separator = ','
  }
  yield `${joined([
    ']',
    field('removed', type === 'patch' ? removed : undefined),
    field('missing', missing),
    field('cursor', cursor),
    field('final', final),
    field('next', next),
    field('now', now),
    summaries === undefined ? '' : `"summaries":[${summaries.join(',')}]`,
    ...Object.entries(extra).map(([name, value]) => field(name, value)),
  ])}}`
}

function joined(fields: readonly string[]): string {
  return fields.filter((text) => text !== '').join(',')
}

/** A field as JSON, empty where it has no value. */
function field(name: string, value: unknown): string {
  return value === undefined || value === null ? '' : `"${name}":${JSON.stringify(value)}`
}

/** Rows, removals and missing ids, cut into frames of at most 64 KiB. */
import type { Removed } from '@mqtt-status/protocol'
import { Frame } from './frames.ts'

/** Room for the fields around the rows is kept free. */
const PAGE_BYTES = 63 * 1024

/** A page before it knows whether it is the last one. Rows are JSON already. */
export interface Page {
  readonly connections: readonly string[]
  readonly removed: readonly Removed[]
  readonly missing: readonly string[]
}

/** What surrounds a page. */
export interface Envelope {
  readonly type: 'snapshot' | 'patch'
  /** Of the watch that is answered. */
  readonly id?: number | undefined
  /** Set on answers: whether it is the last page. */
  readonly final?: boolean | undefined
  readonly cursor?: string | null | undefined
  readonly now?: string | undefined
}

interface Item {
  readonly kind: keyof Page
  readonly json: string
  readonly bytes: number
  readonly item: string | Removed
}

/** Items that are taken off one by one, so that a page shows each row as it is when the page is written. */
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
    // An item that is too large for any page goes alone.
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

/** The fields in the order of the protocol's examples. */
export function toFrame({ connections, removed, missing }: Page, around: Envelope): Frame {
  const cursor = around.cursor ?? null
  const fields = [`"type":"${around.type}"`]
  if (around.id !== undefined) fields.push(`"id":${around.id}`)
  fields.push(`"connections":[${connections.join(',')}]`)
  if (around.type === 'patch') fields.push(`"removed":${JSON.stringify(removed)}`)
  fields.push(`"missing":${JSON.stringify(missing)}`)
  if (cursor !== null) fields.push(`"cursor":${JSON.stringify(cursor)}`)
  if (around.final !== undefined) fields.push(`"final":${String(around.final)}`)
  if (around.now !== undefined) fields.push(`"now":"${around.now}"`)
  return new Frame(around.type, `{${fields.join(',')}}`, cursor)
}

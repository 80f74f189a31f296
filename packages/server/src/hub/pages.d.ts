/** Rows, removals and missing ids, cut into frames of at most 64 KiB. */
import type { Removed } from '@mqtt-status/protocol'
import { Frame } from './frames.ts'
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
/** Items that are taken off one by one, so that a page shows each row as it is when the page is written. */
export declare class Pager {
  #private
  constructor(source: {
    rows?: Iterable<string>
    removed?: Iterable<Removed>
    missing?: Iterable<string>
  })
  /** The next page and whether it is the last; there is always at least one. */
  next(): {
    page: Page
    last: boolean
  }
}
/** The fields in the order of the protocol's examples. */
export declare function toFrame({ connections, removed, missing }: Page, around: Envelope): Frame

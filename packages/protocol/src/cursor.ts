/**
 * A point in the feed, valid on every node: its holder knows everything before `mark`, seen through
 * `scope`. Opaque to clients.
 */
export interface Cursor {
  /** Names one history of one database; changes when a copy of it starts a life of its own. */
  readonly epoch: string
  /** A transaction id of the database (xid8). */
  readonly mark: bigint
  /** Short hash of what the holder may see; with another scope a cursor is worth nothing. */
  readonly scope: string
}

const FORM = /^([0-9A-Za-z-]{1,64})\.(\d{1,20})\.([0-9A-Za-z_-]{1,64})$/

export function formatCursor({ epoch, mark, scope }: Cursor): string {
  return `${epoch}.${mark}.${scope}`
}

/** `null` for anything malformed: the answer to a bad cursor is a snapshot, never an error. */
export function parseCursor(text: string): Cursor | null {
  const [, epoch, mark, scope] = FORM.exec(text) ?? []
  if (epoch === undefined || mark === undefined || scope === undefined) return null
  return { epoch, mark: BigInt(mark), scope }
}

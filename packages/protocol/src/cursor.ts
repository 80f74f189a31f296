/**
 * A point in the feed, valid on every node: its holder knows everything before `mark`, seen through
 * `scope`. Opaque to clients.
 */
export interface Cursor {
  /** Identifies one history of one database; a copy of the database that takes writes gets another one. */
  readonly epoch: string
  /** A transaction id of the database (xid8). */
  readonly mark: bigint
  /** Short hash of the token's scope; a cursor is valid for the same scope only. */
  readonly scope: string
}

const FORM = /^([0-9A-Za-z-]{1,64})\.(\d{1,20})\.([0-9A-Za-z_-]{1,64})$/

export function formatCursor({ epoch, mark, scope }: Cursor): string {
  return `${epoch}.${mark}.${scope}`
}

/** @returns `null` for a malformed cursor, which the server answers with a snapshot, never with an error */
export function parseCursor(text: string): Cursor | null {
  const [, epoch, mark, scope] = FORM.exec(text) ?? []
  if (epoch === undefined || mark === undefined || scope === undefined) return null
  return { epoch, mark: BigInt(mark), scope }
}

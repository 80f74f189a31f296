/** One read of the feed: the statement, and what it answers. */
import type { Connection } from '@mqtt-status/protocol'
import { rowAsJson } from './connections.ts'
import { isOwn } from './epoch.ts'
import type { Sql } from './sql.ts'

export interface FeedRow {
  /** With everything in it; what a viewer may see of it is decided later. */
  readonly connection: Connection
  /** The transaction that changed it last. */
  readonly changed: bigint
  /** The instance that keeps it; not watched, so it is only as new as the row. */
  readonly ownerId: string | null
}

/** A place where a row was, and is no more. */
export interface FeedTombstone {
  readonly id: string
  readonly siteId: string
  readonly revision: number
  readonly changed: bigint
}

export interface FeedRead {
  /** `snapshot` replaces all that was known; `changes` adds to it. */
  readonly kind: 'snapshot' | 'changes'
  readonly epoch: string
  /** Everything before it is in this read or in an earlier one. */
  readonly mark: bigint
  /** Cursors below it can't be honoured: tombstones are missing. */
  readonly floor: bigint
  /** Whether connections may be supervised; a copy has to be adopted first. */
  readonly adopted: boolean
  readonly rows: readonly FeedRow[]
  readonly tombstones: readonly FeedTombstone[]
}

/** A read, and what it tells of the database itself. */
export interface FeedAnswer extends Omit<FeedRead, 'kind'> {
  /** Whether the epoch is of this very database; if not, this is a copy that nobody has noticed yet. */
  readonly own: boolean
  /** A standby, or a server that is told to take no writes. */
  readonly readOnly: boolean
}

interface Answer {
  readonly epoch: string
  readonly mark: string
  readonly floor: string
  readonly own: boolean
  readonly adopted: boolean
  readonly readOnly: boolean
  readonly rows: readonly (Omit<FeedRow, 'changed'> & { readonly changed: string })[]
  readonly tombstones: readonly (Omit<FeedTombstone, 'changed'> & { readonly changed: string })[]
}

/**
 * Everything that changed in transactions from `since` on, in one statement and so in one snapshot. Whatever had
 * committed before the snapshot's xmin is below the new mark and visible; whatever had not has `changed` at or above
 * it, and is read next time.
 *
 * @see https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-INFO-SNAPSHOT
 */
export async function readSince(sql: Sql, since: bigint): Promise<FeedAnswer> {
  const mark = String(since)
  const [answer] = await sql<Answer[]>`
    select
      meta.epoch::text as epoch,
      meta.tombstone_floor::text as floor,
      meta.adopted_at is not null as adopted,
      ${isOwn(sql)} as own,
      pg_is_in_recovery() or current_setting('transaction_read_only')::boolean as "readOnly",
      pg_snapshot_xmin(pg_current_snapshot())::text as mark,
      (
        select coalesce(json_agg(json_build_object(
          'connection', ${rowAsJson(sql)},
          'changed', changed::text,
          'ownerId', owner_id
        )), '[]')
        from connections
        where changed >= ${mark}::text::xid8
      ) as rows,
      (
        select coalesce(json_agg(json_build_object(
          'id', id,
          'siteId', site_id,
          'revision', revision,
          'changed', changed::text
        )), '[]')
        from connection_tombstones
        where changed >= ${mark}::text::xid8
      ) as tombstones
    from meta`
  if (answer === undefined) throw new Error('The table "meta" is empty; was it emptied by hand?')
  return {
    ...answer,
    mark: BigInt(answer.mark),
    floor: BigInt(answer.floor),
    rows: answer.rows.map((row) => ({ ...row, changed: BigInt(row.changed) })),
    tombstones: answer.tombstones.map((stone) => ({ ...stone, changed: BigInt(stone.changed) })),
  }
}

/** One read of the feed: the statement and its answer. */
import type { Connection } from '@mqtt-status/protocol'
import { rowAsJson } from '../connections/row-json.ts'
import { isOwn } from './epoch.ts'
import type { Sql } from '../postgres/sql.ts'

export interface FeedRow {
  /** With all fields; the hub removes those that a subscriber may not see. */
  readonly connection: Connection
  /** The transaction that changed it last. */
  readonly changed: bigint
  /** The node that keeps it. A change of the owner alone is not delivered, so it can be older than the row in the table. */
  readonly ownerId: string | null
}

/** A row that was deleted, or left its id or site. */
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
  /** Cursors below it get a snapshot: tombstones before it are deleted. */
  readonly floor: bigint
  /** Whether connections may be supervised; a copy has to be adopted first. */
  readonly adopted: boolean
  readonly rows: readonly FeedRow[]
  readonly tombstones: readonly FeedTombstone[]
}

/** A read, with the state of the database. */
export interface FeedAnswer extends Omit<FeedRead, 'kind'> {
  /** The position at which the next read starts. */
  readonly position: Position
  /** Whether the epoch belongs to this database; if not, it is a copy that has no epoch of its own yet. */
  readonly own: boolean
  /** Whether the database is a standby, or configured as read-only. */
  readonly readOnly: boolean
}

/** The transactions that a read does not include: those that were open in its snapshot, and all that began later. */
export interface Position {
  /** The oldest open transaction: the read includes all earlier ones. */
  readonly xmin: bigint
  /** The first transaction that had not begun; equal to `xmin` if the open ones are not known. */
  readonly xmax: bigint
  /** The open transactions from `xmin` on; the read includes all others below `xmax`. */
  readonly open: readonly bigint[]
}

/** The position before the first read. */
export const START: Position = { xmin: 0n, xmax: 0n, open: [] }

interface Answer {
  readonly epoch: string
  readonly snapshot: string
  readonly standby: boolean
  readonly floor: string
  readonly own: boolean
  readonly adopted: boolean
  readonly readOnly: boolean
  readonly rows: readonly (Omit<FeedRow, 'changed'> & { readonly changed: string })[]
  readonly tombstones: readonly (Omit<FeedTombstone, 'changed'> & { readonly changed: string })[]
}

/**
 * Reads all changes of transactions that the last read does not include, in one statement and so in one snapshot. The new mark is
 * the xmin of the snapshot: all transactions below it have ended, and their changes are in this read or in an earlier one.
 *
 * A transaction that stays open anywhere in the cluster holds the xmin back. The statement still reads no change twice: it selects
 * transactions that were open in the last snapshot, or have begun since, by the index.
 *
 * @see https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-INFO-SNAPSHOT
 */
export async function readSince(sql: Sql, since: Position): Promise<FeedAnswer> {
  const [answer] = await sql<Answer[]>`
    select
      meta.epoch::text as epoch,
      meta.tombstone_floor::text as floor,
      meta.adopted_at is not null as adopted,
      ${isOwn(sql)} as own,
      pg_is_in_recovery() or current_setting('transaction_read_only')::boolean as "readOnly",
      pg_current_snapshot()::text as snapshot,
      pg_is_in_recovery() as standby,
      (
        select coalesce(json_agg(json_build_object(
          'connection', ${rowAsJson(sql)},
          'changed', changed::text,
          'ownerId', owner_id
        )), '[]')
        from ${sql.schema}.connections
        where ${isUnseen(sql, since)}
      ) as rows,
      (
        select coalesce(json_agg(json_build_object(
          'id', id,
          'siteId', site_id,
          'revision', revision,
          'changed', changed::text
        )), '[]')
        from ${sql.schema}.connection_tombstones
        where ${isUnseen(sql, since)}
      ) as tombstones
    from ${sql.schema}.meta`
  if (answer === undefined) throw new Error('The table "meta" is empty; was it emptied by hand?')
  const position = toPosition(answer)
  return {
    ...answer,
    position,
    mark: position.xmin,
    floor: BigInt(answer.floor),
    rows: answer.rows.map((row) => ({ ...row, changed: BigInt(row.changed) })),
    tombstones: answer.tombstones.map((stone) => ({ ...stone, changed: BigInt(stone.changed) })),
  }
}

/** A fragment over a column `changed`. */
function isUnseen(sql: Sql, { xmax, open }: Position): ReturnType<Sql> {
  const began: ReturnType<Sql> = sql`changed >= ${String(xmax)}::text::xid8`
  if (open.length === 0) return began
  return sql`(${began} or changed = any (${`{${open.join(',')}}`}::text::xid8[]))`
}

/** The snapshot of a standby does not say which transactions are open, so all from the oldest one on count as open. */
function toPosition({ snapshot, standby }: Answer): Position {
  const [xmin = '0', xmax = '0', open = ''] = snapshot.split(':')
  if (standby) return { xmin: BigInt(xmin), xmax: BigInt(xmin), open: [] }
  return {
    xmin: BigInt(xmin),
    xmax: BigInt(xmax),
    open: open === '' ? [] : open.split(',').map(BigInt),
  }
}

/**
 * The epoch names one history of the database. A copy with a history of its own (a restored dump, a promoted standby, a
 * database made from another as its template) must get another epoch, or it would accept cursors of the original. Nodes do
 * not supervise a copy until an operator has adopted it: they would dial the brokers of the original with its client ids.
 */
import { raiseFence } from '../connections/fence.ts'
import { lock } from '../postgres/lock.ts'
import { qualified } from '../postgres/sql.ts'
import type { Database } from '../postgres/lane.ts'
import type { Sql } from '../postgres/sql.ts'

export interface EpochState {
  readonly epoch: string
  /** Whether the epoch belongs to this database; if not, it is a copy that has no epoch of its own yet. */
  readonly own: boolean
  /** Whether connections may be supervised. */
  readonly adopted: boolean
}

/** A fragment over `meta`: whether what is recorded there is where this database is. */
export function isOwn(sql: Sql): ReturnType<Sql> {
  return sql`(
    select (meta.system_identifier, meta.timeline_id, meta.database_oid, meta.table_oid)
      = (home.system_identifier, home.timeline_id, home.database_oid, home.table_oid)
    from ${sql.schema}.meta_home() home
  )`
}

export async function readEpoch(sql: Sql): Promise<EpochState> {
  const [found] = await sql<EpochState[]>`
    select epoch::text as epoch, ${isOwn(sql)} as own, adopted_at is not null as adopted
    from ${sql.schema}.meta`
  if (found === undefined) throw new Error('The table "meta" is empty; was it emptied by hand?')
  return found
}

/**
 * Makes sure that the epoch belongs to this database. Where it does not, writes a new epoch and stamps all rows and
 * tombstones anew, because transaction ids of the original mean nothing here.
 *
 * @param adopt whether an operator has confirmed that nodes may supervise this database, also if it is a copy
 * @returns whether a new epoch was taken
 */
export async function confirmEpoch(database: Database, adopt = false): Promise<boolean> {
  const { own, adopted } = await database.read(readEpoch)
  if (own && (adopted || !adopt)) return false
  return database.transact(async (tx) => {
    // A copy with many rows takes longer, and so does the wait for another node that does the same.
    await tx`set local statement_timeout = 0`
    await lock(tx, 'epoch')
    // Another node may have done it while this one waited for the lock.
    const taken = !(await readEpoch(tx)).own
    if (taken) await takeEpoch(tx)
    if (adopt) {
      await tx`update ${tx.schema}.meta set adopted_at = now() where adopted_at is null`
      // Paused nodes read `adopted_at` after this notification.
      await tx`select pg_notify(channel, '') from ${tx.schema}.meta`
    }
    return taken
  })
}

async function takeEpoch(tx: Sql): Promise<void> {
  const revisions = qualified(tx, 'connection_revisions')
  // No node keeps the connections of a copy, so "connected" would be wrong here, also after a promotion, because the nodes
  // close their connections then. Rows that are disconnected stay so, and so do observed rows. The rows get no owner and
  // another fence, so late writes of former owners change nothing.
  await tx`
    update ${tx.schema}.connections
    set status = 'unknown',
      reason = 'supervisor_lost',
      detail = null,
      mqtt_reason_code = null,
      subscriptions_ok = null,
      device = case device when 'unknown' then 'unknown' else 'stale' end
    where managed and status <> 'disconnected'`
  await tx`
    update ${tx.schema}.connections c
    set owner_id = null,
      ${raiseFence(tx)},
      revision = nextval(${revisions}::text::regclass),
      changed = pg_current_xact_id()`
  // The nodes of these leases belong to the original.
  await tx`delete from ${tx.schema}.supervisors`
  await tx`
    update ${tx.schema}.connection_tombstones
    set revision = nextval(${revisions}::text::regclass), changed = pg_current_xact_id()`
  await tx`
    update ${tx.schema}.meta
    set epoch = gen_random_uuid(),
      system_identifier = home.system_identifier,
      timeline_id = home.timeline_id,
      database_oid = home.database_oid,
      table_oid = home.table_oid,
      adopted_at = null,
      tombstone_floor = '0'
    from ${tx.schema}.meta_home() home`
}

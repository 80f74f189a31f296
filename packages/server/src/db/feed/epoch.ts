/**
 * The epoch names one history of the database. A copy that starts a life of its own (a restored dump, a promoted
 * standby, a database made from another as its template) must get another one, or cursors of the original would be honoured by it; and it is not supervised until
 * somebody has adopted it, or it would dial the brokers of the original, with the client ids of the original.
 */
import { raiseFence } from '../connections/fence.ts'
import { lock } from '../postgres/lock.ts'
import { qualified } from '../postgres/sql.ts'
import type { Database } from '../postgres/lane.ts'
import type { Sql } from '../postgres/sql.ts'

export interface EpochState {
  readonly epoch: string
  /** Whether the epoch is of this very database; if not, this is a copy that nobody has noticed yet. */
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
 * Makes sure that the epoch is this database's own. Where it is not, a new one is taken, and all rows and tombstones
 * are stamped anew: transaction ids of the original mean nothing here.
 *
 * @param adopt whether somebody has confirmed that this database may be supervised, copy or not
 * @returns whether a new epoch was taken
 */
export async function confirmEpoch(database: Database, adopt = false): Promise<boolean> {
  const { own, adopted } = await database.read(readEpoch)
  if (own && (adopted || !adopt)) return false
  return database.transact(async (tx) => {
    // Many rows take their time, and so does another instance that is at it.
    await tx`set local statement_timeout = 0`
    await lock(tx, 'epoch')
    // Another instance may have been faster.
    const taken = !(await readEpoch(tx)).own
    if (taken) await takeEpoch(tx)
    if (adopt) {
      await tx`update ${tx.schema}.meta set adopted_at = now() where adopted_at is null`
      // Those who wait for it are told at once.
      await tx`select pg_notify(channel, '') from ${tx.schema}.meta`
    }
    return taken
  })
}

async function takeEpoch(tx: Sql): Promise<void> {
  const revisions = qualified(tx, 'connection_revisions')
  // What the original has seen says nothing about a copy that nobody keeps: "connected" would be a lie here, even after
  // a promotion, because the present keeper lets go. What is disconnected is so here too, and observed rows are the
  // affair of whoever writes them. Without an owner, and with another fence, no late write of a keeper gets in.
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
  // They are alive, if at all, elsewhere.
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

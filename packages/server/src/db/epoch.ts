/**
 * The epoch names one history of the database. A copy that starts a life of its own (a restored dump, a promoted
 * standby) must get another one, or cursors of the original would be honoured by it.
 */
import type { Sql } from './sql.ts'

/** Any number will do, as long as all instances agree on it. */
const LOCK = 7_411_002

/**
 * Makes sure that the epoch is this cluster's own. Where it is not, a new one is taken, and all rows and tombstones
 * are stamped anew: transaction ids of the original mean nothing here.
 *
 * @returns whether a new epoch was taken
 */
export async function confirmEpoch(sql: Sql): Promise<boolean> {
  if (await isOurs(sql)) return false
  return sql.begin(async (transaction) => {
    const tx = transaction as unknown as Sql
    await tx`select pg_advisory_xact_lock(${LOCK})`
    // Another instance may have been faster.
    if (await isOurs(tx)) return false
    await tx`
      update connections
      set revision = nextval('connection_revisions'), changed = pg_current_xact_id()`
    await tx`
      update connection_tombstones
      set revision = nextval('connection_revisions'), changed = pg_current_xact_id()`
    await tx`
      update meta
      set epoch = gen_random_uuid(),
        system_identifier = s.system_identifier,
        timeline_id = c.timeline_id,
        tombstone_floor = '0'
      from pg_control_system() s, pg_control_checkpoint() c`
    return true
  })
}

async function isOurs(sql: Sql): Promise<boolean> {
  const [found] = await sql<{ ours: boolean }[]>`
    select (m.system_identifier, m.timeline_id) = (s.system_identifier, c.timeline_id) as ours
    from meta m, pg_control_system() s, pg_control_checkpoint() c`
  return found?.ours ?? false
}

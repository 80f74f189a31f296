import { raiseFence } from '../connections/fence.ts'
import { isOwn } from '../feed/epoch.ts'
import { mayKeep } from './leases.ts'
import type { Sql } from '../postgres/sql.ts'

/**
 * Where no node may keep connections, marks what nodes have kept as `unknown` since the last lease of its owner ended.
 * Rows that are `disconnected` stay so, and so do observed rows. The fence rises, so an owner that renews its lease
 * afterwards can't write the rows any more. Rows that another transaction has locked are left for the next call.
 *
 * @returns how many rows were marked
 */
export async function markLost(sql: Sql): Promise<number> {
  const marked = await sql`
    with lost as materialized (
      select c.id
      from ${sql.schema}.connections c
      where c.managed
        and c.status not in ('disconnected', 'unknown')
        and not exists (select from ${sql.schema}.supervisors s where ${mayKeep(sql)})
        and (select meta.adopted_at is not null and ${isOwn(sql)} from ${sql.schema}.meta)
      for no key update of c skip locked
    )
    update ${sql.schema}.connections c
    set status = 'unknown',
      reason = 'supervisor_lost',
      detail = null,
      mqtt_reason_code = null,
      subscriptions_ok = null,
      since = greatest(c.since, coalesce(
        (select s.lease_expires_at from ${sql.schema}.supervisors s where s.id = c.owner_id),
        -- Its owner has released it, and no node has claimed it.
        (select max(s.lease_expires_at) from ${sql.schema}.supervisors s),
        now()
      )),
      device = case c.device when 'unknown' then 'unknown' else 'stale' end,
      owner_id = null,
      ${raiseFence(sql)}
    from lost
    where c.id = lost.id`
  return marked.count
}

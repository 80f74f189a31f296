/**
 * Deletes rows whose time has passed, in small batches, so that locks last milliseconds. A batch skips rows that another
 * transaction has locked; the next round finds them.
 */
import type { Sql } from '../postgres/sql.ts'
import { pruneTombstones } from '../feed/tombstones.ts'

/** Rows of one statement. */
export const BATCH = 1_000

export interface Retention {
  /** The timeline of statuses, in days. */
  readonly historyDays: number
  /** The audit of commands and edits, in days. */
  readonly auditDays: number
}

/** Deletes one batch. @returns the number of rows; fewer than a batch means that there are no more */
export type Prune = (sql: Sql) => Promise<number>

export interface Chore {
  readonly name: string
  readonly prune: Prune
}

/** One round; each chore begins with the oldest rows. */
export function choresOf({ historyDays, auditDays }: Retention): readonly Chore[] {
  return [
    { name: 'tombstones', prune: (sql) => pruneTombstones(sql, BATCH) },
    { name: 'events', prune: pruneEvents(historyDays) },
    { name: 'commands', prune: (sql) => pruneAudit(sql, auditDays) },
    { name: 'checks', prune: pruneChecks },
    { name: 'owners', prune: pruneOwners },
    { name: 'leases', prune: pruneEndedLeases },
  ]
}

/**
 * Deletes old events, except the newest event of each connection from before the period: it has the status in which the
 * period began.
 *
 * @returns the steps of one round; each continues where the last one has ended
 */
function pruneEvents(days: number): Prune {
  let from = '-infinity'
  return async (sql) => {
    const [pruned] = await sql<{ count: number; last: string | null }[]>`
      with old as (
        select e.ctid, e.at
        from ${sql.schema}.connection_events e
        where e.at >= ${from}::text::timestamptz
          and e.at < now() - ${days}::int * interval '1 day'
          and exists (
            select from ${sql.schema}.connection_events newer
            where newer.connection_id = e.connection_id
              and newer.at > e.at
              and newer.at < now() - ${days}::int * interval '1 day'
          )
        order by e.at
        limit ${BATCH}
        for update of e skip locked
      ), gone as (
        delete from ${sql.schema}.connection_events e
        using old
        where e.ctid = old.ctid
        returning e.at
      )
      select count(*)::int as count, to_jsonb(max(at)) #>> '{}' as last
      from gone`
    from = pruned?.last ?? from
    return pruned?.count ?? 0
  }
}

/** Keeps at least a day, because idempotency keys count for 24 h. */
async function pruneAudit(sql: Sql, days: number): Promise<number> {
  const { count } = await sql`
    delete from ${sql.schema}.commands
    where id in (
      select id
      from ${sql.schema}.commands
      where at < now() - ${days}::int * interval '1 day'
      order by at
      limit ${BATCH}
      for update skip locked
    )`
  return count
}

/** Questions to nodes that ended before they were answered. */
export async function pruneChecks(sql: Sql): Promise<number> {
  const { count } = await sql`
    delete from ${sql.schema}.connection_checks
    where id in (
      select id
      from ${sql.schema}.connection_checks
      where asked_at < now() - interval '1 minute'
      limit ${BATCH}
      for update skip locked
    )`
  return count
}

/** Connections that are not wanted keep the name of a node that ended, and with it the lease of that node. */
async function pruneOwners(sql: Sql): Promise<number> {
  const { count } = await sql`
    update ${sql.schema}.connections
    set owner_id = null
    where id in (
      select c.id
      from ${sql.schema}.connections c
      where c.status = 'disconnected'
        and c.owner_id is not null
        and not exists (
          select from ${sql.schema}.supervisors s
          where s.id = c.owner_id and s.lease_expires_at > now() - interval '1 day'
        )
      limit ${BATCH}
      for update skip locked
    )`
  return count
}

/** Leases of nodes that ended long ago and own nothing; the others date the end of what they kept. */
async function pruneEndedLeases(sql: Sql): Promise<number> {
  const { count } = await sql`
    delete from ${sql.schema}.supervisors
    where id in (
      select s.id
      from ${sql.schema}.supervisors s
      where s.lease_expires_at < now() - interval '1 day'
        and not exists (select from ${sql.schema}.connections c where c.owner_id = s.id)
      limit ${BATCH}
      for update of s skip locked
    )`
  return count
}

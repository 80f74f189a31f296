import type { Sql } from '../postgres/sql.ts'

/**
 * Forgets tombstones of more than 48 h ago, oldest first and not more than `limit`, and raises the floor below which a cursor can't be honoured any more.
 *
 * @returns how many were forgotten
 */
export async function pruneTombstones(sql: Sql, limit: number): Promise<number> {
  const [pruned] = await sql<{ count: number }[]>`
    with gone as (
      delete from ${sql.schema}.connection_tombstones
      where (id, site_id) in (
        select id, site_id
        from ${sql.schema}.connection_tombstones
        where deleted_at < now() - interval '48 hours'
        order by deleted_at
        limit ${limit}
        for update skip locked
      )
      returning changed::text::numeric as changed
    ), floor as (
      update ${sql.schema}.meta
      set tombstone_floor = greatest(tombstone_floor, (select max(changed) + 1 from gone)::text::xid8)
      where exists (select from gone)
    )
    select count(*)::integer as count
    from gone`
  return pruned?.count ?? 0
}

/**
 * Writes many rows of one owner in one statement, and waits for no lock: a transaction that stays open elsewhere and has
 * one of the rows locked holds up that row only.
 */
import type { RowVersion, Written } from '../../model/observed.ts'
import { fence } from '../connections/fence.ts'
import { rowVersion } from './observed.ts'
import type { Sql } from '../postgres/sql.ts'

type Fragment = ReturnType<Sql>

export interface BatchWrite {
  /** A row source that is named `w` and has at least `id` and `fence`. */
  readonly rows: Fragment
  /** Assignments to columns of `connections c`. */
  readonly set: Fragment
}

/**
 * Writes the rows that still have this owner and the fence of the write.
 *
 * @returns the rows as they are now, and `locked` for those that another transaction holds; a row that is missing has
 * another owner, or is deleted
 */
export async function writeBatch(
  sql: Sql,
  ownerId: string,
  { rows, set }: BatchWrite,
): Promise<Written> {
  const isOwned = sql`c.id = w.id and c.owner_id = ${ownerId} and ${fence(sql)} = w.fence`
  const found = await sql<Found[]>`
    with w as materialized (
      select * from ${rows}
    ), mine as materialized (
      select c.id
      from ${sql.schema}.connections c
      join w on ${isOwned}
      for no key update of c skip locked
    ), written as (
      update ${sql.schema}.connections c
      set ${set}
      from w
      join mine on mine.id = w.id
      where c.id = w.id
      returning ${rowVersion(sql)}
    )
    select id, version, revision, seen from written
    union all
    select w.id, null, null, null
    from w
    join ${sql.schema}.connections c on ${isOwned}
    where not exists (select from mine where mine.id = w.id)`
  return new Map(found.map((row) => [row.id, row.seen === null ? 'locked' : row]))
}

type Found = RowVersion | { readonly id: string; readonly seen: null }

/**
 * The owner of each connection. Nodes claim connections that no living node owns. The fence of a row rises with each change
 * of its owner, so a late write of a former owner changes nothing.
 */
import type { Claimed } from '../../model/claimed.ts'
import type { Held, HeldSum } from '../../model/observed.ts'
import { DIAL_NAMES } from '../../model/connection/settings.ts'
import { settingPairs } from '../connections/setting-columns.ts'
import { writeBatch } from './batch-write.ts'
import { fence, raiseFence } from '../connections/fence.ts'
import { isOwn } from '../feed/epoch.ts'
import { call } from './calls.ts'
import { past, plausibleTimes, rowVersion } from './observed.ts'
import type { Sql } from '../postgres/sql.ts'

export interface ClaimLimits {
  readonly limit: number
  /** Whether rows of owners whose lease has ended may be claimed, too; those without an owner always may. */
  readonly lost: boolean
}

/** How many connections the nodes have to keep, and how many nodes there are. */
export interface ShareCount {
  /** Rows that some node has to keep. */
  readonly wanted: number
  /** Those of them that this node owns. */
  readonly mine: number
  /** Those of them that no living node owns. */
  readonly free: number
  /** Nodes that may keep some, this one included. */
  readonly instances: number
}

/**
 * Claims rows that some node has to keep and no living node owns. Rows that another transaction has locked are left out.
 * A node without a valid lease claims nothing, and no node claims rows of a copy that no operator has adopted: the database
 * can become one between two reads of the feed.
 */
export async function claim(
  sql: Sql,
  ownerId: string,
  { limit, lost }: ClaimLimits,
): Promise<readonly Claimed[]> {
  const rows = await sql<(Claimed & { readonly ownerId: string | null })[]>`
    with free as materialized (
      select c.id, c.owner_id is not null as inherited
      from ${sql.schema}.connections c
      where ${isWanted(sql)}
        and ${isFree(sql)}
        and (c.owner_id is null or ${lost})
        and exists (
          select from ${sql.schema}.supervisors s
          where s.id = ${ownerId} and s.lease_expires_at > now() and not s.draining
        )
        and (select meta.adopted_at is not null and ${isOwn(sql)} from ${sql.schema}.meta)
      limit ${limit}
      -- A foreign key of another table to this row, which Postgres locks with \`for key share\`, does not hinder the claim.
      for no key update of c skip locked
    )
    update ${sql.schema}.connections c
    set owner_id = ${ownerId}, ${raiseFence(sql)}
    from free
    where c.id = free.id
    returning ${claimedColumns(sql)}, free.inherited, c.owner_id as "ownerId"`
  // The trigger restores the former owner where that node has renewed its lease while this statement ran.
  return rows.filter((row) => row.ownerId === ownerId)
}

/** Reads rows of an owner; rows that are deleted, have another owner or are not managed are left out. */
export function readOwned(
  sql: Sql,
  ownerId: string,
  ids: readonly string[],
): Promise<readonly Claimed[]> {
  return sql<Claimed[]>`
    select ${claimedColumns(sql)}, true as inherited
    from ${sql.schema}.connections c
    where c.id in (select jsonb_array_elements_text(${sql.json(ids)}))
      and c.owner_id = ${ownerId}
      and c.managed`
}

/** All rows of an owner. */
export function listHeld(sql: Sql, ownerId: string): Promise<readonly Held[]> {
  return sql<Held[]>`
    select c.id, ${fence(sql)} as fence, c.xmin::text::bigint as version
    from ${sql.schema}.connections c
    where owner_id = ${ownerId} and managed`
}

/** A sum over all rows of an owner: while it stays the same, no writer has changed them. */
export async function sumHeld(sql: Sql, ownerId: string): Promise<HeldSum> {
  const [sum] = await sql<HeldSum[]>`
    select count(*)::int as count, coalesce(sum(xmin::text::bigint), 0)::bigint as versions
    from ${sql.schema}.connections
    where owner_id = ${ownerId} and managed`
  return sum ?? { count: 0, versions: 0 }
}

export async function countShares(sql: Sql, ownerId: string): Promise<ShareCount> {
  const [count] = await sql<ShareCount[]>`
    select
      count(*)::int as wanted,
      count(*) filter (where c.owner_id = ${ownerId})::int as mine,
      count(*) filter (where ${isFree(sql)})::int as free,
      (
        select count(*)::int
        from ${sql.schema}.supervisors
        where lease_expires_at > now() and not draining
      ) as instances
    from ${sql.schema}.connections c
    where ${isWanted(sql)}`
  return count ?? { wanted: 0, mine: 0, free: 0, instances: 0 }
}

/**
 * Releases rows and calls the other nodes. The status of a row stays until its next owner writes one.
 *
 * @returns the rows that were not released, because another transaction has them locked
 */
export async function release(
  sql: Sql,
  ownerId: string,
  rows: readonly { readonly id: string; readonly fence: number }[],
): Promise<readonly string[]> {
  const written = await writeBatch(sql, ownerId, {
    rows: sql`jsonb_to_recordset(${sql.json(rows)}) as w (id text, fence bigint)`,
    set: sql`owner_id = null`,
  })
  const locked = [...written].flatMap(([id, row]) => (row === 'locked' ? [id] : []))
  if (locked.length < written.size) await call(sql, 'claim')
  return locked
}

/** The owner of a connection; `null` if it has none, or its lease has ended. */
export async function findOwner(sql: Sql, id: string): Promise<string | null> {
  const [found] = await sql<{ ownerId: string }[]>`
    select c.owner_id as "ownerId"
    from ${sql.schema}.connections c
    join ${sql.schema}.supervisors s on s.id = c.owner_id and s.lease_expires_at > now()
    where c.id = ${id}`
  return found?.ownerId ?? null
}

/** A fragment over `connections c`: whether some node has to keep it. */
function isWanted(sql: Sql): ReturnType<Sql> {
  return sql`(
    c.managed
    and (c.desired = 'connected' or c.generation > c.observed_generation or c.status <> 'disconnected')
  )`
}

/** A fragment over `connections c`: whether no living node owns it. */
function isFree(sql: Sql): ReturnType<Sql> {
  return sql`(
    c.owner_id is null
    or not exists (
      select from ${sql.schema}.supervisors o where o.id = c.owner_id and o.lease_expires_at > now()
    )
  )`
}

function claimedColumns(sql: Sql): ReturnType<Sql> {
  return sql`
    ${rowVersion(sql)},
    ${plausibleTimes(sql)} as plausible,
    c.site_id as "siteId", ${fence(sql)} as fence, c.desired, c.generation,
    c.restart_generation as "restartGeneration",
    (extract(epoch from now() - ${past(sql, 'last_message_at')}) * 1000)::float8 as "lastMessageAgeMs",
    json_build_object(
      ${settingPairs(sql, DIAL_NAMES)},
      'secretsChangedAt', (
        select json_object_agg(s.field, s.updated_at)
        from ${sql.schema}.connection_secrets s
        where s.connection_id = c.id
      )
    ) as dial`
}

/**
 * The owner of each connection. Nodes claim connections that no living node owns. The fence of a row rises with each change
 * of its owner, so a late write of a former owner changes nothing.
 */
import type { Held, HeldSum, Kept } from '../../model/observed.ts'
import { DIAL_NAMES } from '../../model/connection/settings.ts'
import type { StoredDial } from '../../model/connection/settings.ts'
import { settingPairs } from '../connections/setting-columns.ts'
import { writeBatch } from './batch-write.ts'
import { fence, raiseFence } from '../connections/fence.ts'
import { isOwn } from '../feed/epoch.ts'
import { call } from './calls.ts'
import { past, plausibleTimes, rowVersion } from './observed.ts'
import type { Sql } from '../postgres/sql.ts'

/** What to dial, as it is stored. */
export interface DialRow extends StoredDial {
  /** When each of its secrets was set, so that a new one is seen as a change; `null` if it has none. */
  readonly secretsChangedAt: Readonly<Record<string, string>> | null
}

export interface Claimed extends Kept {
  readonly dial: DialRow
}

export interface ClaimLimits {
  readonly limit: number
  /** Whether rows of owners whose lease has ended may be claimed, too; those without an owner always may. */
  readonly lost: boolean
}

/** How the connections are shared out. */
export interface Count {
  /** Rows that somebody has to keep. */
  readonly wanted: number
  /** Those of them that are ours. */
  readonly mine: number
  /** Those of them that nobody keeps. */
  readonly free: number
  /** Instances that may keep some, ourselves included. */
  readonly instances: number
}

/**
 * Makes rows ours that have to be kept and that nobody keeps; those that somebody else is just claiming, or editing,
 * are passed over. None are claimed without a lease, nor where the database has turned into a copy that nobody has
 * adopted: it may do so between two reads of the feed.
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
      for update of c skip locked
    )
    update ${sql.schema}.connections c
    set owner_id = ${ownerId}, ${raiseFence(sql)}
    from free
    where c.id = free.id
    returning ${claimedColumns(sql)}, free.inherited, c.owner_id as "ownerId"`
  // The trigger keeps the former owner where its lease was renewed while this statement ran.
  return rows.filter((row) => row.ownerId === ownerId)
}

/** Reads rows of ours; those that are gone, somebody else's or not managed any more are left out. */
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

/** All rows of an owner at a glance: as long as the sum stays what it was, nothing has been written to them. */
export async function sumHeld(sql: Sql, ownerId: string): Promise<HeldSum> {
  const [sum] = await sql<HeldSum[]>`
    select count(*)::int as count, coalesce(sum(xmin::text::bigint), 0)::bigint as versions
    from ${sql.schema}.connections
    where owner_id = ${ownerId} and managed`
  return sum ?? { count: 0, versions: 0 }
}

export async function countShares(sql: Sql, ownerId: string): Promise<Count> {
  const [count] = await sql<Count[]>`
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
 * Lets go of rows and calls the other nodes; what was seen last stays until the next owner has looked.
 *
 * @returns the rows that are still kept, because another transaction has them locked
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

/** Who keeps a connection, if that instance is alive; `null` if nobody does. */
export async function findOwner(sql: Sql, id: string): Promise<string | null> {
  const [found] = await sql<{ ownerId: string }[]>`
    select c.owner_id as "ownerId"
    from ${sql.schema}.connections c
    join ${sql.schema}.supervisors s on s.id = c.owner_id and s.lease_expires_at > now()
    where c.id = ${id}`
  return found?.ownerId ?? null
}

/** A fragment over `connections c`: whether somebody has to keep it. */
function isWanted(sql: Sql): ReturnType<Sql> {
  return sql`(
    c.managed
    and (c.desired = 'connected' or c.generation > c.observed_generation or c.status <> 'disconnected')
  )`
}

/** A fragment over `connections c`: whether nobody keeps it. */
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

/**
 * Leases: one row per node, however many connections it keeps. While the lease of a node is valid, no other node may claim
 * what it owns. All times are those of the database.
 */
import { call } from './calls.ts'
import type { Sql } from '../postgres/sql.ts'

export interface LeaseOptions {
  readonly ownerId: string
  readonly ttlMs: number
  readonly version: string | null
}

export interface RenewedLease {
  /** Whether the lease was still valid before; `false` for a new one, too. */
  readonly held: boolean
  /** The other nodes that may keep connections: their lease is valid, and they do not drain. */
  readonly others: readonly string[]
}

/** Inserts the lease of a node, or extends it from now. */
export async function renewLease(
  sql: Sql,
  { ownerId, ttlMs, version }: LeaseOptions,
): Promise<RenewedLease> {
  const [renewed] = await sql<RenewedLease[]>`
    with before as (
      select lease_expires_at > now() as held
      from ${sql.schema}.supervisors
      where id = ${ownerId}
    ), mine as (
      insert into ${sql.schema}.supervisors (id, lease_expires_at, version)
      values (${ownerId}, now() + ${ttlMs}::int * interval '1 millisecond', ${version})
      on conflict (id) do update set lease_expires_at = excluded.lease_expires_at
      returning id
    )
    select coalesce((select held from before), false) as held,
      (
        select coalesce(json_agg(s.id), '[]')
        from ${sql.schema}.supervisors s
        where s.id <> ${ownerId} and ${mayKeep(sql)}
      ) as others
    from mine`
  if (renewed === undefined) throw new Error('The lease was not written')
  return renewed
}

/**
 * Marks a node as draining: other nodes may claim what it releases, and it gets no connections any more.
 *
 * @returns how many other nodes may keep connections
 */
export async function startDraining(sql: Sql, ownerId: string): Promise<number> {
  const [found] = await sql<{ others: number }[]>`
    with mine as (
      update ${sql.schema}.supervisors
      set draining = true
      where id = ${ownerId}
    )
    select count(*)::int as others
    from ${sql.schema}.supervisors s
    where s.id <> ${ownerId} and ${mayKeep(sql)}`
  return found?.others ?? 0
}

/** Ends the lease, so that other nodes may claim at once what the node still owns. */
export async function endLease(sql: Sql, ownerId: string): Promise<void> {
  await sql`
    update ${sql.schema}.supervisors
    set lease_expires_at = least(lease_expires_at, now())
    where id = ${ownerId}`
  await call(sql, 'claim')
}

/**
 * Writes to all leases without a change, as renewals do, and commits.
 *
 * @returns whether every lease could be renewed at this moment; `false` where another transaction has one locked
 */
export async function probeRenewals(sql: Sql): Promise<boolean> {
  const [found] = await sql<{ renewable: boolean }[]>`
    with free as materialized (
      select id from ${sql.schema}.supervisors for no key update skip locked
    ), renewed as (
      update ${sql.schema}.supervisors s
      set draining = s.draining
      from free
      where s.id = free.id
    ), committed as (
      update ${sql.schema}.meta set adopted_at = adopted_at
    )
    select (select count(*) from free) = (select count(*) from ${sql.schema}.supervisors) as renewable`
  return found?.renewable === true
}

/** Whether any node may keep connections. */
export async function isSupervised(sql: Sql): Promise<boolean> {
  const [found] = await sql<{ supervised: boolean }[]>`
    select exists (select from ${sql.schema}.supervisors s where ${mayKeep(sql)}) as supervised`
  return found?.supervised === true
}

/** A fragment over `supervisors s`: whether the node may keep connections. */
export function mayKeep(sql: Sql): ReturnType<Sql> {
  return sql`s.lease_expires_at > now() and not s.draining`
}

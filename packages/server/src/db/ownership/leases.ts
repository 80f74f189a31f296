/**
 * Who is alive: one lease per instance, however many connections it keeps. An owner whose lease has ended keeps
 * nothing, as far as everybody else is concerned. All times are the database's.
 */
import { isOwn } from '../feed/epoch.ts'
import type { Sql } from '../postgres/sql.ts'

/** What instances call to each other; correctness never depends on a call being heard. `claim`: there may be something to claim, or somebody new. `question`, `answer`: see checks.ts. */
export type Call = 'claim' | 'question' | 'answer'

export interface LeaseOptions {
  readonly ownerId: string
  readonly ttlMs: number
  readonly version: string | null
}

export interface Renewed {
  /** Whether it had not ended before; `false` for the first one, too. */
  readonly held: boolean
  /** The other instances that may keep connections: alive, and not draining. */
  readonly others: readonly string[]
}

/** Takes a lease, or takes it again. */
export async function renewLease(
  sql: Sql,
  { ownerId, ttlMs, version }: LeaseOptions,
): Promise<Renewed> {
  const [renewed] = await sql<Renewed[]>`
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

/** From now on others take what we keep; answers how many there are. */
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

/** What it still owns may be claimed at once. */
export async function endLease(sql: Sql, ownerId: string): Promise<void> {
  await sql`
    update ${sql.schema}.supervisors
    set lease_expires_at = least(lease_expires_at, now())
    where id = ${ownerId}`
  await call(sql, 'claim')
}

/** Tells all instances that listen. */
export async function call(sql: Sql, what: Call): Promise<void> {
  await sql`select pg_notify(calls_channel, ${what}) from ${sql.schema}.meta`
}

/**
 * Commits a write that changes nothing, as a node does that renews its lease.
 *
 * @returns whether every lease could be renewed at this moment; `false` where another transaction has one locked
 */
export async function bearWitness(sql: Sql): Promise<boolean> {
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

/** Whether some instance may keep connections. */
export async function isSupervised(sql: Sql): Promise<boolean> {
  const [found] = await sql<{ supervised: boolean }[]>`
    select exists (select from ${sql.schema}.supervisors s where ${mayKeep(sql)}) as supervised`
  return found?.supervised === true
}

/**
 * Where nobody may keep connections, what was kept is unknown since the last lease of its owner ended: nobody has seen
 * it since. What is disconnected stays so, observed rows are their writers' affair, and an owner that comes back after
 * all finds another epoch. Rows that another transaction has locked are left for the next call.
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
        -- It was passed on, and nobody took it.
        (select max(s.lease_expires_at) from ${sql.schema}.supervisors s),
        now()
      )),
      device = case c.device when 'unknown' then 'unknown' else 'stale' end,
      owner_id = null,
      epoch = c.epoch + 1
    from lost
    where c.id = lost.id`
  return marked.count
}

/** A fragment over `supervisors s`. */
function mayKeep(sql: Sql): ReturnType<Sql> {
  return sql`s.lease_expires_at > now() and not s.draining`
}

/** Wishes: clicks on connections that mirror a row of another program, until that program has them. */
import type { Action, Desired } from '@mqtt-status/protocol'
import type { Sql } from '../postgres/sql.ts'
import { enter } from './enter.ts'
import { functionOf } from './mirror-sql.ts'

export interface OpenWish {
  readonly connectionId: string
  readonly key: string
  readonly generation: number
  readonly restartGeneration: number
  readonly desired: Desired
  readonly action: Action
}

/** How long a statement waits for a lock of a table, which a migration of the other program may hold. */
const LOCK_TIMEOUT = '200ms'

/** A fragment over `connections c`: whether the other program does not have the wish yet. */
export function isOpen(sql: Sql): ReturnType<Sql> {
  return sql`(c.attachment is not null and c.desired is not null and c.generation > c.attachment_generation)`
}

/**
 * Open wishes of an attachment, the oldest first.
 *
 * @param without wishes that are left out, by connection and generation
 */
export function openWishes(
  sql: Sql,
  id: number,
  { without, limit }: { readonly without: readonly OpenWish[]; readonly limit: number },
): Promise<readonly OpenWish[]> {
  return sql<OpenWish[]>`
    select c.id as "connectionId",
      c.attachment_key as key,
      c.generation,
      c.restart_generation as "restartGeneration",
      c.desired,
      case
        when c.desired = 'disconnected' then 'disconnect'
        when c.restart_generation > c.attachment_restart_generation then 'reconnect'
        else 'connect'
      end as action
    from ${sql.schema}.connections c
    where ${isOpen(sql)}
      and c.attachment = ${id}
      and (c.id, c.generation) not in (
        select "connectionId", generation
        from jsonb_to_recordset(${sql.json(without as never)}) as without ("connectionId" text, generation bigint)
      )
    order by c.desired_at nulls first, c.id
    limit ${limit}`
}

/**
 * `locked`: another transaction has locked the row of the other program. `gone`: there is no such row any more. `busy`: another node
 * works on the attachment. `passed`: a command has locked the connection, or has taken the place of the wish.
 */
export type Handing = 'written' | 'locked' | 'gone' | 'busy' | 'passed'

/**
 * Writes a wish into the tables of the other program, and notes that it has it, in one transaction. It never waits for a row: not
 * for the connection, which a command may have locked, and not for the row of the other program.
 */
export async function handOver(tx: Sql, id: number, wish: OpenWish): Promise<Handing> {
  if (!(await enter(tx, id))) return 'busy'
  await tx.unsafe(`set local lock_timeout = '${LOCK_TIMEOUT}'`)
  const { connectionId, generation, restartGeneration, desired, action } = wish
  const [found] = await tx<{ at: string | null; by: string | null; status: string }[]>`
    select coalesce(c.desired_at, now())::text as at, c.desired_by as by, c.status
    from ${tx.schema}.connections c
    where c.id = ${connectionId} and c.attachment = ${id} and c.generation = ${generation}
    for no key update skip locked`
  if (found === undefined) return 'passed'
  const [written] = await tx<{ handing: Handing }[]>`
    select ${tx.schema}.${tx(functionOf({ id }, 'wish'))}(
      ${wish.key}, ${desired}, ${action}, ${found.at}::text::timestamptz, ${found.by}, ${generation}
    ) as handing`
  if (written?.handing !== 'written') return written?.handing ?? 'gone'
  await tx`
    update ${tx.schema}.connections c
    set attachment_generation = ${generation},
      attachment_restart_generation = case
        when ${action === 'reconnect'} then c.attachment_restart_generation
        else ${restartGeneration}::bigint
      end,
      observed_generation = case
        when ${action !== 'reconnect'} and ${tx.schema}.attachment_agrees(${desired}, c.status) then ${generation}::bigint
        else c.observed_generation
      end
    where c.id = ${connectionId}`
  return 'written'
}

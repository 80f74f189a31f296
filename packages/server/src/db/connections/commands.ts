import type { Action, Connection } from '@mqtt-status/protocol'
import { findConnection } from './connections.ts'
import { unavailable } from '../postgres/away.ts'
import type { Database } from '../postgres/lane.ts'
import type { Sql } from '../postgres/sql.ts'

export interface CommandRequest {
  readonly id: string
  /** Commands of different sites take turns. */
  readonly siteId: string
  readonly action: Action
  /** Who asks; `null` where nobody has to say. */
  readonly actor: string | null
  /** Makes a repetition of the same request harmless, for 24 h. */
  readonly idempotencyKey: string | null
}

export type CommandResult =
  | { readonly kind: 'accepted'; readonly connection: Connection; readonly generation: number }
  | { readonly kind: 'not_found' }
  /** The writer of an observed row has no notion of a wish. */
  | { readonly kind: 'not_controllable' }
  /** The key was used for another action. */
  | { readonly kind: 'idempotency_conflict' }

/**
 * Edits the wish of one connection, and nothing else: the feed carries it to whoever acts on it. The row is locked
 * first, so commands for one connection happen one after the other, on any number of nodes, and a repeated key always
 * finds its first use. Commands of one node for one connection wait for each other without a session.
 *
 * @throws StatusError `database_unavailable`
 */
export async function command(lane: Database, request: CommandRequest): Promise<CommandResult> {
  try {
    return await edit(lane, request)
  } catch (cause) {
    throw unavailable(cause, 'takes no commands')
  }
}

function edit(lane: Database, request: CommandRequest): Promise<CommandResult> {
  const decide = async (tx: Sql): Promise<CommandResult> => {
    const [row] = await tx<{ desired: string | null }[]>`
      select desired
      from ${tx.schema}.connections
      where id = ${request.id}
      for update`
    if (row === undefined) return { kind: 'not_found' }
    if (row.desired === null) return { kind: 'not_controllable' }
    const former = await formerUse(tx, request)
    if (former !== null && former.action !== request.action) return { kind: 'idempotency_conflict' }
    const generation = former?.generation ?? (await raise(tx, request))
    const connection = await findConnection(tx, request.id)
    return connection === null
      ? { kind: 'not_found' }
      : { kind: 'accepted', connection, generation }
  }
  return lane.transact(decide, { party: request.siteId, row: request.id })
}

async function formerUse(
  tx: Sql,
  { id, actor, idempotencyKey }: CommandRequest,
): Promise<{ action: string; generation: number } | null> {
  if (idempotencyKey === null) return null
  const [former] = await tx<{ action: string; generation: number }[]>`
    select action, generation
    from ${tx.schema}.commands
    where connection_id = ${id}
      and idempotency_key = ${idempotencyKey}
      and actor is not distinct from ${actor}
      and at > now() - interval '24 hours'
    order by commands.id desc
    limit 1`
  return former ?? null
}

async function raise(
  tx: Sql,
  { id, action, actor, idempotencyKey }: CommandRequest,
): Promise<number> {
  const [raised] = await tx<{ generation: number; siteId: string }[]>`
    update ${tx.schema}.connections
    set desired = ${action === 'disconnect' ? 'disconnected' : 'connected'},
      generation = generation + 1,
      restart_generation = restart_generation + ${action === 'reconnect' ? 1 : 0},
      desired_at = now(),
      desired_by = ${actor}
    where id = ${id}
    returning generation, site_id as "siteId"`
  const generation = raised?.generation ?? 0
  await tx`
    insert into ${tx.schema}.commands (connection_id, site_id, action, actor, idempotency_key, generation)
    values (${id}, ${raised?.siteId ?? null}, ${action}, ${actor}, ${idempotencyKey}, ${generation})`
  return generation
}

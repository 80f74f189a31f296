import type { Action, Connection } from '@mqtt-status/protocol'
import { findCommand, recordCommand } from './audit.ts'
import { findConnection } from './connections.ts'
import { unavailable } from '../postgres/away.ts'
import type { Database } from '../postgres/lane.ts'
import type { Sql } from '../postgres/sql.ts'

export interface CommandRequest {
  readonly id: string
  /** Commands of different sites take turns. */
  readonly siteId: string
  readonly action: Action
  /** The subject of the caller; `null` where the server knows none. */
  readonly actor: string | null
  /** Makes a repetition of the same request harmless, for 24 h. */
  readonly idempotencyKey: string | null
}

export type CommandResult =
  | { readonly kind: 'accepted'; readonly connection: Connection; readonly generation: number }
  | { readonly kind: 'not_found' }
  /** The program that writes an observed row takes no commands. */
  | { readonly kind: 'not_controllable' }
  /** The row mirrors one of an attached table, whose program can be asked for a wish only. */
  | { readonly kind: 'no_reconnect'; readonly table: string }
  /** The key was used for another action. */
  | { readonly kind: 'idempotency_conflict' }

/**
 * Edits what is desired of one connection, and nothing else: the feed carries it to the owner, which acts on it. The
 * transaction locks the row first, so that commands for one connection run one after the other, on any number of nodes,
 * and a repeated key always finds its first use. Commands of one node for one connection wait without a session.
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
    const [row] = await tx<{ desired: string | null; wishesOnly: string | null }[]>`
      select c.desired,
        (
          select a.name
          from ${tx.schema}.attachments a
          where a.id = c.attachment and coalesce(a.options -> 'commands', 'null') = 'null'
        ) as "wishesOnly"
      from ${tx.schema}.connections c
      where c.id = ${request.id}
      for no key update of c`
    if (row === undefined) return { kind: 'not_found' }
    if (row.desired === null) return { kind: 'not_controllable' }
    if (request.action === 'reconnect' && row.wishesOnly !== null)
      return { kind: 'no_reconnect', table: row.wishesOnly }
    const former = await findCommand(tx, request)
    if (former !== null && former.action !== request.action) return { kind: 'idempotency_conflict' }
    const generation = former?.generation ?? (await raise(tx, request))
    const connection = await findConnection(tx, request.id)
    return connection === null
      ? { kind: 'not_found' }
      : { kind: 'accepted', connection, generation }
  }
  return lane.transact(decide, { party: request.siteId, row: request.id })
}

async function raise(tx: Sql, request: CommandRequest): Promise<number> {
  const { id, action, actor } = request
  const [raised] = await tx<{ generation: number; siteId: string }[]>`
    update ${tx.schema}.connections
    set desired = ${action === 'disconnect' ? 'disconnected' : 'connected'},
      generation = generation + 1,
      restart_generation = restart_generation + ${action === 'reconnect' ? 1 : 0},
      desired_at = now(),
      desired_by = ${actor}
    where id = ${id}
    returning generation, site_id as "siteId"`
  const { generation, siteId } = raised ?? { generation: 0, siteId: null }
  await recordCommand(tx, request, { siteId, action, generation })
  return generation
}

import type { Action, Connection } from '@mqtt-status/protocol'
import type { Sql } from './sql.ts'
export interface CommandRequest {
  readonly id: string
  readonly action: Action
  /** Who asks; `null` where nobody has to say. */
  readonly actor: string | null
  /** Makes a repetition of the same request harmless, for 24 h. */
  readonly idempotencyKey: string | null
}
export type CommandResult =
  | {
      readonly kind: 'accepted'
      readonly connection: Connection
      readonly generation: number
    }
  | {
      readonly kind: 'not_found'
    }
  /** The writer of an observed row has no notion of a wish. */
  | {
      readonly kind: 'not_controllable'
    }
  /** The key was used for another action. */
  | {
      readonly kind: 'idempotency_conflict'
    }
/**
 * Edits the wish of one connection, and nothing else: the feed carries it to whoever acts on it. The row is locked
 * first, so commands for one connection happen one after the other and a repeated key always finds its first use.
 */
export declare function command(sql: Sql, request: CommandRequest): Promise<CommandResult>

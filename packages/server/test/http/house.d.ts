import type { Connection, ServerMessage } from '@mqtt-status/protocol'
import { WebSocket } from 'ws'
import type { TokenSettings } from '../../src/auth/tokens.ts'
import type { CommandRequest, CommandResult } from '../../src/db/commands.ts'
import type { Listening, ListenOptions } from '../../src/http/listen.ts'
import { Hub } from '../../src/hub/hub.ts'
export declare function row(id: string, revision: number, change?: Partial<Connection>): Connection
export declare class House {
  #private
  readonly hub: Hub
  readonly commands: CommandRequest[]
  commandResult: CommandResult
  unready: string[]
  listening: Listening
  constructor()
  static open(auth?: TokenSettings, options?: Partial<ListenOptions>): Promise<House>
  get url(): string
  get port(): number
  publish(rows: Connection[]): void
  /** Ends it; a socket or subscriber that is left behind fails the test. */
  close(): Promise<void>
}
/** A client that keeps what it hears. */
export declare class Client {
  readonly socket: WebSocket
  readonly messages: ServerMessage[]
  readonly closed: Promise<{
    code: number
    reason: string
  }>
  constructor(
    house: House,
    options?: {
      protocol?: string
      origin?: string
      host?: string
      path?: string
    },
  )
  /** Opens, says hello and waits for the welcome. */
  static welcomed(house: House, token?: string, options?: {}): Promise<Client>
  opened(): Promise<void>
  say(message: unknown): void
  /** The first message of a type, taken out. */
  heard<T extends ServerMessage['type']>(
    type: T,
  ): Promise<
    Extract<
      ServerMessage,
      {
        type: T
      }
    >
  >
}

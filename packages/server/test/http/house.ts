/** The HTTP server with a real hub, and rows that a test publishes. */
import { once } from 'node:events'
import type { Connection, ServerMessage } from '@mqtt-status/protocol'
import { connection } from '@mqtt-status/testing/connection'
import { until } from '@mqtt-status/testing/until'
import { WebSocket } from 'ws'
import { createVerify } from '../../src/auth/tokens.ts'
import type { AuthConfig } from '../../src/config/config.ts'
import type { CommandRequest, CommandResult } from '../../src/db/connections/commands.ts'
import { listen } from '../../src/http/listen.ts'
import type { Listening, ListenOptions } from '../../src/http/listen.ts'
import { Hub } from '../../src/hub/hub.ts'
import { createLog } from '../../src/log.ts'

const log = createLog({ level: 'silent', format: 'json' })

export function row(id: string, revision: number, change: Partial<Connection> = {}): Connection {
  const talk = { desiredBy: 'anna', detail: 'talk of the broker' }
  return connection({ id, revision, since: '2026-11-23T19:00:00.000Z', ...talk, ...change })
}

/** Managing connections is tested with a database behind it. */
function unused(): never {
  throw new Error('This house has no port for editing connections')
}

export class House {
  readonly hub: Hub
  readonly commands: CommandRequest[] = []
  commandResult: CommandResult = { kind: 'not_found' }
  unready: string[] = []
  listening!: Listening
  /** Rises with each publication; a house that takes over from another goes on counting. */
  mark: bigint

  constructor({ tooSlowMs, mark = 100n }: { tooSlowMs?: number; mark?: bigint } = {}) {
    this.mark = mark
    this.hub = new Hub({
      read: () => Promise.resolve(),
      tickMs: 10,
      ...(tooSlowMs === undefined ? {} : { tooSlowMs }),
      log,
    })
  }

  static async open(
    auth: AuthConfig = { kind: 'open' },
    {
      tooSlowMs,
      mark,
      ...options
    }: Partial<ListenOptions> & { tooSlowMs?: number; mark?: bigint } = {},
  ): Promise<House> {
    const house = new House({ ...(tooSlowMs && { tooSlowMs }), ...(mark && { mark }) })
    house.publish([])
    house.listening = await listen({
      host: '127.0.0.1',
      port: 0,
      basePath: '/',
      hub: house.hub,
      verify: createVerify(auth),
      callers: { open: auth.kind === 'open', allowedOrigins: ['https://portal.example.com'] },
      heartbeatMs: 25_000,
      commandTimeoutMs: 15_000,
      command: (request) => {
        house.commands.push(request)
        return Promise.resolve(house.commandResult)
      },
      management: {
        settings: unused,
        create: unused,
        change: unused,
        remove: unused,
        test: unused,
        audit: unused,
      },
      check: unused,
      ready: () => house.unready,
      widgets: { file: new URL('house.ts', import.meta.url) },
      log,
      ...options,
    })
    return house
  }

  get url(): string {
    return this.listening.url
  }

  get port(): number {
    return this.listening.port
  }

  publish(rows: Connection[]): void {
    const changed = this.mark
    this.mark += 1n
    this.hub.publish({
      kind: 'changes',
      epoch: 'e1',
      mark: this.mark,
      floor: 0n,
      rows: rows.map((connection) => ({ connection, changed })),
      tombstones: [],
    })
  }

  /** Ends the server; an open socket or subscriber fails the test. */
  async close(): Promise<void> {
    await this.listening.drain(3_000)
    this.hub.stop()
    const { streams, seats } = this.listening
    if (streams + seats + this.hub.size + this.hub.watchCount > 0) {
      throw new Error(
        `Left behind: ${streams} streams, ${seats} seats, ${this.hub.size} subscribers, ${this.hub.watchCount} watches`,
      )
    }
  }
}

/** A client that keeps all messages of the server. */
export class Client {
  readonly socket: WebSocket
  readonly messages: ServerMessage[] = []
  readonly closed: Promise<{ code: number; reason: string }>

  constructor(
    house: Pick<House, 'port'>,
    options: { protocol?: string; origin?: string; host?: string; path?: string } = {},
  ) {
    const { protocol = 'mqtt-status.v1', origin, host, path = '/ws/status' } = options
    this.socket = new WebSocket(
      `ws://127.0.0.1:${house.port}${path}`,
      protocol === '' ? [] : [protocol],
      {
        headers: {
          ...(origin === undefined ? {} : { origin }),
          ...(host === undefined ? {} : { host }),
        },
      },
    )
    this.socket.on('message', (data) =>
      this.messages.push(JSON.parse((data as Buffer).toString()) as ServerMessage),
    )
    this.socket.on('error', () => undefined)
    this.closed = once(this.socket, 'close').then(([code, reason]) => ({
      code: code as number,
      reason: String(reason),
    }))
  }

  /** Opens a socket, sends hello and waits for welcome. */
  static async welcomed(house: House, token?: string, options = {}): Promise<Client> {
    const client = new Client(house, options)
    await client.opened()
    client.say({ type: 'hello', ...(token === undefined ? {} : { token }) })
    await client.heard('welcome')
    return client
  }

  async opened(): Promise<void> {
    if (this.socket.readyState !== WebSocket.OPEN) await once(this.socket, 'open')
  }

  say(message: unknown): void {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message))
  }

  /** The first message of a type, taken out. */
  async heard<T extends ServerMessage['type']>(
    type: T,
  ): Promise<Extract<ServerMessage, { type: T }>> {
    const index = await until(
      () => this.messages.findIndex((message) => message.type === type) + 1,
      {
        what: `a ${type} among ${this.messages.map((message) => message.type).join(', ')}`,
      },
    )
    return this.messages.splice(index - 1, 1)[0] as Extract<ServerMessage, { type: T }>
  }
}

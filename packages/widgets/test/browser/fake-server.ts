/** A fake server behind the client's transport: a test sends messages from it and reads those that it received. */
import type { ClientMessage, Connection, ServerMessage, WatchMessage } from '@mqtt-status/protocol'
import { connection } from '@mqtt-status/testing/connection'
import { welcome } from '@mqtt-status/testing/welcome'
import { createClient } from '../../src/client/index.ts'
import type { StatusClient, TransportListener } from '../../src/client/index.ts'

export function row(change: Partial<Connection> = {}): Connection {
  return connection({
    name: 'Impianto 7',
    since: new Date(Date.now() - 180_000).toISOString(),
    ...change,
  })
}

export interface ServerOptions {
  readonly can?: readonly ('view' | 'control')[]
  readonly rows?: readonly Connection[]
  readonly token?: string
  /** By how much the server's clock is ahead of the browser's. */
  readonly aheadMs?: number
  /** How many ids and sites the server accepts. */
  readonly limit?: number
}

export class FakeServer {
  readonly client: StatusClient
  readonly received: ClientMessage[] = []
  readonly #rows = new Map<string, Connection>()
  readonly #can: readonly ('view' | 'control')[]
  readonly #aheadMs: number
  readonly #limit: number
  #listener: TransportListener | null = null
  /** While true, the server responds to nothing. */
  mute = false

  constructor({
    can = ['view', 'control'],
    rows = [row()],
    token,
    aheadMs = 0,
    limit = 1_000,
  }: ServerOptions = {}) {
    this.#aheadMs = aheadMs
    this.#limit = limit
    this.#can = can
    for (const one of rows) this.#rows.set(one.id, one)
    this.client = createClient(
      { src: 'http://status.test/', ...(token === undefined ? {} : { token }) },
      {
        open: (_src, listener) => {
          this.#listener = listener
          queueMicrotask(() => listener.onOpen())
          return {
            send: (message) => {
              this.received.push(message)
              if (!this.mute) queueMicrotask(() => this.#answer(message))
              return true
            },
            close: () => undefined,
          }
        },
      },
    )
  }

  /** Changes a row, as a write to the table would. */
  push(change: Partial<Connection> & { id?: string }): void {
    const id = change.id ?? 'plant-7'
    const known = this.#rows.get(id) ?? row({ id, revision: 0 })
    const next = {
      ...known,
      ...change,
      revision: Math.max(known.revision + 1, change.revision ?? 0),
    }
    this.#rows.set(id, next)
    this.send({
      type: 'patch',
      connections: [next],
      removed: [],
      missing: [],
      cursor: `e.${next.revision}.s`,
    })
  }

  send(message: ServerMessage): void {
    this.deliver(JSON.stringify(message))
  }

  /** Delivers any text to the client, whether it is a message or not. */
  deliver(text: string): void {
    this.#listener?.onMessage(text)
  }

  /** The transport closes: 1006 = the line broke, other codes come from the server. */
  close(code = 1006): void {
    const listener = this.#listener
    this.#listener = null
    listener?.onClose(code)
  }

  #answer(message: ClientMessage): void {
    const now = new Date(Date.now() + this.#aheadMs).toISOString()
    if (message.type === 'hello') {
      this.send(welcome({ now, can: this.#can, limits: { watch: this.#limit } }))
    }
    if (message.type === 'watch' && count(message) > this.#limit) {
      const id = message.id ?? 0
      this.send({ type: 'error', id, code: 'limit_watch', message: 'Too many', retryable: false })
    } else if (message.type === 'watch') {
      const sites = new Set(message.sites)
      const ofSites = [...this.#rows.values()].filter(({ siteId }) => sites.has(siteId))
      const ids = [...(message.connections ?? []), ...ofSites.map(({ id }) => id)]
      this.send({
        type: 'snapshot',
        id: message.id ?? 0,
        connections: ids.flatMap((id) => this.#rows.get(id) ?? []),
        missing: ids.filter((id) => !this.#rows.has(id)),
        cursor: 'e.1.s',
        final: true,
        now,
      })
    }
  }
}

/** The fake server keeps one watch; tests of several watches are in src/client. */
function count({ connections = [], sites = [] }: WatchMessage): number {
  return connections.length + sites.length
}

/**
 * One connection to Postgres that the lane can close at any moment, whatever statement runs.
 *
 * postgres.js (3.4.9) has no way to do so: its pool replaces a lost connection without an error, even in the middle of a
 * transaction; `sql.begin` writes its ROLLBACK to a closed socket, which throws an error that no caller can catch; and
 * `cancel()` drops a promise that may reject. So a session owns its socket, never gets a second one, and sends BEGIN, COMMIT and
 * ROLLBACK as plain statements.
 */
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import type { PostgresAddress } from '../../config/connection-string/address.ts'
import { isRefusal } from './away.ts'
import { connectSql, inSchema } from './sql.ts'
import type { Pool, SocketTarget, Sql } from './sql.ts'

export interface SessionOptions {
  readonly address: PostgresAddress | string
  /** Its name in `pg_stat_activity`. */
  readonly applicationName: string
  /** The schema of the tables. */
  readonly schema: string
}

/** How far a transaction has come. */
export interface Progress {
  /** COMMIT was sent. */
  committing: boolean
}

/** How long the server has to take note that a statement is not wanted any more. */
const CANCEL_MS = 2_000

type State = 'opening' | 'open' | 'abandoned' | 'ended'

/** A field of a query that postgres.js does not declare: the function behind `cancel()`, which returns its promise. */
interface Cancellable {
  readonly canceller: (query: { readonly state: unknown; readonly active: true }) => Promise<void>
}

export class Session {
  readonly #sql: Sql
  readonly #sockets = new Set<Socket>()
  readonly #greeting: ReturnType<Pool>
  readonly #lost = Promise.withResolvers<never>()
  #state: State = 'opening'
  #wasOpen = false
  #nextHost = 0

  private constructor({ address, applicationName, schema }: SessionOptions) {
    const pool = connectSql(address, {
      max: 1,
      applicationName,
      openSocket: (target) => this.#openSocket(target),
      onclose: () => {
        if (this.#state !== 'abandoned') this.#end(closed('The session was closed'))
      },
    })
    this.#sql = inSchema(pool, schema)
    this.#lost.promise.catch(() => undefined)
    this.#greeting = this.#sql`select`
    this.#greeting.then(
      () => {
        this.#wasOpen = true
        if (this.#state === 'opening') this.#state = 'open'
      },
      (error: unknown) => {
        if (this.#state === 'opening') this.#end(error)
      },
    )
  }

  /** Nothing is awaited: whether it can be opened shows with its first statement. */
  static open(options: SessionOptions): Session {
    return new Session(options)
  }

  /** The server was not reached, or has not let it in. */
  get failedToOpen(): boolean {
    return this.ended && !this.#wasOpen
  }

  /** It can't be used any more. */
  get ended(): boolean {
    return this.#state === 'abandoned' || this.#state === 'ended'
  }

  /** @throws when the session is lost before the work is done */
  async run<T>(work: (sql: Sql) => PromiseLike<T>): Promise<T> {
    await this.#unlessLost(this.#greeting)
    return this.#unlessLost(work(this.#sql))
  }

  /**
   * One transaction.
   *
   * @param limitMs the server ends a statement that takes longer, and the transaction if this process stands still; 0 = never
   * @throws what the work or the server throws, after a ROLLBACK
   */
  async transact<T>(
    work: (tx: Sql) => PromiseLike<T>,
    { limitMs, progress }: { limitMs: number; progress: Progress },
  ): Promise<T> {
    const limit = String(Math.ceil(limitMs))
    return this.run(async (sql) => {
      await sql.unsafe(
        `begin; set local statement_timeout = ${limit}; set local idle_in_transaction_session_timeout = ${limit}`,
      )
      try {
        const result = await work(sql)
        progress.committing = true
        const { command } = await sql`commit`
        // The answer to COMMIT where a statement had failed and the work went on.
        if (command === 'ROLLBACK') throw new Error('A statement of the transaction had failed')
        return result
      } catch (error) {
        if (!this.ended && !(progress.committing && isRefusal(error))) await sql`rollback`
        throw error
      }
    })
  }

  /** Cancels the statement on the server, and closes the connection at once. Resolves when the session has ended in this process. */
  async abandon(): Promise<void> {
    if (this.ended) return
    this.#state = 'abandoned'
    this.#lost.reject(closed('The session was closed before its statement had ended'))
    this.#refuse()
    this.#cut()
    if (this.#wasOpen) await this.#cancel()
    this.#end(closed('The session was closed before its statement had ended'))
  }

  /** Ends an idle session in the regular way. */
  async close(): Promise<void> {
    if (this.ended) return
    await this.#sql.end({ timeout: 1 })
    this.#end(closed('The session was closed'))
  }

  #unlessLost<T>(work: PromiseLike<T>): Promise<T> {
    return Promise.race([work, this.#lost.promise])
  }

  /** Without a cancel request, a backend that waits for a lock or for a standby would continue to wait without a client. */
  async #cancel(): Promise<void> {
    const limit = setTimeout(() => {
      this.#cut()
    }, CANCEL_MS)
    try {
      const { state } = await this.#greeting
      await (this.#greeting as unknown as Cancellable).canceller({ state, active: true })
    } catch {
      // The request can't reach the server, which ends the statement when it detects that the client has disconnected.
    } finally {
      clearTimeout(limit)
    }
  }

  #end(error: unknown): void {
    this.#lost.reject(error)
    if (this.#state === 'ended') return
    this.#state = 'ended'
    this.#refuse()
    this.#cut()
  }

  /** Running statements fail now, and so does every later statement. */
  #refuse(): void {
    this.#sql.end({ timeout: 0 }).catch(() => undefined)
  }

  #cut(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  /** The hosts of the address in turn, until one of them was good. */
  #openSocket({ host, port, path }: SocketTarget): Socket {
    if (this.#state === 'ended' || this.#state === 'open' || (this.ended && !this.#wasOpen))
      throw closed('The session has ended')
    const index = this.#nextHost++ % host.length
    const socket = path
      ? connect({ path })
      : connect({ host: host[index] ?? '', port: port[index] ?? 0, noDelay: true })
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    // postgres.js names the host to TLS by it.
    return Object.assign(socket, { host: host[index] })
  }
}

function closed(message: string): Error {
  return Object.assign(new Error(message), { code: 'CONNECTION_CLOSED' })
}

/**
 * A pool of sessions for one kind of work, so that work of one kind never waits for work of another: a write that waits for
 * a lock blocks no read, and the node renews its lease while all commands wait. All work of a lane ends within its deadline:
 * the lane cancels the statement on the server, closes and replaces the session, and throws a `DatabaseAway` that says
 * whether a change may have been committed.
 *
 * This process keeps the deadline, because `statement_timeout` of Postgres ends neither a COMMIT that waits for a
 * synchronous standby nor a statement on a server that is frozen or out of reach.
 */
import type { PostgresAddress } from '../../config/connection-string/address.ts'
import { FairQueue } from '../../model/fair-queue.ts'
import type { Leave } from '../../model/fair-queue.ts'
import { DatabaseAway, isAway, isRefusal } from './away.ts'
import type { Outcome } from './away.ts'
import { Session } from './session.ts'
import type { Progress } from './session.ts'
import type { Sql } from './sql.ts'
import { transaction } from './transaction.ts'

export interface LaneOptions {
  readonly address: PostgresAddress | string
  /** The schema of the tables. */
  readonly schema: string
  /** The name of its sessions in `pg_stat_activity`. */
  readonly applicationName: string
  /** The largest number of sessions; the lane opens one when it needs it. */
  readonly sessions: number
  /** The longest time that a call may take, the wait for a session included. */
  readonly deadlineMs: number
}

export interface Asking {
  /** Parties take turns, and one party never gets all sessions. @default one party for all */
  readonly party?: string
  /** Statements about one row take turns, so that a locked row holds one session at most. @default no row */
  readonly row?: string
  /** @default that of the lane */
  readonly deadlineMs?: number
}

/** Runs statements. */
export type Database = Pick<Lane, 'read' | 'write' | 'transact'>

/** Runs statements without deadlines and turns, for a process that executes one command. */
export function direct(sql: Sql): Database {
  return {
    read: (work) => Promise.resolve(work(sql)),
    write: (work) => Promise.resolve(work(sql)),
    transact: (work) => transaction(sql, async (tx) => work(tx)),
  }
}

type Work<T> = (sql: Sql) => PromiseLike<T>

/** Work on a session, which notes how far it has come. */
type Job<T> = (session: Session, progress: Progress) => Promise<T>

export class Lane {
  readonly #options: LaneOptions
  readonly #queue: FairQueue
  readonly #rows = new FairQueue({ places: Number.POSITIVE_INFINITY, perParty: 1 })
  readonly #idle: Session[] = []
  readonly #busy = new Set<Session>()
  readonly #closing = new Set<Promise<void>>()
  readonly #stopping = new AbortController()

  constructor(options: LaneOptions) {
    this.#options = options
    this.#queue = new FairQueue({ places: options.sessions })
  }

  /**
   * Reads.
   *
   * @throws DatabaseAway
   */
  read<T>(work: Work<T>, asking?: Asking): Promise<T> {
    return this.#ask((session) => session.run(work), asking)
  }

  /**
   * Writes with statements of which each is a transaction of its own.
   *
   * @throws DatabaseAway
   */
  write<T>(work: Work<T>, asking?: Asking): Promise<T> {
    return this.#ask(
      (session, progress) =>
        session.run((sql) => {
          progress.committing = true
          return work(sql)
        }),
      asking,
    )
  }

  /**
   * Writes in one transaction.
   *
   * @throws DatabaseAway
   */
  transact<T>(work: Work<T>, asking?: Asking): Promise<T> {
    const limitMs = asking?.deadlineMs ?? this.#options.deadlineMs
    return this.#ask((session, progress) => session.transact(work, { limitMs, progress }), asking)
  }

  /** Ends all sessions; what still waits fails. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    for (const session of this.#busy) this.#settle(session.abandon())
    for (const session of this.#idle.splice(0)) this.#settle(session.close())
    await Promise.all(this.#closing)
  }

  async #ask<T>(job: Job<T>, asking: Asking = {}): Promise<T> {
    const { deadlineMs = this.#options.deadlineMs } = asking
    const deadline = new Deadline(deadlineMs, this.#stopping.signal)
    const leave = await this.#enter(asking, deadline.signal)
    if (leave === null) {
      deadline.clear()
      throw away('none', new Error(`No session of the lane was free within ${deadlineMs} ms`))
    }
    const session = this.#take()
    const progress: Progress = { committing: false }
    try {
      return await Promise.race([job(session, progress), deadline.passed])
    } catch (error) {
      if (error === deadline.error) this.#giveUp(session)
      if (!isAway(error) && !session.failedToOpen) throw error
      throw away(progress.committing && !isRefusal(error) ? 'unknown' : 'none', error)
    } finally {
      deadline.clear()
      this.#putBack(session)
      leave()
    }
  }

  /** Waits for the turn of the row, then for a session. */
  async #enter({ party = '', row }: Asking, signal: AbortSignal): Promise<Leave | null> {
    if (row === undefined) return this.#queue.enter(party, signal)
    const leaveRow = await this.#rows.enter(row, signal)
    if (leaveRow === null) return null
    const leave = await this.#queue.enter(party, signal)
    if (leave === null) {
      leaveRow()
      return null
    }
    return () => {
      leave()
      leaveRow()
    }
  }

  #take(): Session {
    // The last one that was used is the last one that a network may have forgotten.
    let session = this.#idle.pop()
    while (session?.ended === true) session = this.#idle.pop()
    session ??= Session.open(this.#options)
    this.#busy.add(session)
    return session
  }

  #putBack(session: Session): void {
    this.#busy.delete(session)
    if (session.ended) return
    if (this.#stopping.signal.aborted) this.#settle(session.close())
    else this.#idle.push(session)
  }

  /** Where one session gets no answer, those that have been idle have probably lost their server, too. */
  #giveUp(session: Session): void {
    this.#settle(session.abandon())
    for (const idle of this.#idle.splice(0)) this.#settle(idle.abandon())
  }

  #settle(work: Promise<void>): void {
    const settled = work.finally(() => this.#closing.delete(settled))
    this.#closing.add(settled)
  }
}

/** The time that one question to the database may take. */
class Deadline {
  readonly error: Error
  readonly passed: Promise<never>
  readonly signal: AbortSignal
  readonly #timer: NodeJS.Timeout

  constructor(ms: number, stopping: AbortSignal) {
    const over = new AbortController()
    const { promise, reject } = Promise.withResolvers<never>()
    this.error = Object.assign(new Error(`The database has not answered within ${ms} ms`), {
      code: 'ETIMEDOUT',
    })
    this.passed = promise
    promise.catch(() => undefined)
    this.signal = AbortSignal.any([over.signal, stopping])
    this.#timer = setTimeout(() => {
      over.abort()
      reject(this.error)
    }, ms)
  }

  clear(): void {
    clearTimeout(this.#timer)
  }
}

function away(outcome: Outcome, cause: unknown): DatabaseAway {
  const why = cause instanceof Error ? cause.message : 'unknown failure'
  return new DatabaseAway(why, { outcome, cause })
}

/**
 * Whether a connection is really there can only be told by the instance that keeps it. Any node may be asked, so it asks
 * on: a row in a table, a call, and the answer in the same row. Both sides also look without being called.
 */
import { randomUUID } from 'node:crypto'
import type { Reason } from '@mqtt-status/protocol'
import type { Log } from '../../log.ts'
import { call } from './leases.ts'
import { findOwner } from './ownership.ts'
import type { Database } from '../postgres/lane.ts'
import { pruneChecks } from '../upkeep/retention.ts'

/** What came of asking the broker. */
export interface CheckResult {
  readonly ok: boolean
  /** Why not; `null` if it is. */
  readonly reason: Reason | null
  readonly tookMs: number
}

export interface ChecksOptions {
  readonly queries: Database
  readonly commands: Database
  readonly ownerId: string
  /** Asks the broker of a connection that is kept here; `null` if it is not. */
  readonly local: (id: string) => Promise<CheckResult | null>
  readonly log: Log
}

/** Longer than the broker has to answer its owner. */
const ANSWER_MS = 6_000
const LOOK_MS = 500
/** Questions and answers are worth nothing later. */
const BRIEF = { deadlineMs: ANSWER_MS }

export class Checks {
  readonly #options: ChecksOptions
  /** Questions that are being answered. */
  readonly #answering = new Set<string>()
  /** Whoever waits for an answer, called when there may be one. */
  readonly #waiting = new Set<() => void>()
  #stopped = false

  constructor(options: ChecksOptions) {
    this.#options = options
  }

  /**
   * Asks whoever keeps the connection; within 6 s.
   *
   * @returns `supervisor_lost` where nobody keeps it, or nobody answers
   */
  async ask(id: string): Promise<CheckResult> {
    const askedAt = performance.now()
    const own = await this.#options.local(id)
    if (own !== null) return own
    const ownerId = await this.#options.queries.read((sql) => findOwner(sql, id))
    const answer = ownerId === null ? null : await this.#askAt(ownerId, id)
    const tookMs = Math.round(performance.now() - askedAt)
    return answer ?? { ok: false, reason: 'supervisor_lost', tookMs }
  }

  /** Something was called; `null`: anything may have been. */
  hear(called: string | null): void {
    if (this.#stopped) return
    if (called === null || called === 'answer') for (const look of this.#waiting) look()
    if (called === null || called === 'question') {
      this.#answerAll().catch((error: unknown) => {
        this.#options.log.warn({ err: error }, 'checks could not be answered')
      })
    }
  }

  /** Whoever still waits is told that nobody answers. */
  stop(): void {
    this.#stopped = true
    for (const look of this.#waiting) look()
  }

  async #askAt(ownerId: string, id: string): Promise<CheckResult | null> {
    const { commands } = this.#options
    const question = randomUUID()
    await commands.transact(async (tx) => {
      await pruneChecks(tx)
      await tx`
        insert into ${tx.schema}.connection_checks (id, connection_id, owner_id)
        values (${question}, ${id}, ${ownerId})`
      await call(tx, 'question')
    }, BRIEF)
    try {
      return await this.#await(question)
    } finally {
      await commands.write(
        (sql) => sql`delete from ${sql.schema}.connection_checks where id = ${question}`,
        BRIEF,
      )
    }
  }

  async #await(question: string): Promise<CheckResult | null> {
    const { queries } = this.#options
    const deadline = performance.now() + ANSWER_MS
    while (!this.#stopped && performance.now() < deadline) {
      // Listening before looking, so that no answer falls between the two.
      const called = this.#nextLook()
      const [found] = await queries.read(
        (sql) => sql<{ answer: CheckResult | null }[]>`
          select answer from ${sql.schema}.connection_checks where id = ${question}`,
      )
      if (found === undefined || found.answer !== null) return found?.answer ?? null
      await called
    }
    return null
  }

  #nextLook(): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        clearTimeout(timer)
        this.#waiting.delete(look)
        resolve()
      }
      const timer = setTimeout(look, LOOK_MS)
      this.#waiting.add(look)
    })
  }

  async #answerAll(): Promise<void> {
    const { queries, ownerId } = this.#options
    const questions = await queries.read(
      (sql) => sql<{ id: string; connectionId: string }[]>`
        select id, connection_id as "connectionId"
        from ${sql.schema}.connection_checks
        where owner_id = ${ownerId} and answer is null`,
    )
    await Promise.all(questions.map((question) => this.#answer(question)))
  }

  async #answer({ id, connectionId }: { id: string; connectionId: string }): Promise<void> {
    if (this.#answering.has(id)) return
    this.#answering.add(id)
    const { commands, local } = this.#options
    try {
      const result = await local(connectionId)
      // Not kept here any more: better no answer than a wrong one.
      if (result === null) return
      await commands.transact(async (tx) => {
        await tx`update ${tx.schema}.connection_checks set answer = ${tx.json({ ...result })} where id = ${id}`
        await call(tx, 'answer')
      }, BRIEF)
    } finally {
      this.#answering.delete(id)
    }
  }
}

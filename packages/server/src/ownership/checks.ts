/**
 * Checks whether a connection is alive. Only the owner of the connection can ping its broker, and a client may ask any
 * node, so a node that is not the owner passes the question on through the database. Both nodes also read at intervals,
 * because a notification can be lost.
 */
import { randomUUID } from 'node:crypto'
import {
  answerQuestion,
  deleteQuestion,
  insertQuestion,
  listQuestions,
  readAnswer,
} from '../db/ownership/checks.ts'
import type { Question } from '../db/ownership/checks.ts'
import { findOwner } from '../db/ownership/ownership.ts'
import type { Database } from '../db/postgres/lane.ts'
import type { Log } from '../log.ts'
import type { CheckResult } from '../model/check-result.ts'

export interface ChecksOptions {
  readonly queries: Database
  readonly commands: Database
  readonly ownerId: string
  /** Pings the broker of a connection that this node keeps; `null` if this node does not keep it. */
  readonly local: (id: string) => Promise<CheckResult | null>
  readonly log: Log
}

/** Longer than the 5 s that the owner waits for its broker. */
const ANSWER_MS = 6_000
const POLL_MS = 500
/** A question or an answer that is not written within this time is of no use to the client. */
const BRIEF = { deadlineMs: ANSWER_MS }

export class Checks {
  readonly #options: ChecksOptions
  /** Questions that this node is answering. */
  readonly #answering = new Set<string>()
  /** Waits of `#await`; each function ends one of them. */
  readonly #waiting = new Set<() => void>()
  #stopped = false

  constructor(options: ChecksOptions) {
    this.#options = options
  }

  /**
   * Asks the owner of the connection; resolves within 6 s.
   *
   * @returns `supervisor_lost` where the connection has no living owner, or its owner does not answer
   */
  async ask(id: string): Promise<CheckResult> {
    const askedAt = performance.now()
    const own = await this.#options.local(id)
    if (own !== null) return own
    const ownerId = await this.#options.queries.read((sql) => findOwner(sql, id))
    const answer = ownerId === null ? null : await this.#askOwner(ownerId, id)
    const tookMs = Math.round(performance.now() - askedAt)
    return answer ?? { ok: false, reason: 'supervisor_lost', tookMs }
  }

  /** A node has called all nodes; `null`: this node may have missed calls. */
  receive(call: string | null): void {
    if (this.#stopped) return
    if (call === null || call === 'answer') for (const wake of this.#waiting) wake()
    if (call === null || call === 'question') {
      this.#answerAll().catch((error: unknown) => {
        this.#options.log.warn({ err: error }, 'checks could not be answered')
      })
    }
  }

  /** Ends all waits: clients that still wait get `supervisor_lost`. */
  stop(): void {
    this.#stopped = true
    for (const wake of this.#waiting) wake()
  }

  async #askOwner(ownerId: string, connectionId: string): Promise<CheckResult | null> {
    const { commands } = this.#options
    const id = randomUUID()
    await commands.transact((tx) => insertQuestion(tx, { id, connectionId, ownerId }), BRIEF)
    try {
      return await this.#await(id)
    } finally {
      await commands.write((sql) => deleteQuestion(sql, id), BRIEF)
    }
  }

  async #await(question: string): Promise<CheckResult | null> {
    const { queries } = this.#options
    const deadline = performance.now() + ANSWER_MS
    while (!this.#stopped && performance.now() < deadline) {
      // The wait begins before the read, so that a call between the two ends it.
      const woken = this.#wake()
      const answer = await queries.read((sql) => readAnswer(sql, question))
      if (answer !== null) return answer ?? null
      await woken
    }
    return null
  }

  #wake(): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer)
        this.#waiting.delete(wake)
        resolve()
      }
      const timer = setTimeout(wake, POLL_MS)
      this.#waiting.add(wake)
    })
  }

  async #answerAll(): Promise<void> {
    const { queries, ownerId } = this.#options
    const questions = await queries.read((sql) => listQuestions(sql, ownerId))
    await Promise.all(questions.map((question) => this.#answer(question)))
  }

  async #answer({ id, connectionId }: Question): Promise<void> {
    if (this.#answering.has(id)) return
    this.#answering.add(id)
    const { commands, local } = this.#options
    try {
      const result = await local(connectionId)
      // This node has lost the connection: no answer is better than a wrong one.
      if (result === null) return
      await commands.transact((tx) => answerQuestion(tx, id, result), BRIEF)
    } finally {
      this.#answering.delete(id)
    }
  }
}

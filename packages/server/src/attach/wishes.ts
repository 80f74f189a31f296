/**
 * Hands the wishes of one attachment to the other program, each in a transaction of its own: a wish that can not be written delays
 * no other one.
 */
import { fullJitter } from '@mqtt-status/protocol'
import { clearWishError, recordError } from '../db/attachments/store.ts'
import { handOver, openWishes } from '../db/attachments/wishes.ts'
import type { OpenWish } from '../db/attachments/wishes.ts'
import type { Database } from '../db/postgres/lane.ts'
import type { Log } from '../log.ts'
import { describeError, isOfRow } from './fault.ts'
import type { Fault } from './fault.ts'

export interface WishesOptions {
  readonly lane: Database
  /** The attachment. */
  readonly id: number
  readonly name: string
  readonly log: Log
}

/** A wish that could not be handed over. */
interface Postponed {
  readonly wish: OpenWish
  readonly fault: Fault | null
  readonly attempt: number
  readonly retryAt: number
}

/** Wishes of one round. Between two rounds the mirror has its turn. */
const BATCH = 20
const RETRY = { baseMs: 250, capMs: 60_000 }
const LOCKED: Fault = {
  code: '55P03',
  message: 'another transaction has locked the row',
}

export class Wishes {
  readonly #options: WishesOptions
  readonly #postponed = new Map<string, Postponed>()
  /** Failures one after the other that are no fault of a single row. */
  #failures = 0
  #retryAt = Number.NEGATIVE_INFINITY
  /** What is recorded; another node may have recorded a fault before. */
  #recorded: 'unknown' | 'none' | 'fault' = 'unknown'

  constructor(options: WishesOptions) {
    this.#options = options
  }

  /** The tables or the options have changed: tries all wishes again at once. */
  hurry(): void {
    this.#retryAt = Number.NEGATIVE_INFINITY
    for (const [id, postponed] of this.#postponed)
      this.#postponed.set(id, { ...postponed, retryAt: Number.NEGATIVE_INFINITY })
  }

  /** One round, where wishes are open. @returns whether there may be more to do at once */
  async handAll(now: number): Promise<boolean> {
    if (now < this.#retryAt) return false
    const { lane, id } = this.#options
    const without = [...this.#postponed.values()].filter(({ retryAt }) => retryAt > now)
    const open = await lane.read((sql) =>
      openWishes(sql, id, { without: without.map(({ wish }) => wish), limit: BATCH }),
    )
    this.#forget(open, now)
    let first: Fault | null = null
    for (const wish of open) {
      const { fault, goesOn } = await this.#hand(wish, now)
      first ??= fault
      if (!goesOn) break
    }
    await this.#record(first)
    return open.length === BATCH && this.#retryAt <= now
  }

  /** No wish is open. */
  async rest(): Promise<void> {
    if (this.#recorded === 'none') return
    this.#postponed.clear()
    await this.#record(null)
  }

  /** Wishes that were due and are not open any more. */
  #forget(open: readonly OpenWish[], now: number): void {
    if (open.length === BATCH) return
    for (const [connectionId, { retryAt }] of this.#postponed)
      if (retryAt <= now && !open.some((wish) => wish.connectionId === connectionId))
        this.#postponed.delete(connectionId)
  }

  async #hand(wish: OpenWish, now: number): Promise<{ fault: Fault | null; goesOn: boolean }> {
    const { lane, id } = this.#options
    try {
      const handing = await lane.transact((tx) => handOver(tx, id, wish))
      this.#failures = 0
      switch (handing) {
        case 'written':
        case 'passed':
          this.#postponed.delete(wish.connectionId)
          return { fault: null, goesOn: true }
        case 'locked':
          return { fault: this.#postpone(wish, { fault: LOCKED, now }), goesOn: true }
        case 'gone':
          // The mirror deletes its connection.
          return { fault: this.#postpone(wish, { fault: null, now }), goesOn: true }
        case 'busy':
          return { fault: null, goesOn: false }
      }
    } catch (error) {
      const fault = describeError(error)
      if (isOfRow(error)) return { fault: this.#postpone(wish, { fault, now }), goesOn: true }
      this.#retryAt = now + waitMs(this.#failures++)
      return { fault, goesOn: false }
    }
  }

  #postpone(wish: OpenWish, { fault, now }: { fault: Fault | null; now: number }): Fault | null {
    const { connectionId, key, generation } = wish
    const former = this.#postponed.get(connectionId)
    const attempt = former?.wish.generation === generation ? former.attempt + 1 : 0
    const named = fault && { ...fault, message: `row ${key}: ${fault.message}` }
    this.#postponed.set(connectionId, {
      ...{ wish, attempt, fault: named },
      retryAt: now + waitMs(attempt),
    })
    return named
  }

  async #record(fault: Fault | null): Promise<void> {
    const { lane, id, name, log } = this.#options
    if (fault !== null) {
      if (this.#recorded !== 'fault')
        log.warn({ table: name, ...fault }, 'a click can not be written into the attached table')
      this.#recorded = 'fault'
      await lane.write((sql) => recordError(sql, id, { work: 'wish_error', ...fault }))
      return
    }
    const isOver = [...this.#postponed.values()].every((postponed) => postponed.fault === null)
    if (this.#recorded === 'none' || !isOver || this.#failures > 0) return
    if (this.#recorded === 'fault')
      log.info({ table: name }, 'clicks are written into the attached table again')
    this.#recorded = 'none'
    await lane.write((sql) => clearWishError(sql, id))
  }
}

function waitMs(attempt: number): number {
  return RETRY.baseMs / 2 + fullJitter(attempt, RETRY, Math.random())
}

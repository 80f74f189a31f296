/**
 * A limited number of places that several parties share. Parties take turns: a party with thousands of waiters gets one
 * place for each place that every other waiting party gets. A party may hold `perParty` places at most, so that one
 * whose work hangs always leaves places for the others.
 */
import { RoundRobin } from './round-robin.ts'

export interface FairQueueOptions {
  readonly places: number
  /** @default one less than `places`, but one at least */
  readonly perParty?: number
}

/** Gives the place back; further calls do nothing. */
export type Leave = () => void

export class FairQueue {
  readonly #places: number
  readonly #perParty: number
  readonly #waiting = new RoundRobin<() => void>()
  readonly #held = new Map<string, number>()
  #taken = 0

  constructor({ places, perParty = Math.max(1, places - 1) }: FairQueueOptions) {
    this.#places = places
    this.#perParty = perParty
  }

  /** Places that are taken. */
  get taken(): number {
    return this.#taken
  }

  /** Nothing is taken and nothing waits. */
  get isIdle(): boolean {
    return this.#taken === 0 && this.#waiting.size === 0
  }

  /**
   * Waits for a place.
   *
   * @returns what gives it back; `null` when `signal` was aborted before
   */
  async enter(party: string, signal?: AbortSignal): Promise<Leave | null> {
    if (signal?.aborted === true) return null
    if (this.#mayEnter(party)) this.#take(party)
    else if (!(await this.#wait(party, signal))) return null
    let left = false
    return () => {
      if (left) return
      left = true
      this.#leave(party)
    }
  }

  #mayEnter(party: string): boolean {
    return this.#taken < this.#places && (this.#held.get(party) ?? 0) < this.#perParty
  }

  #take(party: string): void {
    this.#taken++
    this.#held.set(party, (this.#held.get(party) ?? 0) + 1)
  }

  #wait(party: string, signal?: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const giveUp = (): void => {
        this.#waiting.delete(party, enter)
        resolve(false)
      }
      const enter = (): void => {
        signal?.removeEventListener('abort', giveUp)
        resolve(true)
      }
      signal?.addEventListener('abort', giveUp, { once: true })
      this.#waiting.add(party, enter)
    })
  }

  #leave(party: string): void {
    this.#taken--
    const held = (this.#held.get(party) ?? 1) - 1
    if (held === 0) this.#held.delete(party)
    else this.#held.set(party, held)
    // One place is free, so one waiter enters at most.
    const next = this.#waiting.take((waiting) => this.#mayEnter(waiting))
    if (next === null) return
    this.#take(next.party)
    next.item()
  }
}

/**
 * The way to one host and port, shared by all connections that lead there. It learns from each dial: a host that answers
 * gets more of them at the same time, one that does not gets one now and then, and its answer counts for all who asked
 * meanwhile. So a broker that is gone is not stormed, and one that comes back is found by the first that tries.
 *
 *     open ◀─────────── reached: whoever waits for a retry is woken ───────────┐
 *       │ unreachable, or three doubtful failures in a row                       │
 *       ▼                                                                        │
 *     down: one probe at a time, paced; who asks meanwhile gets its outcome ─────┘
 */
import { REASONS } from '@mqtt-status/protocol'
import type { Reason } from '@mqtt-status/protocol'
import { isLocal } from './reasons.ts'
import type { Failure } from './session-state.ts'

export interface GateTiming {
  /** Between two dials of a host that is down. */
  readonly probeMs: number
  /** Dials to one host at the same time, at most. */
  readonly most: number
}

/** Leave to dial. Exactly one of the three is called, once; more is ignored. */
export interface Pass {
  /** The broker has let it in, or has refused it for what it is: the way is fine. */
  readonly reached: () => void
  readonly failed: (failure: Failure) => void
  /** Nothing was learnt. */
  readonly gaveUp: () => void
}

/** Said of the way itself, so it holds for everybody who goes there. */
const UNREACHABLE: ReadonlySet<Reason> = new Set([
  'dns_not_found',
  'dns_temporary',
  'connection_refused',
  'host_unreachable',
])
const FIRST = 8
/** So many failures in a row that may be about one connection are taken for one of the broker. */
const TROUBLE = 3
/** One after the other, so that waking thousands does not stop everything else. */
const CHUNK = 100

type Waiter = (result: Pass | Failure) => void

type State =
  | { readonly kind: 'open' }
  | { readonly kind: 'down'; readonly failure: Failure; readonly sinceMs: number }

export class HostGate {
  readonly #timing: GateTiming
  readonly #urgent = new Set<Waiter>()
  readonly #waiting = new Set<Waiter>()
  readonly #sleepers = new Set<() => void>()
  #state: State = { kind: 'open' }
  #limit: number
  #inside = 0
  /** Failures in a row. */
  #doubts = 0

  constructor(timing: GateTiming) {
    this.#timing = timing
    this.#limit = Math.min(FIRST, timing.most)
  }

  /** Nothing is under way and nothing is remembered that matters. */
  get isIdle(): boolean {
    return (
      this.#inside === 0 &&
      this.#urgent.size === 0 &&
      this.#waiting.size === 0 &&
      this.#sleepers.size === 0
    )
  }

  /**
   * Waits for its turn.
   *
   * @param urgent a person waits for it: before all others
   * @returns leave to dial; a failure that was just seen by somebody else; `null` when the wait was given up
   */
  enter(signal: AbortSignal, urgent: boolean): Promise<Pass | Failure | null> {
    if (signal.aborted) return Promise.resolve(null)
    if (this.#state.kind === 'down' && this.#isFresh(this.#state.sinceMs))
      return Promise.resolve(this.#state.failure)
    if (this.#mayEnter()) return Promise.resolve(this.#admit())
    return new Promise((resolve) => {
      const queue = urgent ? this.#urgent : this.#waiting
      const giveUp = (): void => {
        queue.delete(waiter)
        resolve(null)
      }
      const waiter: Waiter = (result) => {
        signal.removeEventListener('abort', giveUp)
        resolve(result)
      }
      signal.addEventListener('abort', giveUp, { once: true })
      queue.add(waiter)
    })
  }

  /**
   * Calls back once, when a host that did not answer does so again.
   *
   * @returns what ends it before
   */
  onceBack(wake: () => void): () => void {
    this.#sleepers.add(wake)
    return () => this.#sleepers.delete(wake)
  }

  #isFresh(sinceMs: number): boolean {
    return performance.now() - sinceMs < this.#timing.probeMs
  }

  #mayEnter(): boolean {
    if (this.#state.kind === 'open') return this.#inside < this.#limit
    return this.#inside === 0 && !this.#isFresh(this.#state.sinceMs)
  }

  #admit(): Pass {
    this.#inside++
    let used = false
    const once = (learn: () => void): void => {
      if (used) return
      used = true
      this.#inside--
      learn()
      this.#next()
    }
    return {
      reached: () => {
        once(() => {
          this.#reached()
        })
      },
      failed: (failure) => {
        once(() => {
          this.#failed(failure)
        })
      },
      gaveUp: () => {
        once(() => undefined)
      },
    }
  }

  #reached(): void {
    const isBack = this.#state.kind === 'down'
    this.#state = { kind: 'open' }
    this.#doubts = 0
    this.#limit = Math.min(this.#timing.most, this.#limit + 1)
    if (isBack)
      inChunks(this.#sleepers, (wake) => {
        wake()
      })
  }

  #failed(failure: Failure): void {
    const { reason } = failure
    // This server could not dial: nothing was learnt of the host.
    if (isLocal(reason)) return
    if (REASONS[reason] === 'permanent') {
      this.#reached()
      return
    }
    this.#doubts++
    this.#limit = Math.max(1, Math.floor(this.#limit / 2))
    if (!UNREACHABLE.has(reason) && this.#doubts < TROUBLE) return
    this.#state = { kind: 'down', failure, sinceMs: performance.now() }
    for (const queue of [this.#urgent, this.#waiting])
      inChunks(queue, (waiter) => {
        waiter(failure)
      })
  }

  #next(): void {
    while (this.#mayEnter()) {
      const queue = this.#urgent.size > 0 ? this.#urgent : this.#waiting
      const [next] = queue
      if (next === undefined) return
      queue.delete(next)
      next(this.#admit())
    }
  }
}

/** Empties a set; what is put in meanwhile stays, and what is taken out is passed over. */
function inChunks<T>(set: Set<T>, work: (item: T) => void): void {
  const all = [...set]
  const go = (from: number): void => {
    for (const item of all.slice(from, from + CHUNK)) if (set.delete(item)) work(item)
    if (from + CHUNK < all.length) setImmediate(go, from + CHUNK)
  }
  go(0)
}

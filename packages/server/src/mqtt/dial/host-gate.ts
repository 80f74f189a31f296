/**
 * The gate to one host and port, shared by all connections to it. Every dial passes it. While the host answers, several
 * dials pass at the same time. While it does not, one dial at a time probes it, and all waiting dials get the outcome of
 * that probe: so a broker that is down gets few dials, and its return is found by the first probe that succeeds.
 *
 *     open ◀──────── CONNACK: all dials that wait for a retry are woken ────────┐
 *       │ unreachable, or three failures of the broker in a row                 │
 *       ▼                                                                       │
 *     down: one probe at a time, paced; waiting dials get its outcome ──────────┘
 *
 * Only failures of the broker, of its host and of its name count (attribution.ts). Sites take turns, and one site leaves
 * a place for the others, so that rows whose dials hang delay the rows of their own site alone.
 */
import type { Reason } from '@mqtt-status/protocol'
import { RoundRobin } from '../../model/round-robin.ts'
import { isAnswer, partyOf, reachesHost } from '../reasons/attribution.ts'
import type { Party, Step } from '../reasons/attribution.ts'
import type { Failure } from '../reasons/failure.ts'

export interface GateTiming {
  /** Between two dials of a host that is down. */
  readonly probeMs: number
  /** Dials to one host at the same time, at most. */
  readonly most: number
  /** A broker that has accepted a client so recently is taken for well. @default 30_000 */
  readonly recentMs?: number
}

/** Leave to dial. Its outcome is reported once; a second report does nothing. */
export interface Pass {
  /** CONNACK: the broker has accepted the client. */
  readonly accepted: () => void
  /** The dial failed, or the connection that came of it was lost. */
  readonly failed: (failure: Failure, step: Step) => void
  /** The dial takes long: where the broker answers others, it keeps none of them waiting any more. */
  readonly overdue: () => void
  /** It is over: nothing was learnt, or the connection has ended. */
  readonly over: () => void
}

export interface Entry {
  /** Whose connection it is: sites take turns. */
  readonly site: string
  /** A person waits for it: before all others of its site and of other sites. */
  readonly urgent: boolean
}

/** Said of the way itself, so one failure is enough. */
const UNREACHABLE: ReadonlySet<Reason> = new Set([
  'dns_not_found',
  'dns_temporary',
  'connection_refused',
  'host_unreachable',
])
/** The parties whose failures concern all connections to the same host and port. */
const SHARED: ReadonlySet<Party> = new Set(['broker', 'host', 'names'])
const FIRST = 8
/** So many failures of the broker in a row close the gate. */
const TROUBLE = 3
const RECENT_MS = 30_000
/** One after the other, so that waking thousands does not stop everything else. */
const CHUNK = 100

type Waiter = (result: Pass | Failure) => void

type State =
  | { readonly kind: 'open' }
  | {
      readonly kind: 'down'
      readonly failure: Failure
      readonly party: Party
      readonly sinceMs: number
    }

export class HostGate {
  readonly #timing: GateTiming
  readonly #urgent = new RoundRobin<Waiter>()
  readonly #waiting = new RoundRobin<Waiter>()
  readonly #sleepers = new Set<() => void>()
  readonly #held = new Map<string, number>()
  #state: State = { kind: 'open' }
  #limit: number
  #inside = 0
  /** Failures of the broker in a row. */
  #doubts = 0
  /** Connections that the broker has accepted and that have not ended. */
  #up = 0
  #acceptedAtMs = Number.NEGATIVE_INFINITY

  constructor(timing: GateTiming) {
    this.#timing = timing
    this.#limit = Math.min(FIRST, timing.most)
  }

  /** Nothing is under way and nothing is remembered that matters. */
  get isIdle(): boolean {
    return (
      this.#inside === 0 &&
      this.#up === 0 &&
      this.#urgent.size === 0 &&
      this.#waiting.size === 0 &&
      this.#sleepers.size === 0
    )
  }

  /** Whether the broker keeps a connection, or has accepted one recently. */
  get answers(): boolean {
    const recentMs = this.#timing.recentMs ?? RECENT_MS
    return this.#up > 0 || performance.now() - this.#acceptedAtMs < recentMs
  }

  /**
   * Waits for its turn.
   *
   * @returns leave to dial; a failure of the broker that another dial has just seen; `null` when the wait was given up
   */
  enter(signal: AbortSignal, { site, urgent }: Entry): Promise<Pass | Failure | null> {
    if (signal.aborted) return Promise.resolve(null)
    if (this.#state.kind === 'down' && this.#isFresh(this.#state.sinceMs))
      return Promise.resolve(this.#state.failure)
    if (this.#mayEnter(site)) return Promise.resolve(this.#admit(site))
    return new Promise((resolve) => {
      const queue = urgent ? this.#urgent : this.#waiting
      const giveUp = (): void => {
        queue.delete(site, waiter)
        resolve(null)
      }
      const waiter: Waiter = (result) => {
        signal.removeEventListener('abort', giveUp)
        resolve(result)
      }
      signal.addEventListener('abort', giveUp, { once: true })
      queue.add(site, waiter)
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

  /** One place more than a single site may hold is kept for the others. */
  #mayEnter(site: string): boolean {
    if (this.#state.kind === 'open')
      return this.#inside <= this.#limit && (this.#held.get(site) ?? 0) < this.#limit
    return this.#inside === 0 && !this.#isFresh(this.#state.sinceMs)
  }

  #admit(site: string): Pass {
    this.#hold(site, 1)
    let place: 'held' | 'left' = 'held'
    let phase: 'dialling' | 'up' | 'over' = 'dialling'
    const leave = (): void => {
      if (place === 'left') return
      place = 'left'
      this.#hold(site, -1)
    }
    const end = (learn: () => void): void => {
      if (phase === 'over') return
      if (phase === 'up') this.#up--
      else learn()
      phase = 'over'
      leave()
      this.#next()
    }
    return {
      accepted: () => {
        if (phase !== 'dialling') return
        phase = 'up'
        this.#up++
        this.#accepted()
        leave()
        this.#next()
      },
      failed: (failure, step) => {
        end(() => {
          this.#failed(failure, step)
        })
      },
      overdue: () => {
        if (phase !== 'dialling' || !this.answers) return
        leave()
        this.#next()
      },
      over: () => {
        end(() => undefined)
      },
    }
  }

  #hold(site: string, change: 1 | -1): void {
    this.#inside += change
    const held = (this.#held.get(site) ?? 0) + change
    if (held === 0) this.#held.delete(site)
    else this.#held.set(site, held)
  }

  #accepted(): void {
    this.#acceptedAtMs = performance.now()
    this.#limit = Math.min(this.#timing.most, this.#limit + 1)
    this.#open()
  }

  #open(): void {
    const isBack = this.#state.kind === 'down'
    this.#state = { kind: 'open' }
    this.#doubts = 0
    if (isBack)
      inChunks([...this.#sleepers], (wake) => {
        if (this.#sleepers.delete(wake)) wake()
      })
  }

  #failed(failure: Failure, step: Step): void {
    const { reason, code } = failure
    const party = partyOf({ step, reason, answered: this.answers })
    if (party === 'row') {
      if (isAnswer(failure)) this.#accepted()
      else if (this.#isHostBack(step)) this.#open()
    }
    if (!SHARED.has(party)) return
    this.#doubts++
    this.#limit = Math.max(1, Math.floor(this.#limit / 2))
    if (!UNREACHABLE.has(reason) && this.#doubts < TROUBLE) return
    const shared = party === 'broker' ? { reason, detail: null, code } : failure
    this.#state = { kind: 'down', failure: shared, party, sinceMs: performance.now() }
    inChunks([...this.#urgent.clear(), ...this.#waiting.clear()], (waiter) => {
      waiter(shared)
    })
  }

  /** The host did not answer, and now something at its port does. */
  #isHostBack(step: Step): boolean {
    return this.#state.kind === 'down' && this.#state.party !== 'broker' && reachesHost(step)
  }

  #next(): void {
    const may = (site: string): boolean => this.#mayEnter(site)
    for (;;) {
      const next = this.#urgent.take(may) ?? this.#waiting.take(may)
      if (next === null) return
      next.item(this.#admit(next.party))
    }
  }
}

function inChunks<T>(all: readonly T[], work: (item: T) => void): void {
  const go = (from: number): void => {
    for (const item of all.slice(from, from + CHUNK)) work(item)
    if (from + CHUNK < all.length) setImmediate(go, from + CHUNK)
  }
  go(0)
}

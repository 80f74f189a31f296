/**
 * The gate to one host and port, shared by all connections to it. Every dial passes it. While the host answers, several
 * dials pass at the same time. While it does not, one dial at a time probes it, and all waiting dials get the outcome of
 * that probe: a broker that is down gets few dials, and the first probe that succeeds opens the gate for all.
 *
 *     open ◀──────── CONNACK: the gate wakes all dials that wait for a retry ───┐
 *       │ unreachable, or three failures of the broker in a row                 │
 *       ▼                                                                       │
 *     down: one probe at a time, paced; waiting dials get its outcome ──────────┘
 *
 * Only failures of the broker, of its host and of its name count (attribution.ts). Sites take turns, and one site never has
 * all places, so that rows whose dials hang delay the rows of their own site alone.
 */
import type { Reason } from '@mqtt-status/protocol'
import { RoundRobin } from '../../model/round-robin.ts'
import { isAnswer, partyOf, reachesHost } from '../reasons/attribution.ts'
import type { Party, Step } from '../reasons/attribution.ts'
import type { Failure } from '../reasons/failure.ts'

export interface GateTiming {
  /** The time between two probes of a host that is down. */
  readonly probeMs: number
  /** Dials to one host at the same time, at most. */
  readonly most: number
  /** For this time after a CONNACK the gate attributes failures to the row and not to the broker. @default 30_000 */
  readonly recentMs?: number
}

/** The permission for one dial. The dialer reports the outcome once; a second report does nothing. */
export interface Pass {
  /** The broker has accepted the client with a CONNACK. */
  readonly accepted: () => void
  /** The dial has failed, or its connection is lost. */
  readonly failed: (failure: Failure, step: Step) => void
  /** The dial takes longer than 1 s. If the broker answers other dials, this one gives its place to the next. */
  readonly overdue: () => void
  /** The dial was aborted without an outcome, or its connection has ended. */
  readonly over: () => void
}

export interface Entry {
  /** The site of the connection: sites take turns. */
  readonly site: string
  /** A viewer waits for the outcome: the dial goes before all dials that are not urgent. */
  readonly urgent: boolean
}

/** Reasons that show by one failure that no dial to this host and port can succeed now. */
const UNREACHABLE: ReadonlySet<Reason> = new Set([
  'dns_not_found',
  'dns_temporary',
  'connection_refused',
  'host_unreachable',
])
/** The parties whose failures concern all connections to the same host and port. */
const SHARED: ReadonlySet<Party> = new Set(['broker', 'host', 'names'])
/** Concurrent dials before the broker has accepted a client. */
const FIRST = 8
/** Failures of the broker in a row that close the gate. */
const TROUBLE = 3
const RECENT_MS = 30_000
/** Callbacks in one turn of the event loop: to wake thousands at once would block it. */
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

  /** Whether no connection dials, is up or waits at this gate. */
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
   * @returns a pass; or a failure of the broker that another dial has just met; or `null` if the signal ended the wait
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
   * Calls `wake` once, when a host that was down answers again.
   *
   * @returns a function that cancels the call
   */
  onceBack(wake: () => void): () => void {
    this.#sleepers.add(wake)
    return () => this.#sleepers.delete(wake)
  }

  #isFresh(sinceMs: number): boolean {
    return performance.now() - sinceMs < this.#timing.probeMs
  }

  /** The gate has one place more than a single site may hold, so that another site always finds one. */
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

  /** Whether the host was down and a dial has now opened a TCP connection to it. */
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

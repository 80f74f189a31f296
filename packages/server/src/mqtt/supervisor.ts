/**
 * Makes MQTT connections match the rows: it is told nothing but rows, claims those that want something, and writes what
 * it sees. One connection never disturbs another.
 */
import type { Desired, Status } from '@mqtt-status/protocol'
import type { Log } from '../log.ts'
import { DialGuard } from './dial-guard.ts'
import type { GuardRules, Lookup } from './dial-guard.ts'
import { DialLimiter } from './dial-limiter.ts'
import { Keeper } from './keeper.ts'
import type { Claimed, KeeperOptions } from './keeper.ts'
import { TIMING } from './session-state.ts'
import type { Timing } from './session-state.ts'
import { StatusWriter } from './status-writer.ts'
import type { StatusWrite } from './status-writer.ts'

export type { Claimed } from './keeper.ts'
export type { StatusWrite } from './status-writer.ts'

/** Where rows are claimed and statuses written. */
export interface SupervisorStore {
  /** Makes rows ours, or reads ours again; what is gone or not managed is left out. */
  readonly claim: (ids: readonly string[]) => Promise<readonly Claimed[]>
  /** Answers the ids that were written. */
  readonly write: (writes: readonly StatusWrite[]) => Promise<ReadonlySet<string>>
}

/** The part of a row that says whether there is something to do. */
export interface Wanted {
  readonly id: string
  readonly managed: boolean
  readonly desired: Desired | null
  readonly status: Status
  readonly generation: number
  readonly observedGeneration: number
}

export interface SupervisorRead {
  readonly kind: 'snapshot' | 'changes'
  readonly rows: readonly { readonly connection: Wanted }[]
  readonly tombstones: readonly { readonly id: string }[]
}

export interface SupervisorOptions {
  readonly store: SupervisorStore
  /** Names the database; part of the default client ids, so that a copy of it never takes over connections. */
  readonly epoch: () => string
  readonly dialConcurrency: number
  readonly allow: GuardRules
  readonly log: Log
  readonly timing?: Timing
  readonly lookup?: Lookup
  readonly now?: () => number
  readonly random?: () => number
}

const BATCH = 200
const RETRY_MS = 1_000

export class Supervisor {
  readonly #store: SupervisorStore
  readonly #log: Log
  readonly #keepers = new Map<string, Keeper>()
  readonly #writer: StatusWriter
  readonly #options: KeeperOptions
  readonly #toClaim = new Set<string>()
  #claiming: Promise<void> | null = null
  #retry: NodeJS.Timeout | null = null
  #stopped = false

  constructor(options: SupervisorOptions) {
    const { store, epoch, dialConcurrency, allow, log } = options
    this.#store = store
    this.#log = log
    this.#writer = new StatusWriter({
      write: store.write,
      onLost: (id, lost) => {
        if (this.#keepers.get(id)?.claimed.epoch === lost) this.#drop(id)
      },
      log,
    })
    this.#options = {
      guard: new DialGuard(allow, options.lookup),
      limiter: new DialLimiter(dialConcurrency),
      clientId: (id) => `mqtt-status-${epoch().slice(0, 8)}-${id}`,
      write: (claimed, change) => {
        const { status, reason, detail } = change
        log.debug({ connection: claimed.id, status, reason, detail }, 'status')
        this.#writer.add(claimed, change)
      },
      timing: options.timing ?? TIMING,
      now: options.now ?? Date.now,
      random: options.random ?? Math.random,
    }
  }

  /** Connections that are kept, whatever their state. */
  get size(): number {
    return this.#keepers.size
  }

  /** What the feed has read. */
  reconcile({ kind, rows, tombstones }: SupervisorRead): void {
    if (this.#stopped) return
    for (const { connection } of rows) {
      if (this.#concerns(connection)) this.#toClaim.add(connection.id)
    }
    // Whether they are gone or only moved: claiming tells.
    for (const { id } of tombstones) if (this.#keepers.has(id)) this.#toClaim.add(id)
    if (kind === 'snapshot') {
      const present = new Set(rows.map(({ connection }) => connection.id))
      for (const id of this.#keepers.keys()) if (!present.has(id)) this.#toClaim.add(id)
    }
    this.#claimSoon()
  }

  /** Says DISCONNECT everywhere; statuses stay as they are until the next owner looks. */
  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#retry ?? undefined)
    await this.#claiming
    await Promise.all(Array.from(this.#keepers.values(), (keeper) => keeper.stop()))
    this.#keepers.clear()
    await this.#writer.stop()
  }

  #concerns({ id, managed, desired, status, generation, observedGeneration }: Wanted): boolean {
    const claimed = this.#keepers.get(id)?.claimed
    if (claimed !== undefined) {
      return !managed || generation > claimed.generation || desired !== claimed.desired
    }
    return (
      managed &&
      (desired === 'connected' || generation > observedGeneration || status !== 'disconnected')
    )
  }

  #claimSoon(): void {
    if (this.#claiming !== null || this.#stopped || this.#toClaim.size === 0) return
    this.#claiming = this.#claimAll().finally(() => {
      this.#claiming = null
    })
  }

  async #claimAll(): Promise<void> {
    while (this.#toClaim.size > 0 && !this.#stopped) {
      const ids = [...this.#toClaim].slice(0, BATCH)
      for (const id of ids) this.#toClaim.delete(id)
      try {
        const claimed = await this.#store.claim(ids)
        this.#take(ids, claimed)
      } catch (error) {
        this.#log.warn(
          { err: error, count: ids.length },
          'connections could not be claimed; trying again',
        )
        for (const id of ids) this.#toClaim.add(id)
        this.#retry = setTimeout(() => {
          this.#claimSoon()
        }, RETRY_MS)
        return
      }
    }
  }

  #take(ids: readonly string[], claimed: readonly Claimed[]): void {
    if (this.#stopped) return
    const found = new Set(claimed.map(({ id }) => id))
    for (const row of claimed) {
      try {
        const keeper = this.#keepers.get(row.id)
        if (keeper === undefined) this.#keepers.set(row.id, new Keeper(row, this.#options))
        else keeper.update(row)
      } catch (error) {
        this.#log.error({ err: error, connection: row.id }, 'a connection could not be supervised')
      }
    }
    for (const id of ids) if (!found.has(id)) this.#drop(id)
  }

  /** It is gone, or somebody else's: let go without a word. */
  #drop(id: string): void {
    const keeper = this.#keepers.get(id)
    if (keeper === undefined) return
    this.#keepers.delete(id)
    this.#writer.forget(id)
    void keeper.stop()
  }
}

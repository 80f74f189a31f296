/**
 * Makes MQTT connections match the rows: it is told nothing but rows, claims those that want something, and writes what
 * it sees. One connection never disturbs another.
 */
import type { Desired, Status } from '@mqtt-status/protocol'
import type { Log } from '../log.ts'
import { Activity } from './activity.ts'
import type { ActivityWrite } from './activity.ts'
import { DialGuard } from './dial-guard.ts'
import type { GuardRules, Lookup } from './dial-guard.ts'
import { DialLimiter } from './dial-limiter.ts'
import { Dialer } from './dialer.ts'
import { HostGates } from './host-gates.ts'
import { Keeper } from './keeper.ts'
import type { CheckResult, Claimed, KeeperOptions } from './keeper.ts'
import { SecretReader } from './secret-reader.ts'
import type { ReadSecrets } from './secret-reader.ts'
import { TIMING } from './session-state.ts'
import type { Timing } from './session-state.ts'
import { StatusWriter } from './status-writer.ts'
import type { StatusWrite } from './status-writer.ts'

export type { ActivityWrite } from './activity.ts'
export type { CheckResult, Claimed } from './keeper.ts'
export type { ReadSecrets } from './secret-reader.ts'
export type { StatusWrite } from './status-writer.ts'

/** Where rows are claimed and statuses written. */
export interface SupervisorStore {
  /** Makes rows ours, or reads ours again; what is gone or not managed is left out. */
  readonly claim: (ids: readonly string[]) => Promise<readonly Claimed[]>
  /** Answers the ids that were written. */
  readonly write: (writes: readonly StatusWrite[]) => Promise<ReadonlySet<string>>
  /** Writes when messages came last; answers the ids that were written. */
  readonly writeActivity: (writes: readonly ActivityWrite[]) => Promise<ReadonlySet<string>>
  /** Left out where none are kept. */
  readonly secrets?: ReadSecrets
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
  /** How often times of messages are written, in ms. */
  readonly activityFlushMs: number
  readonly log: Log
  readonly timing?: Timing
  readonly lookup?: Lookup
  /** @default 10_000 */
  readonly connectTimeoutMs?: number
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
  readonly #activity: Activity
  readonly #options: KeeperOptions
  readonly #toClaim = new Set<string>()
  #claiming: Promise<void> | null = null
  #retry: NodeJS.Timeout | null = null
  #stopped = false

  constructor(options: SupervisorOptions) {
    const { store, log, now = () => performance.now() } = options
    this.#store = store
    this.#log = log
    const onLost = (id: string, lost: number): void => {
      if (this.#keepers.get(id)?.claimed.epoch === lost) this.#drop(id)
    }
    this.#writer = new StatusWriter({ write: store.write, onLost, log })
    this.#activity = new Activity({
      keepers: () => this.#keepers.values(),
      write: store.writeActivity,
      onLost,
      now,
      flushMs: options.activityFlushMs,
      log,
    })
    this.#options = {
      dialer: dialerOf(options),
      write: (claimed, seen) => {
        const { status, reason, detail } = seen
        log.debug({ connection: claimed.id, status, reason, detail }, 'status')
        this.#writer.add(claimed, seen)
      },
      timing: options.timing ?? TIMING,
      now,
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

  /**
   * Asks the broker of a connection for a sign of life; one that gives none within 5 s has lost the connection.
   *
   * @returns `null` where it is not kept here
   */
  async check(id: string): Promise<CheckResult | null> {
    return (await this.#keepers.get(id)?.check()) ?? null
  }

  /** Says DISCONNECT everywhere; statuses stay as they are until the next owner looks. */
  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#retry ?? undefined)
    await this.#claiming
    await Promise.all(Array.from(this.#keepers.values(), (keeper) => keeper.stop()))
    await this.#activity.stop()
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
    this.#writer.forget(id, keeper.claimed.epoch)
    void keeper.stop()
  }
}

/** One host never gets all dials, so that another one always finds a place. */
const SHARE_OF_A_HOST = 0.8
/** Between two dials of a host that does not answer. */
const HOST_PROBE_MS = 100

function dialerOf(options: SupervisorOptions): Dialer {
  const { store, epoch, dialConcurrency, allow, log, lookup, connectTimeoutMs } = options
  return new Dialer({
    guard: new DialGuard(allow, lookup),
    limiter: new DialLimiter(dialConcurrency),
    gates: new HostGates({
      most: Math.ceil(dialConcurrency * SHARE_OF_A_HOST),
      probeMs: HOST_PROBE_MS,
    }),
    permit: null,
    secrets: store.secrets === undefined ? null : new SecretReader(store.secrets, log),
    clientId: (id) => `mqtt-status-${epoch().slice(0, 8)}-${id}`,
    ...(connectTimeoutMs === undefined ? {} : { connectTimeoutMs }),
  })
}

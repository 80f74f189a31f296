/**
 * Makes MQTT connections match the rows: it is told nothing but rows, keeps those that are ours, and writes what it
 * sees. Which rows are ours is decided in share.ts. One connection never disturbs another.
 */
import type { Desired, Status } from '@mqtt-status/protocol'
import type { Log } from '../log.ts'
import { FairQueue } from '../model/fair-queue.ts'
import { Activity } from './activity.ts'
import type { ActivityWrite } from './activity.ts'
import { DialGuard } from './dial-guard.ts'
import type { GuardRules, Lookup } from './dial-guard.ts'
import type { DialPermit } from './dial-permit.ts'
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

/** A row of ours, as far as it tells whether we know all of it. */
export type Held = Pick<Claimed, 'id' | 'epoch' | 'generation'>

/** Where rows are read and statuses written. */
export interface SupervisorStore {
  /** Reads rows of ours; those that are gone, not managed, or somebody else's are left out. */
  readonly read: (ids: readonly string[]) => Promise<readonly Claimed[]>
  /** All rows of ours. */
  readonly held: () => Promise<readonly Held[]>
  /** Lets go of rows, as far as they are ours in that epoch. */
  readonly release: (rows: readonly Pick<Held, 'id' | 'epoch'>[]) => Promise<void>
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
  readonly rows: readonly { readonly connection: Wanted; readonly ownerId: string | null }[]
  readonly tombstones: readonly { readonly id: string }[]
}

export interface SupervisorOptions {
  readonly store: SupervisorStore
  /** Names this instance in the rows. */
  readonly ownerId: string
  /** Whether another instance is alive that keeps what it owns. */
  readonly isAlive: (ownerId: string) => boolean
  /** A row has to be kept, and nobody does. */
  readonly onFree: () => void
  readonly permit: DialPermit
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
/** How many connections are handed over at a time. */
const HANDOVER_BATCH = 100
/** How long a connection that is handed over is kept for its next owner. */
const HANDOVER_MS = 2_000

export class Supervisor {
  readonly #store: SupervisorStore
  readonly #log: Log
  readonly #keepers = new Map<string, Keeper>()
  /** Connections that are handed over, by the epoch that ends with it: an answer of before must not bring them back. */
  readonly #leaving = new Map<string, number>()
  readonly #writer: StatusWriter
  readonly #activity: Activity
  readonly #setup: SupervisorOptions
  readonly #options: KeeperOptions
  readonly #toRead = new Set<string>()
  #reading: Promise<void> | null = null
  #retry: NodeJS.Timeout | null = null
  #stopped = false

  constructor(options: SupervisorOptions) {
    const { store, log, now = () => performance.now() } = options
    this.#setup = options
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
    let free = false
    for (const { connection, ownerId } of rows) {
      if (this.#concerns(connection, ownerId)) this.#toRead.add(connection.id)
      else free ||= this.#isFree(connection, ownerId)
    }
    // Whether they are gone or only moved: reading tells.
    for (const { id } of tombstones) if (this.#keepers.has(id)) this.#toRead.add(id)
    if (kind === 'snapshot') {
      const present = new Set(rows.map(({ connection }) => connection.id))
      for (const id of this.#keepers.keys()) if (!present.has(id)) this.#toRead.add(id)
    }
    this.#readSoon()
    if (free) this.#setup.onFree()
  }

  /** Keeps rows that are ours from now on, or still are. */
  take(rows: readonly Claimed[]): void {
    if (this.#stopped) return
    for (const row of rows) {
      if (row.epoch <= (this.#leaving.get(row.id) ?? -1)) continue
      try {
        this.#keep(row)
      } catch (error) {
        this.#log.error({ err: error, connection: row.id }, 'a connection could not be supervised')
      }
    }
  }

  /**
   * Lets go of what is not ours any more, and takes what is without our knowing.
   *
   * @throws when it could not be read what is ours
   */
  async verify(): Promise<void> {
    // What is claimed while the answer is on its way is not in it.
    const before = Array.from(this.#keepers, ([id, { claimed }]) => ({ id, epoch: claimed.epoch }))
    const held = await this.#store.held()
    if (this.#stopped) return
    const epochs = new Map(held.map(({ id, epoch }) => [id, epoch]))
    for (const { id, epoch } of before) {
      const lost = epochs.get(id) !== epoch && this.#keepers.get(id)?.claimed.epoch === epoch
      if (lost) this.#drop(id)
    }
    for (const { id, generation } of held) {
      const claimed = this.#keepers.get(id)?.claimed
      if (claimed === undefined || generation > claimed.generation) this.#toRead.add(id)
    }
    this.#readSoon()
  }

  /**
   * Hands connections over to whoever claims them, make before break: each stays open until its next owner has taken
   * it over, or for 2 s. Those that are up go first.
   *
   * @param mayGoOn asked before each batch
   */
  async handOver(count: number, mayGoOn: () => boolean): Promise<void> {
    await this.#activity.flush()
    const ids = Array.from(this.#keepers, ([id, keeper]) => ({ id, isUp: keeper.isUp }))
      .toSorted((a, b) => Number(b.isUp) - Number(a.isUp))
      .slice(0, count)
      .map(({ id }) => id)
    while (ids.length > 0 && mayGoOn()) await this.#pass(ids.splice(0, HANDOVER_BATCH))
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
    await this.#reading
    await Promise.all(Array.from(this.#keepers.values(), (keeper) => keeper.stop()))
    await this.#activity.stop()
    this.#keepers.clear()
    await this.#writer.stop()
  }

  /** Whether there may be something new in a row of ours. */
  #concerns({ id, managed, desired, generation }: Wanted, ownerId: string | null): boolean {
    const claimed = this.#keepers.get(id)?.claimed
    // Ours without our knowing: the answer to a claim was lost, or the row has got another id.
    if (claimed === undefined) return ownerId === this.#setup.ownerId
    return !managed || generation > claimed.generation || desired !== claimed.desired
  }

  #isFree(row: Wanted, ownerId: string | null): boolean {
    const { id, managed, desired, status, generation, observedGeneration } = row
    const isWanted =
      managed &&
      (desired === 'connected' || generation > observedGeneration || status !== 'disconnected')
    if (!isWanted || this.#keepers.has(id)) return false
    return ownerId === null || !this.#setup.isAlive(ownerId)
  }

  #readSoon(): void {
    if (this.#reading !== null || this.#stopped || this.#toRead.size === 0) return
    this.#reading = this.#readAll()
  }

  async #readAll(): Promise<void> {
    while (this.#toRead.size > 0 && !this.#stopped) {
      const ids = [...this.#toRead].slice(0, BATCH)
      for (const id of ids) this.#toRead.delete(id)
      try {
        await this.#read(ids)
      } catch (error) {
        this.#log.warn({ err: error, count: ids.length }, 'rows could not be read; trying again')
        for (const id of ids) this.#toRead.add(id)
        this.#retry = setTimeout(() => {
          this.#readSoon()
        }, RETRY_MS)
        break
      }
    }
    // Here, and not when the promise is settled: what is to be read in between must not be forgotten.
    this.#reading = null
  }

  async #read(ids: readonly string[]): Promise<void> {
    const epochs = new Map(ids.map((id) => [id, this.#keepers.get(id)?.claimed.epoch]))
    const rows = await this.#store.read(ids)
    this.take(rows)
    for (const { id } of rows) epochs.delete(id)
    for (const [id, epoch] of epochs)
      if (this.#keepers.get(id)?.claimed.epoch === epoch) this.#drop(id)
  }

  #keep(row: Claimed): void {
    const keeper = this.#keepers.get(row.id)
    if (keeper === undefined) {
      this.#keepers.set(row.id, new Keeper(row, this.#options))
      return
    }
    const { epoch, generation } = keeper.claimed
    // Answers may come in another order than they were asked for.
    if (row.epoch < epoch || (row.epoch === epoch && row.generation < generation)) return
    keeper.update(row)
  }

  async #pass(ids: readonly string[]): Promise<void> {
    const leaving = ids.flatMap((id) => {
      const keeper = this.#keepers.get(id)
      if (keeper === undefined) return []
      this.#keepers.delete(id)
      this.#leaving.set(id, keeper.claimed.epoch)
      return [{ keeper, gone: keeper.handOver() }]
    })
    try {
      // The next owner goes by what was seen last.
      await this.#writer.flush()
      await this.#store.release(
        leaving.map(({ keeper: { claimed } }) => ({ id: claimed.id, epoch: claimed.epoch })),
      )
      await firstOf(Promise.all(leaving.map(({ gone }) => gone)), HANDOVER_MS)
    } finally {
      await Promise.all(leaving.map(({ keeper }) => keeper.stop()))
      for (const { claimed } of leaving.map(({ keeper }) => keeper)) {
        this.#writer.forget(claimed.id, claimed.epoch)
        if (this.#leaving.get(claimed.id) === claimed.epoch) this.#leaving.delete(claimed.id)
      }
    }
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

async function firstOf(work: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const patience = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms)
  })
  await Promise.race([work, patience])
  clearTimeout(timer)
}

/** Neither one host nor one site ever gets all dials, so that another one always finds a place. */
const SHARE_OF_ONE = 0.8
/** Between two dials of a host that does not answer. */
const HOST_PROBE_MS = 100

function dialerOf(options: SupervisorOptions): Dialer {
  const { store, epoch, dialConcurrency, allow, permit, log, lookup, connectTimeoutMs } = options
  const ofOne = Math.ceil(dialConcurrency * SHARE_OF_ONE)
  return new Dialer({
    guard: new DialGuard(allow, lookup),
    places: new FairQueue({
      places: dialConcurrency,
      perParty: Math.max(1, Math.min(ofOne, dialConcurrency - 1)),
    }),
    gates: new HostGates({ most: ofOne, probeMs: HOST_PROBE_MS }),
    permit,
    secrets: store.secrets === undefined ? null : new SecretReader(store.secrets, log),
    clientId: (id) => `mqtt-status-${epoch().slice(0, 8)}-${id}`,
    ...(connectTimeoutMs === undefined ? {} : { connectTimeoutMs }),
  })
}

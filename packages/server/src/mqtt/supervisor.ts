/**
 * Makes MQTT connections match the rows: the supervisor reads rows, keeps the connections that this node owns, and writes
 * their status. ownership/share.ts decides which rows this node owns. A fault of one connection never affects another.
 */
import type { Desired, Status } from '@mqtt-status/protocol'
import type { Log } from '../log.ts'
import type { ActivityWrite, Held, HeldSum, StatusWrite, Written } from '../model/observed.ts'
import type { Claimed } from '../model/claimed.ts'
import type { CheckResult } from '../model/check-result.ts'
import { Activity } from './activity.ts'
import { ConnectionLog } from './connection-log.ts'
import { Corrections } from './corrections.ts'
import { createDialer } from './dial/create-dialer.ts'
import type { GuardRules } from './dial/dial-guard.ts'
import type { Permit } from './dial/dialer.ts'
import { within } from '../model/deadline.ts'
import { Keeper } from './keeper.ts'
import type { KeeperOptions } from './keeper.ts'
import type { Ledger } from './ledger.ts'
import { Rereads } from './rereads.ts'
import type { Resolver } from '../dns/resolver.ts'
import type { ReadSecrets } from './dial/secret-reader.ts'
import { TIMING } from './session/session-state.ts'
import type { Timing } from './session/session-state.ts'
import { StatusWriter } from './status-writer.ts'

export type { ReadSecrets } from './dial/secret-reader.ts'

/** The reads and writes of the supervisor. */
export interface SupervisorStore {
  /** Reads rows of this node; rows that are deleted, not managed, or owned by another node are left out. */
  readonly read: (ids: readonly string[]) => Promise<readonly Claimed[]>
  /** All rows of this node. */
  readonly held: () => Promise<readonly Held[]>
  /** A sum over all rows of this node. */
  readonly sum: () => Promise<HeldSum>
  /** Releases the rows that this node owns with that fence; returns those that it still owns, because they are locked. */
  readonly release: (rows: readonly Pick<Held, 'id' | 'fence'>[]) => Promise<readonly string[]>
  readonly write: (writes: readonly StatusWrite[]) => Promise<Written>
  /** Writes the times of the last messages. */
  readonly writeActivity: (writes: readonly ActivityWrite[]) => Promise<Written>
  /** Absent if this installation stores no secrets. */
  readonly secrets?: ReadSecrets
}

/** The columns by which the supervisor decides whether it has to act. */
export interface Wanted {
  readonly id: string
  readonly revision: number
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
  /** Names this node in the rows. */
  readonly ownerId: string
  /** Whether another node is alive and keeps what it owns. */
  readonly isAlive: (ownerId: string) => boolean
  /** Called where a row may exist that a node has to keep and no living node owns. */
  readonly onFree: () => void
  readonly permit: Permit
  /** Names the database; part of the default client ids, so that a copy of it never takes over connections. */
  readonly epoch: () => string
  readonly dialConcurrency: number
  readonly allow: GuardRules
  /** The interval at which the node writes times of messages, in ms. */
  readonly activityFlushMs: number
  readonly log: Log
  readonly timing?: Timing
  /** Shared by all lookups of this process. */
  readonly resolver: Resolver
  /** @default 10_000 */
  readonly connectTimeoutMs?: number
  readonly now?: () => number
  readonly random?: () => number
}

/** The number of connections in one batch of a hand-over. */
const HANDOVER_BATCH = 100
/** The time for which a node keeps a connection open for its next owner. */
const HANDOVER_MS = 2_000
/** The longest time that a check waits for a read of its row. */
const CONFIRM_MS = 1_000

export class Supervisor {
  readonly #store: SupervisorStore
  readonly #log: Log
  readonly #keepers = new Map<string, Keeper>()
  /** The fences of connections in a hand-over: the node ignores rows that it read before. */
  readonly #leaving = new Map<string, number>()
  readonly #writer: StatusWriter
  readonly #activity: Activity
  readonly #setup: SupervisorOptions
  readonly #options: KeeperOptions
  readonly #rereads: Rereads
  readonly #corrections: Corrections
  #stopped = false

  constructor(options: SupervisorOptions) {
    const { store, log, now = () => performance.now() } = options
    this.#setup = options
    this.#store = store
    this.#log = log
    const onLost = (ledger: Ledger): void => {
      this.#read(ledger.claimed.id)
    }
    const onWritten = (ledger: Ledger): void => {
      this.#settled(ledger)
    }
    this.#writer = new StatusWriter({ write: store.write, onWritten, onLost, log })
    this.#activity = new Activity({
      keepers: () => this.#keepers.values(),
      write: store.writeActivity,
      onWritten,
      onLost,
      now,
      flushMs: options.activityFlushMs,
      log,
    })
    this.#rereads = new Rereads({ read: (ids) => this.#readRows(ids), log })
    this.#corrections = new Corrections({
      restore: (ledger) => {
        this.#writer.restore(ledger)
      },
      read: (id) => {
        this.#read(id)
      },
      log,
    })
    const connectionLog = new ConnectionLog(log)
    this.#options = {
      dialer: createDialer(options),
      write: (ledger, seen) => {
        connectionLog.note(ledger, seen)
        this.#writer.add(ledger, seen)
      },
      timing: options.timing ?? TIMING,
      now,
      random: options.random ?? Math.random,
    }
  }

  /** The number of connections that this node keeps, whatever their status. */
  get size(): number {
    return this.#keepers.size
  }

  /** Rows and brokers in memory; 0 if the node keeps no row and `forget` was called. */
  get remembered(): number {
    const { dialer } = this.#options
    const leaving = this.#leaving.size + this.#writer.size + this.#rereads.size
    return this.size + leaving + this.#corrections.size + dialer.remembered
  }

  /** Drops brokers that no connection dials any more; called with each renewal of the lease. */
  forget(): void {
    this.#options.dialer.forget()
  }

  /** The feed has read rows. */
  reconcile({ kind, rows, tombstones }: SupervisorRead): void {
    if (this.#stopped) return
    let free = false
    for (const { connection, ownerId } of rows) {
      if (this.#concerns(connection, ownerId)) this.#rereads.add(connection.id)
      else free ||= this.#isFree(connection, ownerId)
    }
    // A read shows whether the row is deleted or has moved.
    for (const { id } of tombstones) if (this.#keepers.has(id)) this.#rereads.add(id)
    if (kind === 'snapshot') {
      const present = new Set(rows.map(({ connection }) => connection.id))
      for (const id of this.#keepers.keys()) if (!present.has(id)) this.#rereads.add(id)
    }
    this.#rereads.start()
    if (free) this.#setup.onFree()
  }

  /** Keeps rows that this node owns, and updates those that it keeps already. */
  take(rows: readonly Claimed[]): void {
    if (this.#stopped) return
    for (const row of rows) {
      if (row.fence <= (this.#leaving.get(row.id) ?? -1)) continue
      try {
        this.#keep(row)
      } catch (error) {
        this.#log.error({ err: error, connection: row.id }, 'a connection could not be supervised')
      }
    }
  }

  /**
   * Whether the sum over all rows of this node is that of the versions it has written or read last.
   *
   * @throws when the rows could not be read
   */
  async isUpToDate(): Promise<boolean> {
    const { count, versions } = await this.#store.sum()
    let known = 0
    for (const { ledger } of this.#keepers.values()) known += ledger.version
    return count === this.#keepers.size && versions === known
  }

  /**
   * Closes connections that this node does not own any more, keeps rows that it owns without a keeper, and reads rows that others
   * have written.
   *
   * @throws when the rows of this node could not be read
   */
  async verify(): Promise<void> {
    // The answer does not have rows that this node claims during the read.
    const before = [...this.#keepers.values()]
    const held = new Map((await this.#store.held()).map((row) => [row.id, row]))
    if (this.#stopped) return
    for (const keeper of before)
      if (!held.has(keeper.claimed.id)) this.#drop(keeper.claimed.id, keeper)
    for (const { id, fence, version } of held.values()) {
      const keeper = this.#keepers.get(id)
      const isKnown = keeper?.claimed.fence === fence && keeper.ledger.version === version
      if (!isKnown && keeper?.ledger.isWriting !== true) this.#rereads.add(id)
    }
    this.#rereads.start()
  }

  /**
   * Hands connections over to other nodes, make before break: each stays open until its next owner has taken it over, or
   * for 2 s. Connections that are up come first.
   *
   * @param mayGoOn called before each batch
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
   * Pings the broker of a connection; without an answer within 5 s the connection is lost.
   *
   * @returns `null` if this node does not keep the connection
   */
  async check(id: string): Promise<CheckResult | null> {
    const keeper = this.#keepers.get(id)
    if (keeper === undefined) return null
    const result = await keeper.check()
    // The client reads the row after the check, so the row has to have the present status.
    await within(CONFIRM_MS, this.#confirm(id), () => undefined)
    return result
  }

  /** Sends DISCONNECT on all connections; their rows stay as they are until the next owner writes them. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#corrections.stop()
    await this.#rereads.stop()
    await Promise.all(Array.from(this.#keepers.values(), (keeper) => keeper.stop()))
    await this.#activity.stop()
    this.#keepers.clear()
    await this.#writer.stop()
  }

  /** Whether a row of this node may have changed. */
  #concerns(
    { id, revision, managed, desired, generation }: Wanted,
    ownerId: string | null,
  ): boolean {
    const ledger = this.#keepers.get(id)?.ledger
    // This node owns the row without a keeper: the answer to a claim was lost, or the id of the row has changed.
    if (ledger === undefined) return ownerId === this.#setup.ownerId
    ledger.hear(revision)
    const { claimed } = ledger
    if (!managed || ownerId !== this.#setup.ownerId) return true
    if (generation !== claimed.generation || desired !== claimed.desired) return true
    // The feed also delivers writes of this node. The answer to the write shows whether it was one.
    return ledger.isBehind && !ledger.isWriting
  }

  /** The database has executed a write of this node. */
  #settled(ledger: Ledger): void {
    if (ledger.isBehind && !ledger.isWriting) this.#read(ledger.claimed.id)
    else this.#corrections.correct(ledger)
  }

  #read(id: string): void {
    this.#rereads.add(id)
    this.#rereads.start()
  }

  /** Reads the row, and restores its status if it is not the present one. */
  async #confirm(id: string): Promise<void> {
    try {
      await this.#readRows([id])
      if (this.#writer.has(id)) await this.#writer.flush()
    } catch (error) {
      this.#log.debug({ err: error, connection: id }, 'a row could not be confirmed')
    }
  }

  #isFree(row: Wanted, ownerId: string | null): boolean {
    const { id, managed, desired, status, generation, observedGeneration } = row
    const isWanted =
      managed &&
      (desired === 'connected' || generation > observedGeneration || status !== 'disconnected')
    if (!isWanted || this.#keepers.has(id)) return false
    return ownerId === null || !this.#setup.isAlive(ownerId)
  }

  async #readRows(ids: readonly string[]): Promise<void> {
    const before = new Map(ids.map((id) => [id, this.#keepers.get(id)]))
    const rows = await this.#store.read(ids)
    for (const { id } of rows) before.delete(id)
    let isDropped = false
    // The node closes a connection whose id has changed before it keeps it under the new id.
    for (const [id, keeper] of before) {
      if (keeper === undefined) continue
      this.#drop(id, keeper)
      isDropped = true
    }
    this.take(rows)
    // Another program may have taken the owner of a row away that some node has to keep all the same.
    if (isDropped) this.#setup.onFree()
  }

  #keep(row: Claimed): void {
    const known = this.#keepers.get(row.id)
    // Answers can arrive in another order than their requests.
    if (known !== undefined && row.fence < known.claimed.fence) return
    const keeper = known ?? new Keeper(row, this.#options)
    this.#keepers.set(row.id, keeper)
    if (known !== undefined) keeper.update(row)
    if (!this.#writer.has(row.id)) this.#corrections.correct(keeper.ledger)
  }

  async #pass(ids: readonly string[]): Promise<void> {
    const leaving = ids.flatMap((id) => {
      const keeper = this.#keepers.get(id)
      if (keeper === undefined) return []
      this.#keepers.delete(id)
      this.#leaving.set(id, keeper.claimed.fence)
      return [{ keeper, gone: keeper.handOver() }]
    })
    let locked: readonly string[] = []
    try {
      // The next owner continues from the last status.
      await this.#writer.flush()
      locked = await this.#store.release(
        leaving.map(({ keeper: { claimed } }) => ({ id: claimed.id, fence: claimed.fence })),
      )
      await within(HANDOVER_MS, Promise.all(leaving.map(({ gone }) => gone)), () => undefined)
    } finally {
      await Promise.all(leaving.map(({ keeper }) => keeper.stop()))
      for (const { claimed, ledger } of leaving.map(({ keeper }) => keeper)) {
        this.#writer.forget(ledger)
        this.#corrections.forget(claimed.id)
        if (this.#leaving.get(claimed.id) === claimed.fence) this.#leaving.delete(claimed.id)
      }
      // This node still owns them, so it keeps them again.
      for (const id of locked) this.#read(id)
    }
  }

  /** The row is deleted, or another node owns it: closes its connection and writes nothing. */
  #drop(id: string, keeper: Keeper): void {
    if (this.#keepers.get(id) !== keeper) return
    this.#keepers.delete(id)
    this.#corrections.forget(id)
    this.#writer.forget(keeper.ledger)
    void keeper.stop()
  }
}

/**
 * One term of supervision: from the moment when a database with a known history may be supervised to the moment when it
 * may not, or the process ends. Joins what makes one instance a good neighbour of others: its lease, its share of the
 * connections, and the sessions themselves.
 */
import type { Config } from './config/config.ts'
import { writeActivity } from './db/ownership/activity.ts'
import type { FeedRead } from './db/feed/change-feed.ts'
import type { CheckResult } from './db/ownership/checks.ts'
import { Elapsed } from './db/postgres/elapsed.ts'
import { Heartbeat } from './db/ownership/heartbeat.ts'
import type { Beat } from './db/ownership/heartbeat.ts'
import type { Lanes } from './db/postgres/lanes.ts'
import { call, endLease, startDraining } from './db/ownership/leases.ts'
import {
  claim,
  countShares,
  listHeld,
  readOwned,
  release,
  sumHeld,
} from './db/ownership/ownership.ts'
import { readForDial } from './db/secrets/secrets.ts'
import type { Secrets } from './db/secrets/secrets.ts'
import { writeStatuses } from './db/ownership/status-writes.ts'
import type { Log } from './log.ts'
import { DialPermit } from './mqtt/dial/dial-permit.ts'
import type { Resolver } from './dns/resolver.ts'
import { Share } from './mqtt/share.ts'
import { Supervisor } from './mqtt/supervisor.ts'

export interface TermOptions {
  readonly lanes: Lanes
  readonly ownerId: string
  readonly version: string | null
  readonly supervisor: Config['supervisor']
  readonly secrets: Secrets
  readonly resolver: Resolver
  /** Names the history of the database. */
  readonly epoch: string
  readonly log: Log
}

/** How often everything is looked at, whatever was heard. */
const RECONCILE_MS = 30_000
/** A process that ends does not wait for a database that is away. */
const BRIEF = { deadlineMs: 3_000 }

export class Term {
  readonly #options: TermOptions
  readonly #heartbeat: Heartbeat
  readonly #permit: DialPermit
  readonly #supervisor: Supervisor
  readonly #share: Share
  #others: ReadonlySet<string> = new Set()
  /** Since when the lease is renewed again after it had ended, or after a renewal had failed; `null`: long ago. */
  #lapsed: Elapsed | null = null
  #isVerified = true
  #verifying: Promise<void> | null = null
  /** When everything was looked at last; `null`: it is due. */
  #reconciled: Elapsed | null = null
  #isKnown = false
  #isDraining = false

  constructor(options: TermOptions) {
    const { lanes, ownerId, version, supervisor, secrets, epoch, log } = options
    const { dials, keeping } = lanes
    this.#options = options
    this.#heartbeat = new Heartbeat({
      lane: lanes.lease,
      ownerId,
      ttlMs: supervisor.leaseTtlMs,
      version,
      log,
      onBeat: (beat) => {
        this.#onBeat(beat)
      },
    })
    this.#permit = new DialPermit(() => this.#heartbeat.live)
    this.#supervisor = new Supervisor({
      store: {
        read: (ids) => dials.read((sql) => readOwned(sql, ownerId, ids)),
        held: () => dials.read((sql) => listHeld(sql, ownerId)),
        sum: () => dials.read((sql) => sumHeld(sql, ownerId)),
        release: (rows) => keeping.write((sql) => release(sql, ownerId, rows)),
        write: (writes) => keeping.write((sql) => writeStatuses(sql, ownerId, writes)),
        writeActivity: (writes) => keeping.write((sql) => writeActivity(sql, ownerId, writes)),
        secrets: (ids) => readForDial(secrets, ids),
      },
      ownerId,
      isAlive: (id) => this.#others.has(id),
      onFree: () => {
        this.#share.balance()
      },
      permit: this.#permit,
      epoch: () => epoch,
      dialConcurrency: supervisor.dialConcurrency,
      allow: supervisor.allow,
      resolver: options.resolver,
      activityFlushMs: supervisor.activityFlushMs,
      log,
    })
    this.#share = new Share({
      supervisor: this.#supervisor,
      store: {
        count: () => dials.read((sql) => countShares(sql, ownerId)),
        claim: (limits) => keeping.write((sql) => claim(sql, ownerId, limits)),
      },
      mayClaim: () => this.#heartbeat.live && this.#isVerified && !this.#isDraining,
      mayInherit: () => this.#lapsed === null,
      log,
    })
    this.#heartbeat.start()
  }

  get epoch(): string {
    return this.#options.epoch
  }

  /** Connections that are kept, whatever their state. */
  get size(): number {
    return this.#supervisor.size
  }

  /** What the feed has read. */
  reconcile(read: FeedRead): void {
    this.#supervisor.reconcile(read)
  }

  /** Another instance called; `null`: calls may have been missed. */
  hear(called: string | null): void {
    if (called === 'claim') this.#share.balance()
    if (called !== null) return
    this.#reconciled = null
    this.#look()
  }

  /** Asks the broker of a connection that is kept here; `null` if it is not. */
  check(id: string): Promise<CheckResult | null> {
    return this.#supervisor.check(id)
  }

  /**
   * Hands everything over to the other instances, if there are any; without them connections are closed, and whoever
   * comes next finds an owner whose lease has ended.
   *
   * @param budgetMs how long connections may be kept for their next owners
   */
  async end(budgetMs: number): Promise<void> {
    const { lanes, ownerId, log } = this.#options
    const begun = new Elapsed()
    this.#isDraining = true
    this.#permit.revoke()
    await this.#share.stop()
    try {
      const others = await lanes.keeping.write((sql) => startDraining(sql, ownerId), BRIEF)
      if (others > 0) await this.#handOver(begun, budgetMs)
    } catch (error) {
      log.warn({ err: error }, 'connections could not be handed over')
    }
    await this.close()
  }

  /** Closes all connections at once. */
  async close(): Promise<void> {
    const { lanes, ownerId, log } = this.#options
    this.#isDraining = true
    this.#permit.revoke()
    await this.#share.stop()
    await this.#verifying
    await this.#supervisor.stop()
    await this.#heartbeat.stop()
    await lanes.keeping
      .write((sql) => endLease(sql, ownerId), BRIEF)
      .catch((error: unknown) => {
        log.warn({ err: error }, 'the lease could not be ended; it ends by itself')
      })
  }

  async #handOver(begun: Elapsed, budgetMs: number): Promise<void> {
    const count = this.#supervisor.size
    await this.#supervisor.handOver(count, () => this.#heartbeat.live && begun.ms < budgetMs)
    this.#options.log.info({ count: count - this.#supervisor.size }, 'connections are handed over')
  }

  #onBeat({ lapsed, missed, others }: Beat): void {
    const { supervisor, log } = this.#options
    if (lapsed) {
      log.warn('the lease had ended; it is renewed, and what others have taken is let go')
      this.#lapsed = new Elapsed()
      this.#isVerified = false
      this.#permit.revoke()
    } else if (missed) {
      // What has kept this node from renewing may have kept the others, too: their leases prove nothing now.
      this.#lapsed = new Elapsed()
    } else if (this.#lapsed !== null && this.#lapsed.ms >= supervisor.leaseTtlMs) {
      this.#lapsed = null
      this.#reconciled = null
    }
    const before = this.#others
    this.#others = new Set(others)
    if (before.symmetricDifference(this.#others).size > 0) this.#reconciled = null
    if (!this.#isKnown) this.#introduce()
    this.#supervisor.forget()
    this.#look()
  }

  /** The others make room for a newcomer. */
  #introduce(): void {
    const { lanes, log } = this.#options
    this.#isKnown = true
    const introduce = lanes.keeping.write((sql) => call(sql, 'claim'))
    introduce.catch((error: unknown) => {
      log.debug({ err: error }, 'the other instances could not be called')
    })
  }

  /** Lets dials go on, after everything that is in doubt or due was verified. */
  #look(): void {
    if (this.#isDraining || !this.#heartbeat.live) return
    if (this.#isVerified) this.#permit.grant()
    const isDue = this.#reconciled === null || this.#reconciled.ms >= RECONCILE_MS
    this.#verifying ??= this.#verify(isDue || !this.#isVerified).finally(() => {
      this.#verifying = null
    })
  }

  /** @param whole whether everything is read; else a glance decides whether that is necessary */
  async #verify(whole: boolean): Promise<void> {
    const lapsed = this.#lapsed
    try {
      if (!whole && (await this.#supervisor.isUpToDate())) return
      await this.#supervisor.verify()
    } catch (error) {
      this.#options.log.warn({ err: error }, 'what is ours could not be verified; trying again')
      return
    }
    // It has ended once more meanwhile: the next beat verifies again.
    if (this.#lapsed !== lapsed || this.#isDraining) return
    this.#isVerified = true
    this.#reconciled = new Elapsed()
    this.#permit.grant()
    this.#share.balance()
  }
}

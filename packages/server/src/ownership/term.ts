/**
 * One term of supervision: from the moment when this node may supervise the database until it may not, or the process
 * ends. Joins the lease, the share of the connections and their sessions; term-state.ts decides.
 */
import type { Config } from '../config/config.ts'
import type { FeedRead } from '../db/feed/change-feed.ts'
import { writeActivity } from '../db/ownership/activity.ts'
import { call } from '../db/ownership/calls.ts'
import { endLease, startDraining } from '../db/ownership/leases.ts'
import {
  claim,
  countShares,
  listHeld,
  readOwned,
  release,
  sumHeld,
} from '../db/ownership/ownership.ts'
import { writeStatuses } from '../db/ownership/status-writes.ts'
import type { Lanes } from '../db/postgres/lanes.ts'
import { readForDial } from '../db/secrets/secrets.ts'
import type { Secrets } from '../db/secrets/secrets.ts'
import type { Resolver } from '../dns/resolver.ts'
import type { Log } from '../log.ts'
import type { CheckResult } from '../model/check-result.ts'
import { Supervisor } from '../mqtt/supervisor.ts'
import { elapsedMs, instant } from './instant.ts'
import type { Instant } from './instant.ts'
import { Permit } from './permit.ts'
import { Renewal } from './renewal.ts'
import { Share } from './share.ts'
import { isAlive, JOINING, mayClaim, mayInherit, step } from './term-state.ts'
import type { TermEffect, TermEvent, TermState } from './term-state.ts'

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

/** A process that ends does not wait longer for a database that does not answer. */
const BRIEF = { deadlineMs: 3_000 }

export class Term {
  readonly #options: TermOptions
  readonly #renewal: Renewal
  readonly #permit: Permit
  readonly #supervisor: Supervisor
  readonly #share: Share
  #state: TermState = JOINING
  #verifying: Promise<void> | null = null

  constructor(options: TermOptions) {
    const { lanes, ownerId, version, supervisor, log } = options
    this.#options = options
    this.#renewal = new Renewal({
      lane: lanes.lease,
      ownerId,
      ttlMs: supervisor.leaseTtlMs,
      version,
      log,
      onRenewed: (renewed) => {
        if (renewed.lapsed)
          log.warn(
            'the lease had ended and is renewed; this node closes connections that other nodes have claimed',
          )
        this.#handle({ kind: 'renewed', ...renewed })
        this.#supervisor.forget()
      },
    })
    this.#permit = new Permit(() => this.#renewal.live)
    this.#supervisor = this.#createSupervisor()
    this.#share = new Share({
      supervisor: this.#supervisor,
      store: {
        count: () => lanes.dials.read((sql) => countShares(sql, ownerId)),
        claim: (limits) => lanes.keeping.write((sql) => claim(sql, ownerId, limits)),
      },
      mayClaim: () => this.#renewal.live && mayClaim(this.#state),
      mayInherit: () => mayInherit(this.#state),
      log,
    })
    this.#renewal.start()
  }

  get epoch(): string {
    return this.#options.epoch
  }

  /** Connections that this node keeps, whatever their status. */
  get size(): number {
    return this.#supervisor.size
  }

  /** The feed has read rows. */
  reconcile(read: FeedRead): void {
    this.#supervisor.reconcile(read)
  }

  /** A node has called all nodes; `null`: this node may have missed calls. */
  receive(call: string | null): void {
    if (call === 'claim') this.#share.balance()
    if (call === null) this.#handle({ kind: 'callsMissed', isLive: this.#renewal.live })
  }

  /** Pings the broker of a connection that this node keeps; `null` if it does not keep it. */
  check(id: string): Promise<CheckResult | null> {
    return this.#supervisor.check(id)
  }

  /**
   * Hands all connections over to other nodes. If there is no other node, closes them: the next node that starts finds an
   * owner whose lease has ended.
   *
   * @param budgetMs how long connections may stay open for their next owners
   */
  async end(budgetMs: number): Promise<void> {
    const { lanes, ownerId, log } = this.#options
    const begun = instant()
    this.#handle({ kind: 'drained' })
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
    this.#handle({ kind: 'drained' })
    await this.#share.stop()
    await this.#verifying
    await this.#supervisor.stop()
    await this.#renewal.stop()
    await lanes.keeping
      .write((sql) => endLease(sql, ownerId), BRIEF)
      .catch((error: unknown) => {
        log.warn({ err: error }, 'the lease could not be ended; it ends after LEASE_TTL_MS')
      })
  }

  #createSupervisor(): Supervisor {
    const { lanes, ownerId, supervisor, secrets, resolver, epoch, log } = this.#options
    const { dials, keeping } = lanes
    return new Supervisor({
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
      isAlive: (id) => isAlive(this.#state, id),
      onFree: () => {
        this.#share.balance()
      },
      permit: this.#permit,
      epoch: () => epoch,
      dialConcurrency: supervisor.dialConcurrency,
      allow: supervisor.allow,
      resolver,
      activityFlushMs: supervisor.activityFlushMs,
      log,
    })
  }

  async #handOver(begun: Instant, budgetMs: number): Promise<void> {
    const count = this.#supervisor.size
    await this.#supervisor.handOver(count, () => this.#renewal.live && elapsedMs(begun) < budgetMs)
    this.#options.log.info({ count: count - this.#supervisor.size }, 'connections are handed over')
  }

  #handle(event: TermEvent): void {
    const context = { now: instant(), ttlMs: this.#options.supervisor.leaseTtlMs }
    const [state, effects] = step(this.#state, event, context)
    this.#state = state
    for (const effect of effects) this.#perform(effect)
  }

  #perform(effect: TermEffect): void {
    switch (effect) {
      case 'introduce':
        this.#introduce()
        return
      case 'grant':
        this.#permit.grant()
        return
      case 'revoke':
        this.#permit.revoke()
        return
      case 'verify':
      case 'glance':
        this.#verifying = this.#verify(effect)
        return
      case 'balance':
        this.#share.balance()
    }
  }

  /** The other nodes hand over a share to this one. */
  #introduce(): void {
    const { lanes, log } = this.#options
    lanes.keeping
      .write((sql) => call(sql, 'claim'))
      .catch((error: unknown) => {
        log.debug({ err: error }, 'the other nodes could not be called')
      })
  }

  async #verify(how: 'verify' | 'glance'): Promise<void> {
    this.#handle(await this.#read(how))
  }

  async #read(how: 'verify' | 'glance'): Promise<TermEvent> {
    try {
      if (how === 'glance' && (await this.#supervisor.isUpToDate())) return { kind: 'upToDate' }
      await this.#supervisor.verify()
      return { kind: 'verified' }
    } catch (error) {
      this.#options.log.warn(
        { err: error },
        'the rows of this node could not be verified; trying again with the next renewal',
      )
      return { kind: 'unreadable' }
    }
  }
}

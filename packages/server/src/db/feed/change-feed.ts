/**
 * Delivers the changes of `connections`, by any writer. The feed reads after every notification, on a timer, and after every
 * new listening session. A lost notification only delays a change until the timer. One read at a time.
 */
import type { PostgresAddress } from '../../config/connection-string/address.ts'
import type { Log } from '../../log.ts'
import { within } from '../../model/deadline.ts'
import { confirmEpoch } from './epoch.ts'
import { readSince, START } from './feed-read.ts'
import type { FeedAnswer, FeedRead, Position } from './feed-read.ts'
import { readChannels } from '../schema/installation.ts'
import { Listener } from './listener.ts'
import type { ListenerTiming } from './listener.ts'
import type { Database } from '../postgres/lane.ts'
import { TimeWatch } from './time-watch.ts'

export type { FeedRead, FeedRow, FeedTombstone } from './feed-read.ts'

/** Notifications within this time after a read share the next read. */
const GATHER_MS = 10
/** A read that takes longer fails: the network path of its session is probably cut. */
const READ_MS = 15_000

/** The result of a read. The position of the feed advances when the result is delivered, and not before. */
type Found = FeedAnswer & { readonly kind: FeedRead['kind'] }

export interface ChangeFeedOptions {
  /** Reads go through it. */
  readonly lane: Database
  /** For statements that may take minutes. */
  readonly upkeep: Database
  readonly listenAddress: PostgresAddress | string
  /** How often the feed reads without a notification, in ms. */
  readonly pollMs: number
  /** Whether a copy is adopted without an operator's command. @default false */
  readonly adopt?: boolean
  readonly listenerTiming?: ListenerTiming
  /** How long a read may take, in ms. @default 15_000 */
  readonly readMs?: number
  readonly log: Log
  readonly onRead: (read: FeedRead) => void
  /** A node has called all nodes; `null`: this node may have missed calls. */
  readonly onCall?: (call: string | null) => void
  /** `stale`: the database was not read for three polls, and at least five seconds; `live` ends it. */
  readonly onState: (state: 'live' | 'stale', since: Date) => void
}

/** How long the database may go unread before the feed is stale. */
const STALE_AFTER_POLLS = 3
const LEAST_STALE_MS = 5_000

export class ChangeFeed {
  readonly #options: ChangeFeedOptions
  readonly #listener: Listener
  readonly #staleAfterMs: number

  #epoch: string | null = null
  #position = START
  #readOnly = false
  #startsOver = false

  #running: Promise<void> | null = null
  #queued: Promise<void> | null = null
  #startedAt = Number.NEGATIVE_INFINITY
  readonly #times: TimeWatch
  #lastGoodAt = new Date()
  #state: 'live' | 'stale' = 'live'
  #failing = false
  #stopped = false
  #gather: NodeJS.Timeout | null = null
  #poll: NodeJS.Timeout | null = null
  #staleness: NodeJS.Timeout | null = null

  constructor(options: ChangeFeedOptions) {
    this.#options = options
    this.#times = new TimeWatch(options.log)
    this.#staleAfterMs = Math.max(LEAST_STALE_MS, STALE_AFTER_POLLS * options.pollMs)
    this.#listener = new Listener({
      address: options.listenAddress,
      ...(options.listenerTiming === undefined ? {} : { timing: options.listenerTiming }),
      log: options.log,
      onPoke: () => {
        this.#poke()
      },
      ...(options.onCall === undefined ? {} : { onCall: options.onCall }),
    })
  }

  get state(): 'live' | 'stale' {
    return this.#state
  }

  /** Whether notifications arrive; otherwise changes are delivered by the timer. */
  get listening(): boolean {
    return this.#listener.listening
  }

  /** Whether the database took no writes when it was read last: a standby, or an old primary after a failover. */
  get readOnly(): boolean {
    return this.#readOnly
  }

  get metrics(): { readonly reconnects: number; readonly notifications: number } {
    return { reconnects: this.#listener.reconnects, notifications: this.#listener.notifications }
  }

  /**
   * Delivers the first snapshot, then listens.
   *
   * @throws when the database can't be read
   */
  async start(): Promise<void> {
    // A copy with many rows takes longer than a read may take.
    await this.#confirm()
    await this.read()
    this.#listener.start(await this.#options.lane.read(readChannels))
    this.#schedulePoll()
  }

  /**
   * Resolves after one read that began after this call; callers that wait for the same one share it.
   *
   * @throws when that read failed
   */
  read(): Promise<void> {
    if (this.#stopped) return Promise.reject(new Error('The feed has ended'))
    // A queued read has not begun, not even right after the read before it has ended.
    if (this.#queued !== null) return this.#queued
    if (this.#running === null) return this.#begin()
    // The read under way may have taken its snapshot of the database already.
    this.#queued = this.#running
      .catch(() => undefined)
      .then(() => {
        this.#queued = null
        return this.#begin()
      })
    return this.#queued
  }

  /** Delivers a snapshot with the next read, for a reader that begins with all rows. */
  startOver(): void {
    this.#startsOver = true
    this.#poke()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    for (const timer of [this.#gather, this.#poll, this.#staleness])
      clearTimeout(timer ?? undefined)
    await this.#listener.stop()
    await this.#running?.catch(() => undefined)
    clearTimeout(this.#staleness ?? undefined)
  }

  #begin(): Promise<void> {
    this.#startedAt = performance.now()
    const running = this.#read().finally(() => {
      if (this.#running === running) this.#running = null
    })
    this.#running = running
    return running
  }

  async #read(): Promise<void> {
    try {
      // Only a delivered result advances the mark: the answer to a read that has timed out is dropped.
      const read = this.#advance(await within(this.#options.readMs ?? READ_MS, this.#fetch()))
      this.#times.note(read)
      // In this order: the hub must have the rows before it says `live`.
      if (!this.#stopped) this.#options.onRead(read)
      this.#succeeded()
    } catch (error) {
      this.#failed(error)
      throw error
    }
  }

  async #fetch(): Promise<Found> {
    if (this.#epoch !== null && !this.#startsOver) {
      const { xmin } = this.#position
      const found = await this.#ask(this.#position)
      const continued = found.epoch === this.#epoch && found.floor <= xmin && found.mark >= xmin
      const settled = found.own && (found.adopted || this.#options.adopt !== true)
      if (continued && settled) return { kind: 'changes', ...found }
    }
    // The database behind the address may have become another one at any time.
    await this.#confirm()
    const found = await this.#ask(START)
    if (!found.own) throw new Error('The database has just become a copy of another one')
    return { kind: 'snapshot', ...found }
  }

  async #ask(since: Position): Promise<FeedAnswer> {
    const found = await this.#options.lane.read((sql) => readSince(sql, since), {
      deadlineMs: this.#options.readMs ?? READ_MS,
    })
    this.#readOnly = found.readOnly
    return found
  }

  async #confirm(): Promise<void> {
    const { upkeep, log, adopt } = this.#options
    if (await confirmEpoch(upkeep, adopt))
      log.info('the database is a copy with a history of its own: new epoch')
  }

  /** The next read continues after this one. */
  #advance(found: Found): FeedRead {
    if (found.kind === 'snapshot') this.#startsOver = false
    this.#epoch = found.epoch
    this.#position = found.position
    return found
  }

  #succeeded(): void {
    if (this.#stopped) return
    if (this.#failing) this.#options.log.info('the database can be read again')
    this.#failing = false
    this.#lastGoodAt = new Date()
    clearTimeout(this.#staleness ?? undefined)
    this.#staleness = setTimeout(() => {
      this.#turn('stale', this.#lastGoodAt)
    }, this.#staleAfterMs)
    this.#turn('live', this.#lastGoodAt)
  }

  #failed(error: unknown): void {
    if (!this.#failing && !this.#stopped)
      this.#options.log.warn({ err: error }, 'the database can not be read')
    this.#failing = true
  }

  #turn(state: 'live' | 'stale', since: Date): void {
    if (this.#state === state) return
    this.#state = state
    this.#options.onState(state, since)
  }

  /** The first notification after an idle moment starts a read at once; those that follow share one. */
  #poke(): void {
    if (this.#stopped || this.#gather !== null) return
    const waitMs = this.#startedAt + GATHER_MS - performance.now()
    if (waitMs <= 0 && this.#running === null) {
      this.#readSoon()
      return
    }
    this.#gather = setTimeout(
      () => {
        this.#gather = null
        this.#readSoon()
      },
      Math.max(0, waitMs),
    )
  }

  #readSoon(): void {
    // Its failure is logged where it happens, and the timer tries again.
    if (!this.#stopped) this.read().catch(() => undefined)
  }

  #schedulePoll(): void {
    if (this.#stopped) return
    this.#poll = setTimeout(() => {
      this.#readSoon()
      this.#schedulePoll()
    }, this.#options.pollMs)
  }
}

/**
 * Fan-out: the hub sends the rows that the feed reads to the subscribers that watch them. It encodes a row once, and
 * builds a frame once for all subscribers with the same watch. A subscriber that reads slowly gets the latest rows later.
 * The hub depends neither on Postgres nor on a kind of socket.
 */
import type { Connection, WatchFilter } from '@mqtt-status/protocol'
import { StatusError } from '../errors.ts'
import type { Log } from '../log.ts'
import { LoopShare } from '../model/loop-share.ts'
import { cursorOf, pagerOf } from './answer.ts'
import type { Unanswered } from './backlog.ts'
import { Frame } from './frames.ts'
import { Mirror, project } from './mirror.ts'
import type { HubRead } from './mirror.ts'
import { toFrame } from './pages.ts'
import { queryOnce } from './query.ts'
import type { Query } from './query.ts'
import type { HubScope } from './scope.ts'
import { Subscriber } from './subscriber.ts'
import type { Delivery, Host, Sink } from './subscriber.ts'
import { Summaries } from './summary.ts'
import { Watches } from './watch.ts'
import type { Watch } from './watch.ts'

export type { HubRead } from './mirror.ts'
export type { Query } from './query.ts'
export type { HubScope } from './scope.ts'
export type { WatchRequest } from './backlog.ts'
export type { Sink } from './subscriber.ts'
export { Subscriber } from './subscriber.ts'

export interface HubOptions {
  /** Resolves after a read of the database that began after the call. */
  readonly read: () => Promise<void>
  /** The time for which the hub gathers changes after the first one, in ms. @default 50 */
  readonly tickMs?: number
  /** Ids and sites that one subscriber may name. @default 1000 */
  readonly watchLimit?: number
  /** The time after which the hub closes a subscriber whose sink drains nothing, in ms. @default 30_000 */
  readonly tooSlowMs?: number
  /** The wall clock, in ms since the epoch. @default Date.now */
  readonly now?: () => number
  readonly log: Log
}

const SWEEP_MS = 1_000
const RETRY_MS = 1_000
/** The time for which the hub writes answers before it yields to other work. */
const ANSWERING_MS = 10

/** Watches that wait for a read of the database, with their subscribers. */
type Questions = Map<Unanswered, Subscriber>

export class Hub {
  readonly #read: () => Promise<void>
  readonly #tickMs: number
  readonly #now: () => number
  readonly #log: Log
  readonly #mirror = new Mirror()
  readonly #watches = new Watches<Subscriber>()
  readonly #summaries: Summaries
  readonly #host: Host
  readonly #subscribers = new Set<Subscriber>()
  readonly #dirty = new Set<Watch<Subscriber>>()
  readonly #sweep: NodeJS.Timeout
  readonly #share = new LoopShare(ANSWERING_MS)
  #questions: Questions = new Map()
  #asking = false
  #retry: NodeJS.Timeout | null = null
  #tick: NodeJS.Timeout | null = null
  #flushedAt = Number.NEGATIVE_INFINITY
  #stopped = false
  #staleSince: Date | null = null

  readonly watchLimit: number

  constructor({
    read,
    tickMs = 50,
    watchLimit = 1_000,
    tooSlowMs = 30_000,
    now = Date.now,
    log,
  }: HubOptions) {
    this.#read = read
    this.#tickMs = tickMs
    this.#now = now
    this.#log = log
    this.watchLimit = watchLimit
    this.#summaries = new Summaries(this.#mirror, now)
    this.#host = {
      mirror: this.#mirror,
      watches: this.#watches,
      summaries: this.#summaries,
      watchLimit,
      tooSlowMs,
      now,
      ask: (subscriber, asked) => {
        if (this.#questions.has(asked)) return false
        this.#questions.set(asked, subscriber)
        void this.#answerAll()
        return true
      },
      later: (work) => {
        this.#share.later(work)
      },
      left: (subscriber, error) => {
        this.#subscribers.delete(subscriber)
        if (error !== undefined)
          log.warn({ err: error }, 'a subscriber was dropped: its sink failed')
      },
    }
    this.#sweep = setInterval(
      () => {
        const nowMs = now()
        for (const subscriber of [...this.#subscribers]) subscriber.sweep(nowMs)
      },
      Math.min(SWEEP_MS, tooSlowMs / 5),
    )
    this.#sweep.unref()
  }

  get epoch(): string {
    return this.#mirror.epoch
  }

  /** The number of open subscribers. */
  get size(): number {
    return this.#subscribers.size
  }

  /** Distinct watches and summaries, for leak checks. */
  get watchCount(): number {
    return this.#watches.size + this.#summaries.size
  }

  subscribe(sink: Sink, scope: HubScope): Subscriber {
    const subscriber = new Subscriber(this.#host, sink, scope)
    this.#subscribers.add(subscriber)
    if (this.#staleSince !== null) subscriber.tell(feedFrame('stale', this.#staleSince))
    return subscriber
  }

  /** Takes a read of the feed. */
  publish(read: HubRead): void {
    const former = this.#mirror.epoch
    const touched = this.#mirror.apply(read)
    if (former !== '' && former !== read.epoch) {
      // The database has another history, so every row and cursor that clients hold is invalid.
      for (const subscriber of [...this.#subscribers]) subscriber.end('resync')
      return
    }
    for (const [id, sites] of touched) {
      for (const watch of this.#watches.concerned(id, sites)) {
        watch.dirty.add(id)
        this.#dirty.add(watch)
      }
    }
    this.#summaries.touch(touched)
    if (touched.size > 0) this.#schedule()
  }

  /** Sends to all subscribers whether the node still reads its database. */
  setFeedState(state: 'live' | 'stale', since: Date): void {
    this.#staleSince = state === 'stale' ? since : null
    // The hub sends changes first: after `live` a client shows its rows as current.
    if (state === 'live') this.#flush()
    const frame = feedFrame(state, since)
    for (const subscriber of [...this.#subscribers]) subscriber.tell(frame)
  }

  /**
   * Returns one answer as pieces of JSON, after a read of the database that began after the call.
   *
   * @throws StatusError `database_unavailable`
   */
  async query(scope: HubScope, query: WatchFilter & Query): Promise<Iterable<string>> {
    await this.#fresh()
    return queryOnce(this.#mirror, scope, { ...query, now: new Date(this.#now()).toISOString() })
  }

  /**
   * Returns one row with the fields that this scope may see; `null` if there is none.
   *
   * @throws StatusError `database_unavailable`
   */
  async get(scope: HubScope, id: string): Promise<Connection | null> {
    await this.#fresh()
    const row = this.#mirror.rows.get(id)
    if (row === undefined || !scope.permits(id, row.connection.siteId)) return null
    return project(row.connection, scope.control)
  }

  project(connection: Connection, scope: HubScope): Connection {
    return project(connection, scope.control)
  }

  /** Stops all timers. The transports close the subscribers. */
  stop(): void {
    this.#stopped = true
    clearInterval(this.#sweep)
    clearTimeout(this.#tick ?? undefined)
    clearTimeout(this.#retry ?? undefined)
    this.#questions.clear()
    this.#summaries.stop()
  }

  async #fresh(): Promise<void> {
    try {
      await this.#read()
    } catch (cause) {
      throw new StatusError(
        'database_unavailable',
        'The database can not be read at the moment; try again.',
        {
          cause,
        },
      )
    }
  }

  /** All requests that wait share one read; those that arrive during the read wait for the next one. */
  async #answerAll(): Promise<void> {
    // During an outage one timer retries the read for all requests.
    if (this.#asking || this.#retry !== null) return
    this.#asking = true
    while (this.#questions.size > 0) {
      const asked = this.#questions
      this.#questions = new Map()
      try {
        await this.#read()
      } catch {
        if (this.#stopped) return
        // The hub never answers with old rows, so the requests wait until the node can read the database again.
        this.#askAgain(asked)
        this.#retry = setTimeout(() => {
          this.#retry = null
          void this.#answerAll()
        }, RETRY_MS)
        break
      }
      // The hub sends changes first, so that the answers can have a cursor.
      this.#flush()
      await this.#answer(asked)
    }
    this.#asking = false
  }

  /** The same watch may have been asked again meanwhile; one read is enough for both. */
  #askAgain(asked: Questions): void {
    for (const [one, subscriber] of asked) {
      if (this.#questions.has(one)) one.reads--
      else this.#questions.set(one, subscriber)
    }
  }

  /** Yields to other work every 10 ms: the answers to a fleet that reconnects together can take seconds. */
  async #answer(asked: Questions): Promise<void> {
    let began = performance.now()
    for (const [one, subscriber] of asked) {
      subscriber.answer(one)
      if (performance.now() - began < ANSWERING_MS) continue
      await new Promise((resolve) => setImmediate(resolve))
      began = performance.now()
    }
  }

  /** Sends the first change after an idle tick at once, and gathers those that follow until the next tick. */
  #schedule(): void {
    if (this.#tick !== null) return
    const waitMs = this.#flushedAt + this.#tickMs - performance.now()
    if (waitMs <= 0) {
      this.#flush()
      return
    }
    this.#tick = setTimeout(() => {
      this.#flush()
    }, waitMs)
  }

  #flush(): void {
    clearTimeout(this.#tick ?? undefined)
    this.#tick = null
    const watches = [...this.#dirty]
    this.#dirty.clear()
    for (const watch of watches) {
      const delivery = this.#prepare(watch)
      watch.dirty.clear()
      for (const member of [...watch.members]) member.deliver(delivery)
    }
    const summaries = this.#summaries.flush()
    if (watches.length + summaries === 0) return
    this.#flushedAt = performance.now()
    this.#log.debug({ watches: watches.length, summaries }, 'changes delivered')
  }

  #prepare(watch: Watch<Subscriber>): Delivery {
    const ids = [...watch.dirty]
    let built: readonly Frame[] | null = null
    const frames = (): readonly Frame[] => (built ??= [...this.#build(watch, ids)])
    return { ids, frames }
  }

  *#build(watch: Watch<Subscriber>, ids: readonly string[]): Iterable<Frame> {
    const pager = pagerOf(this.#mirror, () => watch, { ids })
    for (;;) {
      const { page, last } = pager.next()
      if (page.connections.length + page.removed.length > 0) {
        const cursor = last ? cursorOf(this.#mirror, watch.scope) : null
        yield toFrame(page, { type: 'patch', cursor })
      }
      if (last) return
    }
  }
}

function feedFrame(state: 'live' | 'stale', since: Date): Frame {
  return Frame.of({ type: 'feed', state, since: since.toISOString() })
}

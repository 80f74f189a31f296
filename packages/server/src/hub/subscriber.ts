/**
 * One WebSocket or SSE stream: what it watches, and what the hub has not written to it yet.
 *
 *   current ──watch, no room, new scope──▶ owing ──all written──▶ current          any ──close──▶ closed
 *
 * `current`: it gets the frames that all subscribers with the same watch share. `owing`: it gets frames of its own while
 * its sink has room, answers first, then the latest rows of the ids that changed meanwhile. The hub only keeps those ids,
 * so a slow subscriber costs the same however long it takes. While it owes anything, frames carry no cursor.
 */
import type { CloseName, WatchFilter } from '@mqtt-status/protocol'
import { answerTo, cursorOf, lostWith, pagerOf } from './answer.ts'
import type { Answer } from './answer.ts'
import { Frame } from './frames.ts'
import type { Mirror } from './mirror.ts'
import { Pager, toFrame } from './pages.ts'
import type { HubScope } from './scope.ts'
import type { SummaryGroup, SummaryMember } from './summary-group.ts'
import type { Summaries } from './summary.ts'
import { holds, NOTHING, select, toFilter, union, without } from './watch.ts'
import type { Filter, Watch, Watches } from './watch.ts'

/** A socket or stream that the hub writes frames to. */
export interface Sink {
  send(frame: Frame): void
  /** Bytes that the sink has buffered. */
  readonly bufferedBytes: number
  close(name: CloseName): void
}

export interface WatchRequest extends WatchFilter {
  readonly id?: number
  readonly cursor?: string
}

/** The part of the hub that a subscriber needs. */
export interface Host {
  readonly mirror: Mirror
  readonly watches: Watches<Subscriber>
  readonly summaries: Summaries
  readonly watchLimit: number
  readonly tooSlowMs: number
  readonly now: () => number
  /** Answers this request after a read of the database that begins from now on. */
  readonly ask: (subscriber: Subscriber, request: WatchRequest) => void
  /** The subscriber is closed; with an error if its sink threw it. */
  readonly left: (subscriber: Subscriber, error?: unknown) => void
}

/** Changes of one tick for all members of one watch; the frames are built when the first one needs them. */
export interface Delivery {
  readonly ids: readonly string[]
  readonly frames: () => readonly Frame[]
}

type State =
  | { readonly kind: 'current' }
  | {
      readonly kind: 'owing'
      readonly answers: Answer[]
      readonly dirty: Set<string>
      readonly summaries: Set<SummaryGroup>
      /** Watches that wait for a read of the database. */
      unanswered: number
      /** The time since which the sink has drained nothing, in ms; `null` while it has room. */
      blockedAt: number | null
    }
  | { readonly kind: 'closed' }

type Owing = Extract<State, { kind: 'owing' }>

const HIGH_WATER_BYTES = 256 * 1024

export class Subscriber implements SummaryMember {
  readonly #host: Host
  readonly #sink: Sink
  #scope: HubScope
  #watch: Watch<Subscriber>
  /** Groups by site; `null`: the hub has not answered the watch yet. */
  readonly #summaries = new Map<string, SummaryGroup | null>()
  #state: State = { kind: 'current' }
  #lastBuffered = 0

  constructor(host: Host, sink: Sink, scope: HubScope) {
    this.#host = host
    this.#sink = sink
    this.#scope = scope
    this.#watch = host.watches.join(this, scope, NOTHING)
  }

  /** Adds to the watch. The hub answers after a read of the database that began after this call. */
  watch(request: WatchRequest): void {
    if (this.#state.kind === 'closed') return
    const filter = union(this.#watch.filter, toFilter(request))
    const summaries = new Set([...this.#summaries.keys(), ...(request.summary ?? [])])
    const named = filter.connections.size + filter.sites.size + summaries.size
    if (named > this.#host.watchLimit) {
      this.#refuse(request.id)
      return
    }
    for (const site of summaries) if (!this.#summaries.has(site)) this.#summaries.set(site, null)
    this.#owe().unanswered++
    this.#turnTo(this.#scope, filter)
    this.#host.ask(this, request)
  }

  /** The hub calls it with a request of `ask` after the read of the database. */
  answer(request: WatchRequest): void {
    if (this.#state.kind === 'closed') return
    const owing = this.#owe()
    owing.unanswered--
    const { id, cursor } = request
    owing.answers.push(
      answerTo(this.#host.mirror, () => this.#watch, { filter: toFilter(request), id, cursor }),
    )
    for (const site of request.summary ?? []) {
      // The client may have sent an unwatch in the meantime.
      if (this.#summaries.has(site)) owing.summaries.add(this.#joinSummary(site))
    }
    this.#pump()
  }

  /** Removes from the watch, and sends nothing. */
  unwatch(named: WatchFilter): void {
    if (this.#state.kind === 'closed') return
    for (const site of named.summary ?? []) this.#leaveSummary(site)
    this.#turnTo(this.#scope, without(this.#watch.filter, toFilter(named)))
    this.#pump()
  }

  /** Applies the scope of a new token: sends removals of rows that it does not cover, and the rows that it adds. */
  rescope(scope: HubScope): void {
    if (this.#state.kind === 'closed') return
    const { mirror } = this.#host
    const before = { scope: this.#scope, filter: this.#watch.filter }
    if (before.scope.key === scope.key && before.scope.control === scope.control) return
    const owing = this.#owe()
    const { answers, dirty } = owing
    const unsent = [...this.#watch.dirty, ...dirty, ...answers.flatMap(({ ids }) => ids)]
    const removed = lostWith(mirror, before, { scope, unsent })
    const sites = [...this.#summaries].flatMap(([site, group]) => (group === null ? [] : [site]))
    for (const site of sites) this.#leaveSummary(site)
    this.#scope = scope
    this.#turnTo(scope, before.filter)
    owing.answers.push({
      type: 'patch',
      id: undefined,
      isAnswer: false,
      ids: [],
      pager: new Pager({ removed }),
    })
    // With or without `control` every row has other fields, so the subscriber gets all of them again.
    for (const { connection } of select(mirror, scope, before.filter)) {
      const known = holds(before.scope, before.filter, connection)
      if (!known || before.scope.control !== scope.control) owing.dirty.add(connection.id)
    }
    for (const site of sites) owing.summaries.add(this.#joinSummary(site))
    this.#pump()
  }

  /** Sends the changes of a tick, or keeps their ids. */
  deliver({ ids, frames }: Delivery): void {
    if (this.#state.kind === 'current') {
      let written = 0
      const pages = frames()
      for (const frame of pages) {
        if (!this.#hasRoom()) break
        if (!this.#send(frame)) return
        written++
      }
      if (written === pages.length) return
    }
    if (this.#state.kind === 'closed') return
    const owing = this.#owe()
    for (const id of ids) owing.dirty.add(id)
    this.#pump()
  }

  summarise(group: SummaryGroup): void {
    if (this.#state.kind === 'closed') return
    if (this.#state.kind === 'current' && this.#hasRoom()) {
      if (group.frame !== null) this.#send(group.frame)
      return
    }
    this.#owe().summaries.add(group)
    this.#pump()
  }

  /** Sends a short message, also if the buffer is over the high-water mark. */
  tell(frame: Frame): void {
    if (this.#state.kind !== 'closed') this.#send(frame)
  }

  /** Sends the ping of the protocol, with the cursor if every change is written. */
  ping(): void {
    const cursor = this.#settled() ? cursorOf(this.#host.mirror, this.#scope) : null
    const now = new Date(this.#host.now()).toISOString()
    this.tell(Frame.of({ type: 'ping', now, ...(cursor === null ? {} : { cursor }) }))
  }

  /** The sink has room again. */
  drained(): void {
    if (this.#state.kind === 'owing') this.#pump()
  }

  /** Called every second: closes a subscriber whose buffer has not drained for `tooSlowMs`. */
  sweep(nowMs: number): void {
    // A client that sends requests but does not read the replies gets no new frames until its buffer drains.
    if (this.#state.kind === 'current' && !this.#hasRoom()) this.#owe().blockedAt = nowMs
    const state = this.#state
    if (state.kind !== 'owing' || state.blockedAt === null) return
    const buffered = this.#sink.bufferedBytes
    if (buffered < this.#lastBuffered) state.blockedAt = nowMs
    this.#lastBuffered = buffered
    if (this.#hasRoom()) this.#pump()
    else if (nowMs - state.blockedAt >= this.#host.tooSlowMs) this.end('too_slow')
  }

  /** Closes the subscriber and its sink. */
  end(name: CloseName): void {
    this.close()
    this.#sink.close(name)
  }

  /** Leaves all watches and summaries. The transport closes the sink. */
  close(error?: unknown): void {
    if (this.#state.kind === 'closed') return
    this.#state = { kind: 'closed' }
    for (const site of [...this.#summaries.keys()]) this.#leaveSummary(site)
    this.#host.watches.leave(this, this.#watch)
    this.#host.left(this, error)
  }

  #owe(): Owing {
    if (this.#state.kind === 'owing') return this.#state
    const owing: Owing = {
      kind: 'owing',
      answers: [],
      dirty: new Set(),
      summaries: new Set(),
      unanswered: 0,
      blockedAt: null,
    }
    this.#state = owing
    return owing
  }

  /** Replaces the watch; changes of the old one that are not written yet stay owed. */
  #turnTo(scope: HubScope, filter: Filter): void {
    const old = this.#watch
    this.#watch = this.#host.watches.join(this, scope, filter)
    if (this.#watch === old) return
    this.#host.watches.leave(this, old)
    if (old.dirty.size === 0) return
    const owing = this.#owe()
    for (const id of old.dirty) owing.dirty.add(id)
  }

  /** Writes answers and changed rows while the sink has room. */
  #pump(): void {
    while (this.#state.kind === 'owing') {
      const owing = this.#state
      if (!this.#hasRoom()) {
        owing.blockedAt ??= this.#host.now()
        return
      }
      owing.blockedAt = null
      if (!this.#writeNext(owing)) return
    }
  }

  /** @returns whether there may be more to write */
  #writeNext(owing: Owing): boolean {
    const [answer] = owing.answers
    if (answer !== undefined) return this.#writePage(owing, answer)
    if (owing.dirty.size > 0) {
      const ids = [...owing.dirty]
      owing.dirty.clear()
      const pager = pagerOf(this.#host.mirror, () => this.#watch, { ids })
      owing.answers.push({ type: 'patch', id: undefined, isAnswer: false, ids, pager })
      return true
    }
    for (const group of owing.summaries) {
      owing.summaries.delete(group)
      if (group.frame !== null) return this.#send(group.frame)
    }
    if (owing.unanswered > 0) return false
    this.#state = { kind: 'current' }
    return false
  }

  #writePage(owing: Owing, { type, id, isAnswer, pager }: Answer): boolean {
    const { page, last } = pager.next()
    if (last) owing.answers.shift()
    if (!isAnswer && page.connections.length + page.removed.length === 0) return true
    return this.#send(
      toFrame(page, {
        type,
        id,
        final: isAnswer ? last : undefined,
        cursor: last && this.#settled() ? cursorOf(this.#host.mirror, this.#scope) : null,
        now: type === 'snapshot' ? new Date(this.#host.now()).toISOString() : undefined,
      }),
    )
  }

  /** Whether everything that changed before the mark has been written to this sink. */
  #settled(): boolean {
    if (this.#watch.dirty.size > 0) return false
    if (this.#state.kind !== 'owing') return this.#state.kind === 'current'
    const { answers, dirty, unanswered } = this.#state
    return answers.length === 0 && dirty.size === 0 && unanswered === 0
  }

  #hasRoom(): boolean {
    return this.#sink.bufferedBytes <= HIGH_WATER_BYTES
  }

  /** Closes the subscriber if its sink throws. @returns whether the sink took the frame */
  #send(frame: Frame): boolean {
    try {
      this.#sink.send(frame)
      return true
    } catch (error) {
      this.close(error)
      return false
    }
  }

  #refuse(id: number | undefined): void {
    const limit = this.#host.watchLimit
    this.tell(
      Frame.of({
        type: 'error',
        ...(id === undefined ? {} : { id }),
        code: 'limit_watch',
        message: `A socket may watch ${limit} ids and sites by name; nothing of this watch was added. Watch sites or all instead.`,
        retryable: false,
      }),
    )
  }

  #joinSummary(site: string): SummaryGroup {
    const group = this.#host.summaries.join(this, this.#scope, site)
    this.#summaries.set(site, group)
    return group
  }

  #leaveSummary(site: string): void {
    const group = this.#summaries.get(site) ?? null
    this.#summaries.delete(site)
    if (group === null) return
    if (this.#state.kind === 'owing') this.#state.summaries.delete(group)
    this.#host.summaries.leave(this, group)
  }
}

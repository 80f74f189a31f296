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
import { answersTo, changes, cursorOf, pagerOf, refusalOf, turnOf } from './answer.ts'
import type { Answer } from './answer.ts'
import { Backlog } from './backlog.ts'
import type { Unanswered, WatchRequest } from './backlog.ts'
import { Frame } from './frames.ts'
import type { Mirror } from './mirror.ts'
import { Pager, toFrame } from './pages.ts'
import type { HubScope } from './scope.ts'
import type { SummaryGroup, SummaryMember } from './summary-group.ts'
import type { Summaries } from './summary.ts'
import { NOTHING, toFilter, union, without } from './watch.ts'
import type { Filter, Watch, Watches } from './watch.ts'

/** A socket or stream that the hub writes frames to. */
export interface Sink {
  send(frame: Frame): void
  /** Bytes that the sink has buffered. */
  readonly bufferedBytes: number
  close(name: CloseName): void
}

/** The part of the hub that a subscriber needs. */
export interface Host {
  readonly mirror: Mirror
  readonly watches: Watches<Subscriber>
  readonly summaries: Summaries
  readonly watchLimit: number
  readonly tooSlowMs: number
  readonly now: () => number
  /** Answers after a read of the database that begins from now on. @returns `false` if that read is asked for already */
  readonly ask: (subscriber: Subscriber, asked: Unanswered) => boolean
  /** Continues in a later turn of the event loop. */
  readonly later: (work: () => void) => void
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
      /** The answers that the subscriber is writing. */
      readonly answers: Answer[]
      /** Removals of rows that a new scope does not cover, by id, with their revisions. */
      readonly lost: Map<string, number>
      readonly dirty: Set<string>
      readonly summaries: Set<SummaryGroup>
      /** The time since which the sink has drained nothing, in ms; `null` while it has room. */
      blockedAt: number | null
    }
  | { readonly kind: 'closed' }

type Owing = Extract<State, { kind: 'owing' }>

const HIGH_WATER_BYTES = 256 * 1024
/** A page has one watch at a time without an answer, or one for each part of its names. */
const UNANSWERED = { distinct: 256, watches: 10_000, names: 4_000 }
/** The time for which a subscriber writes before it yields to other work. */
const WRITING_MS = 10

export class Subscriber implements SummaryMember {
  readonly #host: Host
  readonly #sink: Sink
  #scope: HubScope
  #watch: Watch<Subscriber>
  /** Groups by site; `null`: the hub has not answered the watch yet. */
  readonly #summaries = new Map<string, SummaryGroup | null>()
  readonly #backlog = new Backlog(UNANSWERED)
  #state: State = { kind: 'current' }
  #lastBuffered = 0
  /** The subscriber writes on in a later turn of the event loop. */
  #isYielding = false

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
      this.tell(refusalOf(request.id, this.#host.watchLimit))
      return
    }
    const asked = this.#backlog.add(request)
    if (asked === null) {
      this.end('abuse')
      return
    }
    for (const site of summaries) if (!this.#summaries.has(site)) this.#summaries.set(site, null)
    this.#owe()
    this.#turnTo(this.#scope, filter)
    if (this.#host.ask(this, asked)) asked.reads++
  }

  /** The hub calls it after a read of the database that `ask` has asked for. */
  answer(asked: Unanswered): void {
    asked.reads--
    if (this.#state.kind === 'closed') return
    const owing = this.#owe()
    for (const site of asked.request.summary ?? []) {
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
    const { answers, dirty, lost } = owing
    const unsent = [...this.#watch.dirty, ...dirty, ...answers.flatMap(({ ids }) => ids)]
    const { removed, changed } = turnOf(mirror, before, { scope, unsent })
    const sites = [...this.#summaries].flatMap(([site, group]) => (group === null ? [] : [site]))
    for (const site of sites) this.#leaveSummary(site)
    this.#scope = scope
    this.#turnTo(scope, before.filter)
    for (const { id, revision } of removed) lost.set(id, revision)
    for (const id of changed) {
      lost.delete(id)
      dirty.add(id)
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

  /** Whether it has more to write in a later turn of the event loop, although its sink has room. */
  get isWriting(): boolean {
    return this.#isYielding
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
      lost: new Map(),
      dirty: new Set(),
      summaries: new Set(),
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
    if (this.#isYielding) return
    const began = performance.now()
    while (this.#state.kind === 'owing') {
      const owing = this.#state
      if (!this.#hasRoom()) {
        owing.blockedAt ??= this.#host.now()
        return
      }
      owing.blockedAt = null
      if (!this.#writeNext(owing)) return
      if (performance.now() - began >= WRITING_MS) {
        this.#yield()
        return
      }
    }
  }

  #yield(): void {
    this.#isYielding = true
    this.#host.later(() => {
      this.#isYielding = false
      this.#pump()
    })
  }

  /** @returns whether there may be more to write */
  #writeNext(owing: Owing): boolean {
    const [answer] = owing.answers
    if (answer !== undefined) return this.#writePage(owing, answer)
    if (owing.lost.size > 0) {
      const removed = Array.from(owing.lost, ([id, revision]) => ({ id, revision }))
      owing.lost.clear()
      owing.answers.push(changes([], new Pager({ removed })))
      return true
    }
    const asked = this.#backlog.take()
    if (asked !== null) {
      owing.answers.push(...answersTo(this.#host.mirror, () => this.#watch, asked))
      return true
    }
    if (owing.dirty.size > 0) {
      const ids = [...owing.dirty]
      owing.dirty.clear()
      const pager = pagerOf(this.#host.mirror, () => this.#watch, { ids })
      owing.answers.push(changes(ids, pager))
      return true
    }
    for (const group of owing.summaries) {
      owing.summaries.delete(group)
      if (group.frame !== null) return this.#send(group.frame)
    }
    if (!this.#backlog.isEmpty) return false
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
    const { answers, dirty, lost } = this.#state
    return answers.length + dirty.size + lost.size === 0 && this.#backlog.isEmpty
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

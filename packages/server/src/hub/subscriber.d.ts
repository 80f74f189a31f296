/**
 * One listening socket, WebSocket or stream alike: what it watches, and what it is owed.
 *
 *   current ──watch, no room, new scope──▶ owing ──all written──▶ current          any ──close──▶ closed
 *
 * `current`: it gets the frames that are shared by all who watch the same. `owing`: it is served alone, answers first,
 * then the latest rows of whatever changed meanwhile, as long as its sink has room; what it is owed are ids, so it costs
 * the same however long it takes. Frames carry no cursor while anything is owed.
 */
import type { CloseName, WatchFilter } from '@mqtt-status/protocol'
import { Frame } from './frames.ts'
import type { Mirror } from './mirror.ts'
import type { HubScope } from './scope.ts'
import type { Summaries, SummaryGroup, SummaryMember } from './summary.ts'
import type { Watches } from './watch.ts'
/** What the hub writes to; a transport gives one per socket. */
export interface Sink {
  send(frame: Frame): void
  /** Written and not yet taken by the network. */
  readonly bufferedBytes: number
  close(name: CloseName): void
}
export interface WatchRequest extends WatchFilter {
  readonly id?: number
  readonly cursor?: string
}
/** What a subscriber needs of the hub. */
export interface Host {
  readonly mirror: Mirror
  readonly watches: Watches<Subscriber>
  readonly summaries: Summaries
  readonly watchLimit: number
  readonly now: () => number
  /** Answers this request after a read of the database that begins from now on. */
  readonly ask: (subscriber: Subscriber, request: WatchRequest) => void
  /** It is closed, by itself or because its sink failed. */
  readonly left: (subscriber: Subscriber, error?: unknown) => void
}
/** Changes of one tick for all members of one watch; the frames are built when the first one needs them. */
export interface Delivery {
  readonly ids: readonly string[]
  readonly frames: () => readonly Frame[]
}
export declare class Subscriber implements SummaryMember {
  #private
  constructor(host: Host, sink: Sink, scope: HubScope)
  /** Adds to what is watched; answered after a read of the database that began after this call. */
  watch(request: WatchRequest): void
  /** The database was read: the hub calls it for what `ask` had asked. */
  answer(request: WatchRequest): void
  /** Takes from what is watched, silently. */
  unwatch(named: WatchFilter): void
  /** A new token on the open socket: what may not be seen any more is removed, what may be seen now arrives. */
  rescope(scope: HubScope): void
  /** Changes of a tick. */
  deliver({ ids, frames }: Delivery): void
  summarise(group: SummaryGroup): void
  /** A short message that concerns everyone. */
  tell(frame: Frame): void
  /** The heartbeat, with the cursor if nothing is owed. */
  ping(): void
  /** The sink has room again. */
  drained(): void
  /** Called now and then: a reader that takes nothing for 30 s is let go. */
  sweep(nowMs: number): void
  /** The hub ends it. */
  end(name: CloseName): void
  /** Forgets everything; the sink is its transport's affair. */
  close(): void
}

/** All open sockets and event streams: one clock for all of them, and one way to end them. */
import type { Log } from '../log.ts'
import type { Patience } from './context.ts'
export interface Stream {
  /** Called about once a second: heartbeats and deadlines are checked against this time. */
  tick(nowMs: number): void
  /** Says goodbye and begins to close. */
  farewell(): void
  /** Closes without waiting for the other side. */
  terminate(): void
}
export declare class Streams {
  #private
  constructor({ heartbeatMs, patience, log }: { heartbeatMs: number; patience: Patience; log: Log })
  /** Open sockets and streams. */
  get size(): number
  get draining(): boolean
  add(stream: Stream): void
  delete(stream: Stream): void
  /** Ends them all; those that do not close in time are cut off. */
  drain(): Promise<void>
}

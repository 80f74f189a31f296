import type { Connection } from '@mqtt-status/protocol'
import type { Pending } from './pending.ts'
import type { Refusal } from './watch-set.ts'

/** The client's knowledge of one connection. Its identity changes only when something in it does. */
export interface ConnectionView {
  readonly connection: Connection | null
  /** The server has answered that it does not exist, or may not be seen. */
  readonly missing: boolean
  readonly pending: Pending | null
  /** Why the server does not send it, although the link is live. */
  readonly refusal: Refusal | null
}

export interface ConnectionHandle {
  /** Calls the listener at once, and at every change; returns the undo function. */
  subscribe(listener: (view: ConnectionView) => void): () => void
  get(): ConnectionView
}

/**
 * What the page knows: rows, counts and pending commands, with a view and listeners for each connection. Messages change it;
 * it sends nothing.
 */
import { COMMAND_TIMEOUT_MS } from '@mqtt-status/protocol'
import type {
  Action,
  CommandAccepted,
  Connection,
  Patch,
  Snapshot,
  Summary,
} from '@mqtt-status/protocol'
import type { Refusal as CommandRefusal } from './commands.ts'
import type { ConnectionView } from './connection-view.ts'
import { Listeners } from './listeners.ts'
import { isTooLong, toName } from './names.ts'
import { Pendings } from './pending.ts'
import type { Sent } from './pending.ts'
import { Rows } from './rows.ts'
import type { Answer } from './rows.ts'
import type { WatchSet } from './watch-set.ts'

const NOTHING: ConnectionView = { connection: null, missing: false, pending: null, refusal: null }

export class Store {
  /** How long a command may take, as the server has announced. */
  commandTimeoutMs: number = COMMAND_TIMEOUT_MS
  readonly #watches: WatchSet
  readonly #rows: Rows
  readonly #pendings: Pendings
  readonly #views = new Map<string, ConnectionView>()
  readonly #listeners = new Map<string, Listeners<[ConnectionView]>>()
  readonly #anyListeners = new Listeners()
  readonly #summaries = new Map<string, Summary>()

  /** @param now the server's time, in ms */
  constructor(watches: WatchSet, now: () => number) {
    this.#watches = watches
    this.#rows = new Rows(watches)
    this.#pendings = new Pendings({
      onChange: (id) => {
        this.changed([id])
      },
      now,
      timeoutMs: () => this.commandTimeoutMs,
    })
  }

  /** All rows that are known; the same array until any of them changes. */
  get rows(): readonly Connection[] {
    return this.#rows.all
  }

  summary(site: string): Summary | null {
    return this.#summaries.get(site) ?? null
  }

  view(id: string): ConnectionView {
    const known = this.#views.get(id)
    if (known) return known
    const row = this.#rows.get(id)
    const connection = row ?? null
    const pending = this.#pendings.of(id, connection)
    const missing = row === null || isTooLong(toName('connections', id))
    const refusal = this.#watches.refusal({ connections: [id] })
    if (!connection && !missing && !pending && !refusal) return NOTHING
    const view = { connection, missing, pending, refusal }
    this.#views.set(id, view)
    return view
  }

  /** @returns the undo function */
  listen(id: string, listener: (view: ConnectionView) => void): () => void {
    const listeners = this.#listeners.get(id) ?? new Listeners()
    this.#listeners.set(id, listeners)
    const leave = listeners.add(listener)
    return () => {
      leave()
      if (listeners.empty && this.#listeners.get(id) === listeners) this.#listeners.delete(id)
    }
  }

  /** Calls the listener after every change. @returns the undo function */
  listenToAll(listener: () => void): () => void {
    return this.#anyListeners.add(listener)
  }

  /** @param answer what the snapshot completes; `null`: another part follows */
  snapshot(snapshot: Snapshot, answer: Answer | null): void {
    this.#take(this.#rows.snapshot(snapshot, answer))
  }

  patch(patch: Patch): void {
    this.#take(this.#rows.patch(patch))
  }

  count(summary: Summary): void {
    this.#summaries.set(summary.site, summary)
    this.notify()
  }

  /** The client sends a command. */
  begin(id: string, action: Action): Sent {
    const sent = this.#pendings.begin(id, action, (this.#rows.get(id)?.generation ?? 0) + 1)
    this.changed([id])
    return sent
  }

  /** The server has answered a command. */
  end(id: string, sent: Sent, answer: CommandAccepted | CommandRefusal): void {
    if ('code' in answer) this.#pendings.failed(id, sent, answer)
    else {
      this.#pendings.accepted(sent, answer)
      this.#rows.take([answer.connection])
    }
    this.#take([id])
  }

  /** Drops rows that no listener needs any more, and the counts of these sites. */
  prune(sites: readonly string[] = []): void {
    for (const site of sites) this.#summaries.delete(site)
    for (const id of this.#rows.prune()) this.#views.delete(id)
  }

  /** The database has another history. */
  forget(): void {
    this.#summaries.clear()
    this.#pendings.stop()
    this.changed(this.#rows.forget())
  }

  /** Renews the views of these connections. */
  changed(ids: Iterable<string>): void {
    let isAny = false
    for (const id of ids) {
      isAny = true
      this.#views.delete(id)
      this.#listeners.get(id)?.notify(this.view(id))
    }
    if (isAny) this.notify()
  }

  notify(): void {
    this.#anyListeners.notify()
  }

  stop(): void {
    this.#pendings.stop()
    this.#listeners.clear()
    this.#anyListeners.clear()
  }

  /** A row may confirm a command. */
  #take(ids: Iterable<string>): void {
    for (const id of ids) {
      const row = this.#rows.get(id)
      if (row) this.#pendings.seen(row)
    }
    this.changed(ids)
  }
}

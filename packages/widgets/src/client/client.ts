/**
 * The neutral store: rows, what is pending, and the health of the line, for elements and for any framework. It knows no
 * element and runs without a DOM.
 */
import { COMMAND_TIMEOUT_MS } from '@mqtt-status/protocol'
import type {
  Action,
  Capability,
  Connection,
  Patch,
  ServerMessage,
  Snapshot,
  Summary,
  WatchFilter,
  Welcome,
} from '@mqtt-status/protocol'
import { post } from './command-loader.ts'
import type { Outcome } from './commands.ts'
import type { ConnectionHandle, ConnectionView } from './connection-view.ts'
import { LinkKeeper } from './link/link.ts'
import type { Link } from './link/link-view.ts'
import { Listeners } from './listeners.ts'
import { isTooLong, toName } from './names.ts'
import { Pendings } from './pending.ts'
import { reportLater } from './report.ts'
import { Rows } from './rows.ts'
import { serverAddress } from './server-address.ts'
import { Tokens } from './token/tokens.ts'
import type { TokenSettings } from './token/token-settings.ts'
import type { OpenTransport } from './transport/transport.ts'
import type { Refusal } from './watch-set.ts'
import { Watches } from './watches.ts'
import { Transports } from './transport/transports.ts'
import type { TransportName } from './transport/settings.ts'

export interface ClientSettings extends TokenSettings {
  /** The server, for example `https://status.example.com/`. */
  readonly src: string
  /** `auto`: a WebSocket, or what else gets through. @default 'auto' */
  readonly transport?: TransportName | 'auto'
  /** `tabs`: the tabs of a browser share one WebSocket; not with `getToken`. @default 'page' */
  readonly share?: 'page' | 'tabs'
  /** A page that is hidden for so long lets go of its line, in seconds; 0 = never. @default 300 */
  readonly pauseHidden?: number
}

/** What surrounds a client; replaced in tests. */
export interface ClientSurroundings {
  readonly open?: OpenTransport
  readonly now?: () => number
  readonly random?: () => number
}

const NOTHING: ConnectionView = { connection: null, missing: false, pending: null, refusal: null }

/** One per server and identity; made by `createClient`, or shared by a page through `clientFor`. */
export class StatusClient {
  /** Absolute, ends with a slash. */
  readonly src: string
  readonly #tokens: Tokens
  readonly #link: LinkKeeper
  readonly #watches: Watches
  readonly #rows: Rows
  readonly #pendings: Pendings
  readonly #handles = new Map<string, ConnectionHandle>()
  readonly #views = new Map<string, ConnectionView>()
  readonly #listeners = new Map<string, Listeners<[ConnectionView]>>()
  readonly #anyListeners = new Listeners()
  readonly #linkListeners = new Listeners()
  readonly #summaries = new Map<string, Summary>()
  #epoch: string | null = null
  #can: readonly Capability[] = []
  #commandTimeoutMs = COMMAND_TIMEOUT_MS

  constructor(settings: ClientSettings, surroundings: ClientSurroundings = {}) {
    const { open, now = Date.now, random = Math.random } = surroundings
    const { pauseHidden = 300 } = settings
    this.src = serverAddress(settings.src)
    this.#tokens = new Tokens(settings, now)
    this.#watches = new Watches({
      link: () => this.#link,
      now: () => this.now(),
      random,
      onLeave: ({ summary = [] }) => {
        for (const site of summary) this.#summaries.delete(site)
        this.#prune()
      },
      onRefusal: ({ connections = [] }) => {
        this.#prune()
        this.#changed(connections)
        this.#anyListeners.notify()
      },
    })
    this.#rows = new Rows(this.#watches.set)
    const transports = new Transports({ ...settings, src: this.src, open, now })
    this.#link = new LinkKeeper({
      src: this.src,
      tokens: this.#tokens,
      transports,
      pauseHiddenMs: pauseHidden * 1_000,
      now,
      random,
      onOpen: () => {
        this.#rows.interrupted()
        this.#watches.begin()
      },
      onWelcome: (welcome) => {
        this.#welcome(welcome)
      },
      onMessage: (message) => {
        this.#receive(message)
      },
      onGarbled: () => {
        this.#watches.startOver()
      },
      onChange: () => {
        this.#linkListeners.notify()
      },
    })
    this.#pendings = new Pendings({
      onChange: (id) => {
        this.#changed([id])
      },
      now: () => this.now(),
      timeoutMs: () => this.#commandTimeoutMs,
    })
  }

  /** The health of the line; its identity changes with it. */
  get link(): Link {
    return this.#link.view
  }

  /** What may be done, as the server last said. */
  get can(): readonly Capability[] {
    return this.#can
  }

  /** The server's time, in ms since the epoch. */
  now(): number {
    return this.#link.clock.now()
  }

  /** One connection; the same handle for the same id. */
  connection(id: string): ConnectionHandle {
    let handle = this.#handles.get(id)
    if (!handle) {
      handle = { get: () => this.#view(id), subscribe: (listener) => this.#subscribe(id, listener) }
      this.#handles.set(id, handle)
    }
    return handle
  }

  /** Listens to sites, to everything, or to counts; `listener` is called after every change of any of it, and of `answered`. */
  watch(filter: Omit<WatchFilter, 'connections'>, listener: () => void): () => void {
    const leave = this.#anyListeners.add(listener)
    const release = this.#watch(filter)
    return () => {
      leave()
      release()
    }
  }

  /** Whether the server has told all that there is of what is watched, so that what is unknown does not exist. */
  answered(filter: WatchFilter): boolean {
    return this.#watches.set.answered(filter)
  }

  /** Why the server does not tell of what is watched; `null`: it does, or has not answered yet. */
  refusal(filter: WatchFilter): Refusal | null {
    return this.#watches.set.refusal(filter)
  }

  /** All rows that are known; the same array until any of them changes. */
  rows(): readonly Connection[] {
    return this.#rows.all
  }

  /** The counts of a site, or of everything (`*`), once watched. */
  summary(site = '*'): Summary | null {
    return this.#summaries.get(site) ?? null
  }

  /** Calls after every change of `link` or of `can`. */
  onLink(listener: () => void): () => void {
    return this.#linkListeners.add(listener)
  }

  /**
   * Gives a command, once and now: while the line is down nothing is sent, and nothing is queued.
   *
   * @param options.requestId travels as `Idempotency-Key`; without one the client makes its own
   */
  async command(
    id: string,
    action: Action,
    { requestId }: { requestId?: string } = {},
  ): Promise<Outcome> {
    if (this.link.state !== 'live') return { outcome: 'failed', code: 'unreachable' }
    const sent = this.#pendings.begin(id, action, (this.#rows.get(id)?.generation ?? 0) + 1)
    this.#changed([id])
    const token = this.#tokens.current
    void post({ src: this.src, token, id, action, requestId }).then((answer) => {
      if ('code' in answer) this.#pendings.failed(id, sent, answer)
      else {
        this.#pendings.accepted(sent, answer)
        this.#rows.take([answer.connection])
      }
      this.#take([id])
    })
    return sent.outcome
  }

  /** Tries to reach the server at once, also after it has said no. */
  refresh(): void {
    this.#link.retry()
  }

  /** Uses this token from now on: also after the server has refused the last one. */
  setToken(token: string): void {
    this.#link.authenticate(token)
  }

  /** Lets go of everything. */
  close(): void {
    this.#watches.stop()
    this.#link.stop()
    this.#pendings.stop()
    this.#listeners.clear()
    this.#anyListeners.clear()
    this.#linkListeners.clear()
  }

  #subscribe(id: string, listener: (view: ConnectionView) => void): () => void {
    const listeners = this.#listeners.get(id) ?? new Listeners()
    this.#listeners.set(id, listeners)
    const leave = listeners.add(listener)
    const release = this.#watch({ connections: [id] })
    listener(this.#view(id))
    return () => {
      leave()
      if (listeners.empty && this.#listeners.get(id) === listeners) this.#listeners.delete(id)
      release()
    }
  }

  #watch(filter: WatchFilter): () => void {
    return this.#link.visit(this.#watches.set.add(filter))
  }

  #welcome({ epoch, can, commandTimeoutMs, limits }: Welcome): void {
    const isNew = can.join() !== this.#can.join()
    if (isNew) this.#can = can
    this.#commandTimeoutMs = commandTimeoutMs
    // A welcome that names no epoch says nothing about the rows.
    if (this.#epoch && epoch && this.#epoch !== epoch) {
      this.#watches.startOver()
      this.#watches.set.forget()
      this.#summaries.clear()
      this.#pendings.stop()
      this.#changed(this.#rows.forget())
    }
    this.#epoch = epoch || this.#epoch
    this.#rows.welcomed()
    this.#watches.set.limit = limits.watch
    // Otherwise the link is about to say more.
    if (isNew && this.link.state === 'live') this.#linkListeners.notify()
  }

  /** Rows without a listener go. */
  #prune(): void {
    for (const id of this.#rows.prune()) this.#views.delete(id)
  }

  #receive(message: ServerMessage): void {
    switch (message.type) {
      case 'snapshot':
        this.#take(this.#rows.snapshot(message, this.#watches.filter(message.id)))
        this.#heard(message)
        return
      case 'patch':
        this.#take(this.#rows.patch(message))
        this.#heard(message)
        return
      case 'summary':
        this.#summaries.set(message.site, message)
        this.#anyListeners.notify()
        return
      case 'ping':
        this.#watches.reach(message.cursor)
        return
      case 'error':
        if (message.code === 'limit_watch' && message.id !== undefined)
          this.#watches.refuse(message.id)
        else reportLater(new Error(message.message))
        return
      default:
    }
  }

  #heard(answer: Snapshot | Patch): void {
    if (!this.#watches.heard(answer)) return
    this.#anyListeners.notify()
    this.#watches.settled()
  }

  /** Rows have come: they may answer commands. */
  #take(ids: Iterable<string>): void {
    for (const id of ids) {
      const row = this.#rows.get(id)
      if (row) this.#pendings.seen(row)
    }
    this.#changed(ids)
  }

  #changed(ids: Iterable<string>): void {
    let any = false
    for (const id of ids) {
      any = true
      this.#views.delete(id)
      this.#listeners.get(id)?.notify(this.#view(id))
    }
    if (any) this.#anyListeners.notify()
  }

  #view(id: string): ConnectionView {
    const known = this.#views.get(id)
    if (known) return known
    const row = this.#rows.get(id)
    const connection = row ?? null
    const pending = this.#pendings.of(id, connection)
    const missing = row === null || isTooLong(toName('connections', id))
    const refusal = this.#watches.set.refusal({ connections: [id] })
    if (!connection && !missing && !pending && !refusal) return NOTHING
    const view = { connection, missing, pending, refusal }
    this.#views.set(id, view)
    return view
  }
}

/** A client of one's own, shared with nobody. */
export function createClient(
  settings: ClientSettings,
  surroundings?: ClientSurroundings,
): StatusClient {
  return new StatusClient(settings, surroundings)
}

/**
 * The neutral store: rows, what is pending, and the health of the line, for elements and for any framework. It knows no
 * element and runs without a DOM.
 */
import { COMMAND_TIMEOUT_MS } from '@mqtt-status/protocol'
import type {
  Action,
  Capability,
  Connection,
  ServerMessage,
  Summary,
  WatchFilter,
  Welcome,
} from '@mqtt-status/protocol'
import { CommandError, sendCommand } from './commands.ts'
import type { ConnectionHandle, ConnectionView } from './connection-view.ts'
import type { Outcome } from './commands.ts'
import { LinkKeeper } from './link.ts'
import type { Link } from './link.ts'
import { notify } from './notify.ts'
import { Pendings } from './pending.ts'
import { Rows } from './rows.ts'
import { absolute } from './server-address.ts'
import type { TokenSettings } from './tokens.ts'
import type { OpenTransport } from './transport.ts'
import { WatchSet } from './watch-set.ts'
import type { Filter } from './watch-set.ts'
import { openWebSocket } from './websocket-transport.ts'

export interface ClientSettings extends TokenSettings {
  /** The server, for example `https://status.example.com/`. */
  readonly src: string
}

/** What surrounds a client; replaced in tests. */
export interface ClientSurroundings {
  readonly open?: OpenTransport
  readonly now?: () => number
  readonly random?: () => number
}

const NOTHING: ConnectionView = { connection: null, missing: false, pending: null }

/** One per server and identity; made by `createClient`, or shared by a page through `clientFor`. */
export class StatusClient {
  /** Absolute, ends with a slash. */
  readonly src: string
  readonly #link: LinkKeeper
  readonly #rows = new Rows()
  readonly #watches: WatchSet
  readonly #pendings: Pendings
  readonly #views = new Map<string, ConnectionView>()
  readonly #listeners = new Map<string, Set<(view: ConnectionView) => void>>()
  readonly #anyListeners = new Set<() => void>()
  readonly #linkListeners = new Set<() => void>()
  readonly #summaries = new Map<string, Summary>()
  /** What each watch that is not answered yet has named. */
  readonly #asked = new Map<number, Filter>()
  #watchId = 0
  #epoch: string | null = null
  #cursor: string | null = null
  #can: readonly Capability[] = []
  #commandTimeoutMs = COMMAND_TIMEOUT_MS

  constructor(settings: ClientSettings, surroundings: ClientSurroundings = {}) {
    const { open = openWebSocket, now = Date.now, random = Math.random } = surroundings
    this.src = absolute(settings.src)
    this.#watches = new WatchSet({
      onAdd: (added) => {
        this.#ask(added)
      },
      onRemove: (removed) => {
        this.#leave(removed)
      },
    })
    this.#link = new LinkKeeper({
      src: this.src,
      tokens: settings,
      open,
      now,
      random,
      onWelcome: (welcome) => {
        this.#welcome(welcome)
      },
      onMessage: (message) => {
        this.#receive(message)
      },
      onChange: () => {
        notify(this.#linkListeners)
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

  /** The health of the line; identity changes with it. */
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

  connection(id: string): ConnectionHandle {
    return {
      get: () => this.#view(id),
      subscribe: (listener) => {
        const listeners = this.#listeners.get(id) ?? new Set()
        this.#listeners.set(id, listeners)
        // One function may listen twice, and leave once.
        const own = (view: ConnectionView): void => {
          listener(view)
        }
        listeners.add(own)
        const release = this.#watch({ connections: [id] })
        own(this.#view(id))
        return () => {
          listeners.delete(own)
          if (listeners.size === 0 && this.#listeners.get(id) === listeners)
            this.#listeners.delete(id)
          release()
        }
      },
    }
  }

  /** Listens to sites, to everything, or to counts; `listener` is called after every change of any of it. */
  watch(filter: Omit<WatchFilter, 'connections'>, listener: () => void): () => void {
    const own = (): void => {
      listener()
    }
    this.#anyListeners.add(own)
    const release = this.#watch(filter)
    return () => {
      this.#anyListeners.delete(own)
      release()
    }
  }

  /** All rows that are known. */
  rows(): readonly Connection[] {
    return this.#rows.all()
  }

  /** The counts of a site, or of everything (`*`), once watched. */
  summary(site = '*'): Summary | null {
    return this.#summaries.get(site) ?? null
  }

  onLink(listener: () => void): () => void {
    const own = (): void => {
      listener()
    }
    this.#linkListeners.add(own)
    return () => {
      this.#linkListeners.delete(own)
    }
  }

  /**
   * Gives a command, once and now: while the line is down nothing is sent, and nothing is queued.
   *
   * @param options.requestId travels as `Idempotency-Key`
   */
  async command(
    id: string,
    action: Action,
    { requestId }: { requestId: string },
  ): Promise<Outcome> {
    if (this.link.state !== 'live') return { outcome: 'failed', code: 'unreachable' }
    const { outcome } = this.#pendings.begin(id, action)
    try {
      const request = { src: this.src, token: this.#link.token, id, action, requestId }
      const { connection, generation, timeoutMs } = await sendCommand(request)
      this.#pendings.accepted(id, generation, timeoutMs)
      if (this.#rows.get(id) !== undefined) this.#rows.put(connection)
      this.#seen(this.#rows.get(id))
      this.#changed([id])
    } catch (error) {
      this.#pendings.failed(id, error instanceof CommandError ? error.code : 'internal')
    }
    return outcome
  }

  /** Tries to reach the server at once, also after it has said no. */
  refresh(): void {
    this.#link.retry()
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

  #watch(filter: WatchFilter): () => void {
    const release = this.#watches.add(filter)
    this.#link.start()
    return release
  }

  #welcome({ epoch, can, commandTimeoutMs }: Welcome): void {
    this.#can = can
    this.#commandTimeoutMs = commandTimeoutMs
    const reopened = !this.#link.isOpen
    if (this.#epoch !== null && this.#epoch !== epoch) {
      this.#cursor = null
      this.#changed(this.#rows.forget())
    }
    this.#epoch = epoch
    if (!reopened) {
      // Only the token is new; what may be done may have changed with it.
      notify(this.#linkListeners)
      return
    }
    this.#asked.clear()
    this.#rows.interrupted()
    const cursor = this.#cursor
    this.#cursor = null
    this.#send(this.#watches.filter, cursor)
  }

  #ask(added: WatchFilter): void {
    // Before the welcome nothing is asked: then everything is.
    if (!this.#link.isOpen) {
      this.#cursor = null
      return
    }
    this.#cursor = null
    this.#send(added, null)
  }

  #send(filter: WatchFilter, cursor: string | null): void {
    const id = ++this.#watchId
    this.#asked.set(id, {
      connections: new Set(filter.connections),
      sites: new Set(filter.sites),
      all: filter.all ?? false,
    })
    this.#link.send({ type: 'watch', id, ...filter, ...(cursor === null ? {} : { cursor }) })
  }

  #leave(removed: WatchFilter): void {
    this.#link.send({ type: 'unwatch', ...removed })
    for (const site of removed.summary ?? []) this.#summaries.delete(site)
    this.#rows.keepOnly((row) => this.#isWatched(row))
    for (const id of removed.connections ?? []) this.#views.delete(id)
    if (!this.#watches.empty) return
    this.#cursor = null
    this.#link.rest()
  }

  #receive(message: ServerMessage): void {
    switch (message.type) {
      case 'snapshot': {
        const named = this.#asked.get(message.id ?? 0) ?? NO_FILTER
        this.#take(this.#rows.snapshot(message, named, (row) => this.#isWatchedBesides(row, named)))
        break
      }
      case 'patch':
        this.#take(this.#rows.patch(message))
        break
      case 'summary':
        this.#summaries.set(message.site, message)
        notify(this.#anyListeners)
        return
      case 'ping':
        break
      default:
        return
    }
    if ('final' in message && message.final) {
      this.#asked.delete(message.id ?? 0)
      this.#link.answered()
    }
    // It speaks for the whole set only when no watch is still to be answered.
    if (message.cursor !== undefined && this.#asked.size === 0) this.#cursor = message.cursor
  }

  #take(ids: ReadonlySet<string>): void {
    for (const id of ids) this.#seen(this.#rows.get(id))
    this.#changed(ids)
  }

  #seen(row: Connection | undefined): void {
    if (row !== undefined) this.#pendings.seen(row)
  }

  #changed(ids: Iterable<string>): void {
    let any = false
    for (const id of ids) {
      any = true
      this.#views.delete(id)
      const listeners = this.#listeners.get(id)
      if (listeners === undefined) continue
      const view = this.#view(id)
      notify(listeners, view)
    }
    if (any) notify(this.#anyListeners)
  }

  #view(id: string): ConnectionView {
    const known = this.#views.get(id)
    if (known !== undefined) return known
    const connection = this.#rows.get(id) ?? null
    const missing = this.#rows.isMissing(id)
    const pending = this.#pendings.of(id, connection ?? undefined)
    const view =
      connection === null && !missing && pending === null
        ? NOTHING
        : { connection, missing, pending }
    if (this.#listeners.has(id)) this.#views.set(id, view)
    return view
  }

  #isWatched({ id, siteId }: Connection): boolean {
    return (
      this.#watches.has('all') ||
      this.#watches.has('connections', id) ||
      this.#watches.has('sites', siteId)
    )
  }

  #isWatchedBesides({ id, siteId }: Connection, named: Filter): boolean {
    if (this.#watches.has('all') && !named.all) return true
    if (this.#watches.has('connections', id) && !named.connections.has(id)) return true
    return this.#watches.has('sites', siteId) && !named.sites.has(siteId)
  }
}

const NO_FILTER: Filter = { connections: new Set(), sites: new Set(), all: false }

/** A client of one's own, shared with nobody. */
export function createClient(
  settings: ClientSettings,
  surroundings?: ClientSurroundings,
): StatusClient {
  return new StatusClient(settings, surroundings)
}

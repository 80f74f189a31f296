/**
 * The public face of the client: joins link, watches and store. Elements and any framework can use it; it knows no element
 * and runs without a DOM.
 */
import type {
  Action,
  Capability,
  Connection,
  ServerMessage,
  Summary,
  WatchFilter,
  Welcome,
} from '@mqtt-status/protocol'
import { sendCommand } from './commands.ts'
import type { Outcome } from './commands.ts'
import type { ConnectionHandle, ConnectionView } from './connection-view.ts'
import { LinkKeeper } from './link/link.ts'
import type { Link } from './link/link-view.ts'
import { Listeners } from './listeners.ts'
import { reportLater, reportOnce } from './report.ts'
import { serverAddress } from './server-address.ts'
import { Store } from './store.ts'
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
  /** The client closes its transport after the page was hidden for so long, in seconds; 0 = never. @default 300 */
  readonly pauseHidden?: number
}

/** Transport, clock and randomness; tests replace them. */
export interface ClientSurroundings {
  readonly open?: OpenTransport
  readonly now?: () => number
  readonly random?: () => number
}

/** One per server and identity; made by `createClient`, or shared by a page through `clientFor`. */
export class StatusClient {
  /** Absolute, ends with a slash. */
  readonly src: string
  readonly #tokens: Tokens
  readonly #link: LinkKeeper
  readonly #watches: Watches
  readonly #store: Store
  readonly #handles = new Map<string, ConnectionHandle>()
  readonly #linkListeners = new Listeners()
  #can: readonly Capability[] = []

  constructor(settings: ClientSettings, surroundings: ClientSurroundings = {}) {
    const { open, now = Date.now, random = Math.random } = surroundings
    const { pauseHidden = 300 } = settings
    this.src = serverAddress(settings.src)
    this.#tokens = new Tokens(settings, now)
    this.#watches = this.#createWatches(random)
    this.#store = new Store(this.#watches.set, () => this.now())
    this.#link = new LinkKeeper({
      src: this.src,
      tokens: this.#tokens,
      transports: new Transports({ ...settings, src: this.src, open, now }),
      pauseHiddenMs: pauseHidden * 1_000,
      now,
      random,
      onOpen: () => {
        this.#watches.opened()
      },
      onClose: () => {
        this.#watches.closed()
      },
      onWelcome: (welcome) => {
        this.#welcome(welcome)
      },
      onMessage: (message) => {
        this.#receive(message)
      },
      onGarbled: () => {
        this.#watches.garbled()
      },
      onChange: () => {
        this.#linkListeners.notify()
      },
    })
  }

  /** The health of the link; its identity changes with it. */
  get link(): Link {
    return this.#link.view
  }

  /** What the server permits, as of its last welcome. */
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
      handle = {
        get: () => this.#store.view(id),
        subscribe: (listener) => this.#subscribe(id, listener),
      }
      this.#handles.set(id, handle)
    }
    return handle
  }

  /** Watches sites, everything, or counts; `listener` is called after every change of any of it, and of `answered`. */
  watch(filter: Omit<WatchFilter, 'connections'>, listener: () => void): () => void {
    const leave = this.#store.listenToAll(listener)
    const release = this.#watch(filter)
    return () => {
      leave()
      release()
    }
  }

  /** Whether the server has answered all of this. Then a row that is not known does not exist, or may not be seen. */
  answered(filter: WatchFilter): boolean {
    return this.#watches.answered(filter)
  }

  /** Why the server does not send what is watched; `null`: it does, or has not answered yet. */
  refusal(filter: WatchFilter): Refusal | null {
    return this.#watches.set.refusal(filter)
  }

  /** All rows that are known; the same array until any of them changes. */
  rows(): readonly Connection[] {
    return this.#store.rows
  }

  /** The counts of a site, or of everything (`*`), once watched. */
  summary(site = '*'): Summary | null {
    return this.#store.summary(site)
  }

  /** Calls after every change of `link` or of `can`. */
  onLink(listener: () => void): () => void {
    return this.#linkListeners.add(listener)
  }

  /**
   * Sends a command once. While the link is not live, the client neither sends nor queues it.
   *
   * @param options.requestId travels as `Idempotency-Key`; without one the client makes its own
   */
  async command(
    id: string,
    action: Action,
    { requestId }: { requestId?: string } = {},
  ): Promise<Outcome> {
    if (this.link.state !== 'live') return { outcome: 'failed', code: 'unreachable' }
    const sent = this.#store.begin(id, action)
    const token = this.#tokens.current
    void sendCommand({ src: this.src, token, id, action, requestId }).then((answer) => {
      this.#store.end(id, sent, answer)
    })
    return sent.outcome
  }

  /** Tries to reach the server at once, also after it has refused the client. */
  refresh(): void {
    this.#link.retry()
  }

  /** Uses this token from now on, also after the server has refused the last one. */
  setToken(token: string): void {
    this.#link.authenticate(token)
  }

  /** Closes the transport, and drops all listeners and timers. */
  close(): void {
    this.#watches.stop()
    this.#link.stop()
    this.#store.stop()
    this.#linkListeners.clear()
  }

  #subscribe(id: string, listener: (view: ConnectionView) => void): () => void {
    const leave = this.#store.listen(id, listener)
    const release = this.#watch({ connections: [id] })
    listener(this.#store.view(id))
    return () => {
      leave()
      release()
    }
  }

  #watch(filter: WatchFilter): () => void {
    return this.#link.visit(this.#watches.set.add(filter))
  }

  #createWatches(random: () => number): Watches {
    return new Watches({
      link: () => this.#link,
      now: () => this.now(),
      random,
      onLeave: ({ summary }) => {
        this.#store.prune(summary)
      },
      onAnswer: () => {
        this.#store.notify()
      },
      onForget: () => {
        this.#store.forget()
      },
      onRefusal: ({ connections = [] }) => {
        this.#store.prune()
        this.#store.changed(connections)
        this.#store.notify()
      },
    })
  }

  #welcome({ epoch, can, commandTimeoutMs, limits, notice }: Welcome): void {
    if (notice) reportOnce(`mqtt-status: ${notice}`)
    const isNew = can.join() !== this.#can.join()
    if (isNew) this.#can = can
    this.#store.commandTimeoutMs = commandTimeoutMs
    this.#watches.welcomed(epoch)
    this.#watches.set.limit = limits.watch
    // Before the link is live, its next change notifies the listeners.
    if (isNew && this.link.state === 'live') this.#linkListeners.notify()
  }

  #receive(message: ServerMessage): void {
    switch (message.type) {
      case 'snapshot':
        this.#store.snapshot(message, this.#watches.answer(message))
        this.#watches.heard(message)
        return
      case 'patch':
        this.#store.patch(message)
        this.#watches.heard(message)
        return
      case 'summary':
        this.#store.count(message)
        return
      case 'ping':
        this.#watches.reach(message.cursor)
        return
      case 'error':
        if (!this.#watches.refuse(message)) reportLater(new Error(message.message))
        return
      default:
    }
  }
}

/** A client that no other caller shares. */
export function createClient(
  settings: ClientSettings,
  surroundings?: ClientSurroundings,
): StatusClient {
  return new StatusClient(settings, surroundings)
}

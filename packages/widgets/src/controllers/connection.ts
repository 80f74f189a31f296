import type { ReactiveController, ReactiveControllerHost } from 'lit'
import type { ConnectionView, Link, StatusClient } from '../client/index.ts'
import type { ClientController } from './client.ts'
import { wakeIn } from './clock.ts'

const NOTHING: ConnectionView = { connection: null, missing: false, pending: null }
const MISSING: ConnectionView = { ...NOTHING, missing: true }
/** How long a site may be without a row before it is said to have none. */
const EMPTY_SITE_MS = 2_000

/** Which row is meant: by its id, or as the only one of its site. */
export interface Chosen {
  readonly connectionId: string | null | undefined
  readonly siteId: string | null | undefined
}

type Host = ReactiveControllerHost & Chosen & { readonly isConnected: boolean }

/** Keeps its host subscribed to one row of the store, and only to that one. */
export class ConnectionController implements ReactiveController {
  readonly #host: Host
  readonly #clients: ClientController
  readonly #update = (): void => {
    this.#host.requestUpdate()
  }
  #client: StatusClient | null = null
  #site: string | null = null
  #siteLeave: (() => void) | null = null
  #siteSince = 0
  #id: string | null = null
  #leave: (() => void)[] = []
  #view: ConnectionView = NOTHING
  #several = 0

  constructor(host: Host, clients: ClientController) {
    this.#host = host
    this.#clients = clients
    host.addController(this)
  }

  get client(): StatusClient | null {
    return this.#client
  }

  /** The id of the row, also if it was found by its site; `null` while it is not known. */
  get id(): string | null {
    return this.#id
  }

  get view(): ConnectionView {
    return this.#view
  }

  /** How many connections the site has, if they are too many to choose from; otherwise 0. */
  get several(): number {
    return this.#several
  }

  get link(): Link | null {
    return this.#client?.link ?? null
  }

  /** The server's time, in ms since the epoch. */
  now(): number {
    return this.#client?.now() ?? Date.now()
  }

  hostUpdate(): void {
    const { connectionId, siteId, isConnected } = this.#host
    const client = isConnected ? this.#clients.current : null
    const site = connectionId ? null : (siteId ?? null)
    if (client !== this.#client || site !== this.#site) this.#enter(client, site)
    if (site) this.#look(site)
    else this.#watch(connectionId ?? null)
  }

  hostDisconnected(): void {
    this.#enter(null, null)
  }

  /** Another server, or another site: everything starts over. */
  #enter(client: StatusClient | null, site: string | null): void {
    this.#watch(null)
    this.#siteLeave?.()
    this.#client = client
    this.#site = site
    this.#several = 0
    this.#siteSince = Date.now()
    this.#siteLeave = client && site ? client.watch({ sites: [site] }, this.#update) : null
  }

  #watch(id: string | null): void {
    const wanted = this.#client && id ? id : null
    if (wanted === this.#id) return
    for (const undo of this.#leave) undo()
    this.#leave = []
    this.#view = NOTHING
    this.#id = wanted
    const client = this.#client
    if (!client || !wanted) return
    this.#leave = [
      client.connection(wanted).subscribe((view) => {
        this.#view = view
        this.#update()
      }),
      client.onLink(this.#update),
    ]
  }

  /** Which row the site's only one is may change at any time. */
  #look(site: string): void {
    const client = this.#client
    if (!client) return
    const rows = client.rows().filter(({ siteId }) => siteId === site)
    this.#several = rows.length > 1 ? rows.length : 0
    const [only] = rows
    this.#watch(rows.length === 1 && only ? only.id : null)
    if (only) return
    for (const undo of this.#leave) undo()
    // Nobody says when a site is answered: silence on a live line is an answer too.
    const leftMs = this.#siteSince + EMPTY_SITE_MS - Date.now()
    const empty = client.link.state === 'live' && leftMs <= 0
    this.#view = empty ? MISSING : NOTHING
    this.#leave = empty ? [] : [client.onLink(this.#update), wakeIn(leftMs + 1, this.#update)]
  }
}

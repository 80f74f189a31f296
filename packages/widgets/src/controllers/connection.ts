import type { ReactiveController, ReactiveControllerHost } from 'lit'
import type { ConnectionView, Refusal, StatusClient, WatchFilter } from '../client/index.ts'
import type { ClientController } from './client.ts'
import { textOf } from '../attributes/text-of.ts'

const NOTHING: ConnectionView = { connection: null, missing: false, pending: null, refusal: null }
const MISSING: ConnectionView = { ...NOTHING, missing: true }

/** The attributes that choose a row: by its id, or as the only one of its site. */
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
  #id: string | null = null
  #leaveSite: (() => void) | null = null
  #leaveRow: (() => void) | null = null
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

  /** The id of the row, also if it was found by its site; `null` while it is unknown. */
  get id(): string | null {
    return this.#id
  }

  get view(): ConnectionView {
    return this.#view
  }

  /** How many connections the site has, if there is more than one; otherwise 0. */
  get several(): number {
    return this.#several
  }

  /** The server's time, in ms since the epoch. */
  now(): number {
    return this.#client?.now() ?? Date.now()
  }

  hostUpdate(): void {
    this.follow()
  }

  /** Subscribes to the row of the host's current settings. A host that is off the page keeps its last view. */
  follow(): void {
    const { connectionId, siteId, isConnected } = this.#host
    if (!isConnected) return
    const client = this.#clients.current
    const id = textOf(connectionId)
    const site = (!id && textOf(siteId)) || null
    if (client !== this.#client || site !== this.#site) this.#enter(client, site)
    if (client && site) {
      this.#leaveSite ??= this.#watchSite(client, site)
      this.#look(client, site)
    } else this.#watch(id || null)
  }

  hostDisconnected(): void {
    this.#leave()
  }

  /** Starts over with another server or another site. */
  #enter(client: StatusClient | null, site: string | null): void {
    this.#leave()
    this.#client = client
    this.#site = site
    this.#several = 0
    this.#id = null
    this.#view = NOTHING
  }

  #leave(): void {
    this.#leaveSite?.()
    this.#leaveSite = null
    this.#leaveRow?.()
    this.#leaveRow = null
  }

  #watchSite(client: StatusClient, site: string): () => void {
    // The client calls back for every change of any row; the subscription to the only row has its own callback.
    return client.watch({ sites: [site] }, () => {
      const before = this.#found
      this.#look(client, site)
      if (before !== this.#found) this.#update()
    })
  }

  #watch(id: string | null): void {
    const wanted = this.#client && id ? id : null
    if (wanted === this.#id && (this.#leaveRow || !wanted)) return
    this.#leaveRow?.()
    this.#leaveRow = null
    this.#view = NOTHING
    this.#id = wanted
    if (!this.#client || !wanted) return
    this.#leaveRow = this.#client.connection(wanted).subscribe((view) => {
      this.#view = view
      this.#update()
    })
  }

  /** Looks up the only row of a site, which may change with every message; before the first answer it is unknown. */
  #look(client: StatusClient, site: string): void {
    const isAnswered = client.answered({ sites: [site] })
    const rows = client.rows().filter(({ siteId }) => siteId === site)
    const [only] = rows
    this.#several = isAnswered && rows.length > 1 ? rows.length : 0
    this.#watch(isAnswered && rows.length === 1 && only ? only.id : null)
    if (this.#id) return
    const refusal = refusalOf(client, { sites: [site] })
    this.#view = refusal ? { ...NOTHING, refusal } : isAnswered && !only ? MISSING : NOTHING
  }

  /** Identifies what the rows of a site lead to, except for the content of the only row. */
  get #found(): string {
    const { missing, refusal } = this.#view
    return [this.#id, this.#several, missing, refusal?.retryAt].join()
  }
}

/** The client may come from an older bundle on the same page, which has no method `refusal`. */
function refusalOf(client: Partial<StatusClient>, filter: WatchFilter): Refusal | null {
  return client.refusal?.(filter) ?? null
}

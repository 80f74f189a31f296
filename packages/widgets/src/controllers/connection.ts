import type { ReactiveController, ReactiveControllerHost } from 'lit'
import type { Capability } from '@mqtt-status/protocol'
import type { ConnectionView, Link, StatusClient } from '../client/index.ts'
import type { ClientController } from './client.ts'

const NOTHING: ConnectionView = { connection: null, missing: false, pending: null }

/** Keeps its host subscribed to one row of the store, and only to that one. */
export class ConnectionController implements ReactiveController {
  readonly #host: ReactiveControllerHost & { readonly isConnected: boolean }
  readonly #clients: ClientController
  readonly #id: () => string | null
  #client: StatusClient | null = null
  #watched: string | null = null
  #unsubscribe: (() => void)[] = []
  #view: ConnectionView = NOTHING

  constructor(
    host: ReactiveControllerHost & { readonly isConnected: boolean },
    clients: ClientController,
    id: () => string | null,
  ) {
    this.#host = host
    this.#clients = clients
    this.#id = id
    host.addController(this)
  }

  get client(): StatusClient | null {
    return this.#client
  }

  get view(): ConnectionView {
    return this.#view
  }

  get link(): Link | null {
    return this.#client?.link ?? null
  }

  get can(): readonly Capability[] {
    return this.#client?.can ?? []
  }

  /** The server's time, in ms since the epoch. */
  now(): number {
    return this.#client?.now() ?? Date.now()
  }

  hostUpdate(): void {
    const client = this.#clients.current
    const id = this.#id()
    if (client === this.#client && id === this.#watched) return
    this.#leave()
    this.#client = client
    this.#watched = id
    if (client && id && this.#host.isConnected) this.#enter(client, id)
  }

  hostDisconnected(): void {
    this.#leave()
    this.#client = null
    this.#watched = null
  }

  #enter(client: StatusClient, id: string): void {
    const update = (): void => {
      this.#host.requestUpdate()
    }
    this.#unsubscribe = [
      client.connection(id).subscribe((view) => {
        this.#view = view
        update()
      }),
      client.onLink(update),
    ]
  }

  #leave(): void {
    for (const undo of this.#unsubscribe) undo()
    this.#unsubscribe = []
    this.#view = NOTHING
  }
}

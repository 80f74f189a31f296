import type { ReactiveController, ReactiveControllerHost } from 'lit'
import { clientFor } from '../client/index.ts'
import type { StatusClient } from '../client/index.ts'
import { Listeners } from '../client/listeners.ts'
import { reportOnce } from '../client/report.ts'
import { closest } from '../page/composed-tree.ts'
import { NearestClient, onProvider } from '../page/context.ts'
import { address, pageAddress, sameServer } from '../page/settings.ts'

const PROVIDER = 'mqtt-status-provider'

/** Why there is no server: no setting names one, or the setting can't be parsed as an address. */
export type Serverless = 'unconfigured' | 'malformed'

/** The settings of one element that choose its client. */
export interface ClientHost extends ReactiveControllerHost, HTMLElement {
  /** A client that the page has made; takes precedence over every other setting. */
  client: StatusClient | null | undefined
  src: string | null | undefined
}

const controllers = new Listeners()
let watching = false

/** One subscription serves all elements of the page. */
function watchProviders(): void {
  if (watching) return
  watching = true
  const again = (): void => {
    controllers.notify()
  }
  onProvider(again)
  if (!customElements.get(PROVIDER)) void customElements.whenDefined(PROVIDER).then(again)
}

/**
 * Finds the client of its host, setting by setting: the element's own, the nearest provider's, that of the first provider
 * on the page, then that of the page (see page/settings.ts).
 */
export class ClientController implements ReactiveController {
  readonly #host: ClientHost
  readonly #nearest: NearestClient
  #current: StatusClient | null = null
  #leave: (() => void) | null = null
  /** `null` while there is a server, or a provider that is not defined yet. */
  #trouble: Serverless | null = null
  /** The settings that the current client was found by; `null` = it has to be found anew. */
  #found: Pick<ClientHost, 'client' | 'src'> | null = null

  constructor(host: ClientHost) {
    this.#host = host
    host.addController(this)
    this.#nearest = new NearestClient(host, () => {
      this.again()
    })
  }

  /** `null` while no server is configured, or while a provider around the host is not defined yet. */
  get current(): StatusClient | null {
    return this.#current
  }

  /** Why there is no client, if the host waits for none; otherwise `null`. */
  get trouble(): Serverless | null {
    return this.#trouble
  }

  /** Finds the client anew: a provider has come, changed or gone. */
  again(): void {
    this.#found = null
    this.#host.requestUpdate()
  }

  hostConnected(): void {
    watchProviders()
    this.#leave?.()
    this.#leave = controllers.add(() => {
      this.again()
    })
    this.again()
  }

  hostDisconnected(): void {
    this.#leave?.()
    this.#leave = null
  }

  hostUpdate(): void {
    this.follow()
  }

  /** Finds the client by the host's current settings. A host that is off the page keeps its last client. */
  follow(): void {
    const { client, src, isConnected } = this.#host
    if (!isConnected) return
    if (this.#found && this.#found.client === client && this.#found.src === src) return
    this.#current = null
    this.#trouble = null
    try {
      this.#current = this.#find()
    } catch (error) {
      this.#trouble = 'malformed'
      reportOnce(error)
    }
    // Last, because a provider that answers the request at once makes `again` forget it.
    this.#found = { client, src }
  }

  #find(): StatusClient | null {
    const { client, src } = this.#host
    if (client) return client
    if (!customElements.get(PROVIDER) && closest(this.#host, PROVIDER)) return null
    const nearest = this.#nearest.get()
    if (!src) return this.#provided(nearest)
    const provided = nearest ?? firstProvided(this.#host)
    // `src` names the provider's server: its credentials apply. They are never sent to another server.
    if (provided && sameServer(provided.src, src)) return provided
    const page = pageAddress()
    return clientFor(page && sameServer(page.src, src) ? page : address(src, null, null))
  }

  /** @param nearest the client of the nearest provider; `undefined` = there is no provider */
  #provided(nearest: StatusClient | null | undefined): StatusClient | null {
    if (nearest === null) {
      // A provider without a server must not be replaced by another server of the page.
      this.#trouble = isServerNamed(this.#host) ? 'malformed' : 'unconfigured'
      return null
    }
    const provided = nearest ?? firstProvided(this.#host)
    if (provided) return provided
    const page = pageAddress()
    if (!page) this.#trouble = 'unconfigured'
    return page && clientFor(page)
  }
}

/** Whether a provider around the host has a `src`, although it has found no server. */
function isServerNamed(host: Element): boolean {
  const nearest = closest(host, PROVIDER) as { src?: unknown } | null
  return !!nearest?.src || closest(host, `${PROVIDER}[src]`) !== null
}

/** The client of the first provider in the element's document, then in the document that has loaded this script. */
function firstProvided({ ownerDocument }: Element): StatusClient | null {
  for (const page of new Set([ownerDocument, document])) {
    const [provider] = page.getElementsByTagName(PROVIDER)
    const client = (provider as { client?: StatusClient | null } | undefined)?.client
    if (client) return client
  }
  return null
}

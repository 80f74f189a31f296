import type { ReactiveController, ReactiveControllerHost } from 'lit'
import { clientFor } from '../client/index.ts'
import type { StatusClient } from '../client/index.ts'
import { Listeners } from '../client/listeners.ts'
import { reportOnce } from '../client/report.ts'
import { closest } from '../page/composed-tree.ts'
import { NearestClient, onProvider } from '../page/context.ts'
import { address, pageAddress, sameServer } from '../page/settings.ts'

const PROVIDER = 'mqtt-status-provider'

/** Why there is no server to ask: nothing says which, or what does is no address. */
export type Serverless = 'unconfigured' | 'malformed'

/** The settings of one element that choose its client. */
export interface ClientHost extends ReactiveControllerHost, HTMLElement {
  /** A client made by the page itself; goes before everything else. */
  client: StatusClient | null | undefined
  src: string | null | undefined
}

const controllers = new Listeners()
let watching = false

/** One pair of ears for all elements of the page. */
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
 * Finds the client of its host, setting by setting: the element's own, the nearest provider's, the first provider's
 * on the page, then what the page says (see page-settings.ts).
 */
export class ClientController implements ReactiveController {
  readonly #host: ClientHost
  readonly #nearest: NearestClient
  #current: StatusClient | null = null
  #leave: (() => void) | null = null
  /** `null` while there is a server, or a provider to wait for. */
  #trouble: Serverless | null = null
  /** What the current one was found by; `null` = has to be found anew. */
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

  /** Why there is none, and nothing to wait for; otherwise `null`. */
  get trouble(): Serverless | null {
    return this.#trouble
  }

  /** A provider has come, changed or gone. */
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

  /** Finds the client that the host means now. Whoever is not on the page keeps the last one. */
  follow(): void {
    const { client, src, isConnected } = this.#host
    if (!isConnected) return
    if (this.#found && this.#found.client === client && this.#found.src === src) return
    this.#found = { client, src }
    this.#current = null
    this.#trouble = null
    try {
      this.#current = this.#find()
    } catch (error) {
      this.#trouble = 'malformed'
      reportOnce(error)
    }
  }

  #find(): StatusClient | null {
    const { client, src } = this.#host
    if (client) return client
    if (!customElements.get(PROVIDER) && closest(this.#host, PROVIDER)) return null
    const nearest = this.#nearest.value
    if (!src) return this.#provided(nearest)
    const provided = nearest ?? firstProvided(this.#host)
    // The same server under its own name: the nearest credentials for it apply. To another they never travel.
    if (provided && sameServer(provided.src, src)) return provided
    const page = pageAddress()
    return clientFor(page && sameServer(page.src, src) ? page : address(src, null, null))
  }

  /** @param nearest what a provider around has found; `undefined` = there is none */
  #provided(nearest: StatusClient | null | undefined): StatusClient | null {
    if (nearest === null) {
      // Another server than the one that was meant would be worse than none.
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

/** Whether a provider around says which server is meant, although none was found by it. */
function isServerNamed(host: Element): boolean {
  const nearest = closest(host, PROVIDER) as { src?: unknown } | null
  return !!nearest?.src || closest(host, `${PROVIDER}[src]`) !== null
}

/** The first provider of the document that an element is in speaks for it, then that of the page itself. */
function firstProvided({ ownerDocument }: Element): StatusClient | null {
  for (const page of new Set([ownerDocument, document])) {
    const [provider] = page.getElementsByTagName(PROVIDER)
    const client = (provider as { client?: StatusClient | null } | undefined)?.client
    if (client) return client
  }
  return null
}

import { ContextConsumer, createContext } from '@lit/context'
import type { Context } from '@lit/context'
import type { ReactiveController, ReactiveControllerHost } from 'lit'
import { clientFor } from '../client/index.ts'
import type { StatusClient } from '../client/index.ts'
import { closest } from './composed-tree.ts'
import { address, pageAddress } from './page-settings.ts'
import type { Address } from './page-settings.ts'

/**
 * What a provider hands down: the client itself, never its state, so that one change renders one card. The symbol is
 * shared by every copy of this package on the page.
 */
export const clientContext: Context<symbol, StatusClient | null> = createContext(
  Symbol.for('mqtt-status.client'),
)

const PROVIDER = 'mqtt-status-provider'

/** The settings of one element that choose its client. */
export interface ClientHost extends ReactiveControllerHost, HTMLElement {
  /** A client made by the page itself; goes before everything else. */
  client: StatusClient | null
  src: string | null
}

/**
 * Finds the client of its host, setting by setting: the element's own, the nearest provider's, the first provider's
 * on the page, then what the page says (see page-settings.ts).
 */
export class ClientController implements ReactiveController {
  readonly #host: ClientHost
  readonly #consumer: ContextConsumer<typeof clientContext, ClientHost>
  #undo: AbortController | null = null
  #current: StatusClient | null = null

  constructor(host: ClientHost) {
    this.#host = host
    this.#consumer = new ContextConsumer(host, { context: clientContext, subscribe: true })
    host.addController(this)
  }

  /** `null` while no server is configured, or while a provider around the host is not defined yet. */
  get current(): StatusClient | null {
    return this.#current
  }

  /** Whether nothing on the page says which server to ask, so that there is nothing to wait for. */
  get unconfigured(): boolean {
    return this.#current === null && !awaitedProvider(this.#host)
  }

  hostConnected(): void {
    this.#undo = new AbortController()
    const { signal } = this.#undo
    const again = (): void => {
      this.#host.requestUpdate()
    }
    // A provider may come after us, as an element or as a definition.
    document.addEventListener('context-provider', again, { signal })
    if (awaitedProvider(this.#host)) void customElements.whenDefined(PROVIDER).then(again)
    again()
  }

  hostDisconnected(): void {
    this.#undo?.abort()
    this.#undo = null
  }

  hostUpdate(): void {
    this.#current = this.#find()
  }

  #find(): StatusClient | null {
    const { client, src } = this.#host
    if (client) return client
    if (awaitedProvider(this.#host)) return null
    const provided = this.#consumer.value ?? firstProvided()
    if (src === null || src === '') return provided ?? fromPage(pageAddress())
    // The same server under its own name: the nearest credentials for it apply. To another they never travel.
    if (provided && sameServer(provided.src, src)) return provided
    const page = pageAddress()
    return clientFor(page && sameServer(page.src, src) ? page : address(src, null, null))
  }
}

function fromPage(page: Address | null): StatusClient | null {
  return page && clientFor(page)
}

function awaitedProvider(host: Element): boolean {
  return closest(host, `${PROVIDER}:not(:defined)`) !== null
}

function firstProvided(): StatusClient | null {
  const provider = document.querySelector<Element & { client?: StatusClient | null }>(PROVIDER)
  return provider?.client ?? null
}

function sameServer(one: string, other: string): boolean {
  return absolute(one) === absolute(other)
}

/** An address as the browser would resolve it, always ending in a slash. */
function absolute(src: string): string {
  const url = new URL(src, document.baseURI)
  if (!url.pathname.endsWith('/')) url.pathname += '/'
  return url.href
}

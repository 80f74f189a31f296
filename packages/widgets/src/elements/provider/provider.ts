import { ContextProvider } from '@lit/context'
import { css, html } from 'lit'
import type { CSSResultGroup, LitElement, PropertyDeclarations, TemplateResult } from 'lit'
import { wordOf } from '../../attributes/words.ts'
import type { WordProperty } from '../../attributes/words.ts'
import { clientFor } from '../../client/index.ts'
import type { ClientSettings, StatusClient } from '../../client/index.ts'
import { reportOnce } from '../../client/report.ts'
import { announceProvider, clientContext, NearestClient } from '../../page/context.ts'
import { pageAddress, sameServer } from '../../page/settings.ts'
import { StatusElement } from '../base/element.ts'

/**
 * Sets the server and the token for the elements inside it. The first provider of a page is also the default for elements
 * outside of any provider. A setting that it lacks comes from the provider around it, or from the page.
 *
 * @tag mqtt-status-provider
 * @summary The server and the token for the elements inside it.
 *
 * @attr {string} src - the server, for example `https://status.example.com`; by default the one that the page names
 * @attr {string} token-src - an address on the page's own origin that responds with `{"token": "…", "expiresIn": 600}`
 * @attr {string} token - a publishable key; never a user's token, because every reader of the page's source can copy it
 * @attr transport - the transport; `auto`: a WebSocket, or the next transport that works
 * @attr share - `tabs`: the tabs of a browser share one WebSocket
 * @attr {number} pause-hidden - after so many seconds in which the page is hidden, the client closes its transport; 300, 0 = never
 *
 * @slot - the elements that use it
 */
export class MqttStatusProvider extends StatusElement {
  static override readonly tag: string = 'mqtt-status-provider'
  static override styles: CSSResultGroup = css`
    :host {
      display: contents;
    }
  `

  static override properties: PropertyDeclarations = {
    src: {},
    token: {},
    tokenSrc: { attribute: 'token-src' },
    getToken: { attribute: false },
    transport: {},
    share: {},
    pauseHidden: { attribute: 'pause-hidden' },
  }

  declare src: string | null | undefined
  declare token: string | null | undefined
  declare tokenSrc: string | null | undefined
  /** The client calls it before each attempt and before its token expires; times out after 10 s. */
  declare getToken: ClientSettings['getToken'] | null
  declare transport: WordProperty<'transport'>
  declare share: WordProperty<'share'>
  declare pauseHidden: string | number | null | undefined

  readonly #outer: NearestClient
  readonly #provided: ContextProvider<typeof clientContext, this>
  #isOnPage = false

  constructor() {
    super()
    this.#outer = new NearestClient(this, () => {
      this.requestUpdate()
    })
    this.#provided = new ContextProvider(this, { context: clientContext })
  }

  /** What the elements inside it share; `null` while neither it nor the page says which server. */
  get client(): StatusClient | null {
    // Scripts of the page may ask before the element is connected or updated.
    this.#provided.value ??= this.#choose()
    return this.#provided.value
  }

  override connectedCallback(): void {
    super.connectedCallback()
    this.#isOnPage = true
    this.#provided.value = this.#choose()
    announceProvider(this)
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#isOnPage = false
    announceProvider(this)
  }

  /** Applies a changed setting at once: elements inside look for their client before the next update of the provider. */
  override requestUpdate(...change: Parameters<LitElement['requestUpdate']>): void {
    super.requestUpdate(...change)
    // The constructor of the base class calls without a name, before this class has its fields.
    if (change[0] !== undefined && this.#isOnPage) this.#provide()
  }

  protected override willUpdate(): void {
    this.#provide()
  }

  #provide(): void {
    const before = this.#provided.value
    this.#provided.value = this.#choose()
    if (this.#provided.value !== before) announceProvider(this)
  }

  protected override updated(): void {
    // Problems of the link are reported by the elements that show it.
    const src = this.#provided.value?.src ?? null
    StatusElement.inspect?.(this, { trouble: null, link: null, src })
  }

  protected override render(): TemplateResult {
    return html`<slot></slot>`
  }

  #lineSettings(): Pick<ClientSettings, 'transport' | 'share' | 'pauseHidden'> {
    const transport = wordOf('transport', this.transport)
    const pauseHidden = Number(this.pauseHidden ?? NaN)
    return {
      ...(transport === 'auto' ? {} : { transport }),
      ...(wordOf('share', this.share) === 'tabs' ? { share: 'tabs' } : {}),
      ...(pauseHidden >= 0 ? { pauseHidden } : {}),
    }
  }

  #choose(): StatusClient | null {
    try {
      return this.#find()
    } catch (error) {
      // An address that can't be parsed leaves the elements inside without a server; each of them shows that.
      reportOnce(error)
      return null
    }
  }

  #find(): StatusClient | null {
    const tokens = this.#tokenSettings()
    const asks = Object.keys(tokens).length > 0
    const outer = this.#outer.get()
    const page = pageAddress()
    // An outer provider without a server has read the page's settings already.
    const src = this.src || (outer === undefined ? page : outer)?.src
    if (!src) return null
    // A provider with token settings of its own needs a client of its own. A token is sent to its own server only.
    if (!asks && outer && sameServer(outer.src, src)) return outer
    const address = !asks && page && sameServer(page.src, src) ? page : { src }
    return clientFor({ ...address, ...tokens, ...this.#lineSettings() })
  }

  #tokenSettings(): Pick<ClientSettings, 'token' | 'tokenSrc' | 'getToken'> {
    const { token, tokenSrc, getToken } = this
    return {
      ...(token ? { token } : {}),
      ...(tokenSrc ? { tokenSrc } : {}),
      ...(getToken ? { getToken } : {}),
    }
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'mqtt-status-provider': MqttStatusProvider
  }
}

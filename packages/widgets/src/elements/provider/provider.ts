import { css, html } from 'lit'
import type { CSSResultGroup, PropertyDeclarations, TemplateResult } from 'lit'
import { clientFor } from '../../client/index.ts'
import type { StatusClient } from '../../client/index.ts'
import { announceProvider, answerRequests } from '../../controllers/context.ts'
import { StatusElement } from '../element.ts'

/**
 * Says once, for everything inside it and as the default of the page, which server is asked and who asks.
 *
 * @tag mqtt-status-provider
 * @summary The server and the token for the elements inside it.
 *
 * @attr {string} src - the server, for example `https://status.example.com`
 * @attr {string} token-src - an address on the page's own origin that answers `{"token": "…", "expiresIn": 600}`
 * @attr {string} token - a publishable key; never a token of a person, which everybody could read here
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
  }

  declare src: string | null
  declare token: string | null
  declare tokenSrc: string | null
  /** Asked for a token before each attempt and before a token ends; may take 10 s. */
  declare getToken: (() => Promise<string> | string) | null

  #client: StatusClient | null = null

  constructor() {
    super()
    this.src = this.token = this.tokenSrc = this.getToken = null
    answerRequests(this, () => this.client)
  }

  /** What the elements inside it share; `null` without a `src`. */
  get client(): StatusClient | null {
    // Elements may ask before the first update.
    this.#client ??= this.#choose()
    return this.#client
  }

  override connectedCallback(): void {
    super.connectedCallback()
    this.#client = this.#choose()
    announceProvider(this)
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    announceProvider(this)
  }

  protected override willUpdate(): void {
    const before = this.#client
    this.#client = this.#choose()
    if (this.#client !== before) announceProvider(this)
  }

  protected override render(): TemplateResult {
    return html`<slot></slot>`
  }

  #choose(): StatusClient | null {
    const { src, token, tokenSrc, getToken } = this
    if (!src) return null
    return clientFor({
      src,
      ...(token ? { token } : {}),
      ...(tokenSrc ? { tokenSrc } : {}),
      ...(getToken ? { getToken } : {}),
    })
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'mqtt-status-provider': MqttStatusProvider
  }
}

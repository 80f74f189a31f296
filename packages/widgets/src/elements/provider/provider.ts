import { ContextProvider } from '@lit/context'
import { css, html } from 'lit'
import type { CSSResultGroup, PropertyDeclarations, TemplateResult } from 'lit'
import { clientFor } from '../../client/index.ts'
import type { StatusClient } from '../../client/index.ts'
import { clientContext } from '../../controllers/client.ts'
import { StatusElement } from '../element.ts'

/**
 * Says once, for everything inside it and as the default of the page, which server is asked and who asks.
 *
 * @summary The server and the token for the elements inside it.
 *
 * @attr {string} src - the server, for example `https://status.example.com`
 * @attr {string} token-src - an address on the page's own origin that answers `{"token": "…", "expiresIn": 600}`
 * @attr {string} token - a publishable key; never a token of a person, which everybody could read here
 *
 * @slot - the elements that use it
 */
export class MqttStatusProvider extends StatusElement {
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

  readonly #context = new ContextProvider(this, { context: clientContext, initialValue: null })
  #client: StatusClient | null = null

  constructor() {
    super()
    this.src = this.token = this.tokenSrc = this.getToken = null
  }

  /** What the elements inside it share; `null` without a `src`. */
  get client(): StatusClient | null {
    // Elements may ask before the first update.
    this.#client ??= this.#choose()
    return this.#client
  }

  override connectedCallback(): void {
    super.connectedCallback()
    this.#provide()
  }

  protected override willUpdate(): void {
    this.#provide()
  }

  protected override render(): TemplateResult {
    return html`<slot></slot>`
  }

  #provide(): void {
    this.#client = this.#choose()
    this.#context.setValue(this.#client)
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

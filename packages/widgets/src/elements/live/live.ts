import { html, nothing } from 'lit'
import type { CSSResultGroup, PropertyDeclarations, TemplateResult } from 'lit'
import type { Tone } from '@mqtt-status/protocol'
import type { Link, LinkState, StatusClient } from '../../client/index.ts'
import { ClientController } from '../../controllers/client.ts'
import { AlarmController } from '../../controllers/alarm.ts'
import {
  blockedBy,
  LinkController,
  linkStates,
  linkTrouble,
  namedLink,
} from '../../controllers/link.ts'
import { NewsController } from '../../controllers/news.ts'
import type { Shown } from '../../controllers/news.ts'
import { inWordsOf } from '../../locales/registry.ts'
import { countdown } from '../../locales/time.ts'
import { isOn } from '../../attributes/read.ts'
import type { WordProperty } from '../../attributes/words.ts'
import { buttonStyles } from '../parts/buttons.styles.ts'
import { StatusElement } from '../base/element.ts'
import { dotIcon } from '../parts/icons.ts'
import { liveStyles } from './live.styles.ts'

const TONES: Readonly<Partial<Record<LinkState, Tone>>> = {
  live: 'positive',
  connecting: 'progress',
  stale: 'warning',
  offline: 'warning',
}

/**
 * The health of the feed: whether the rows on the page are up to date. One on a page is enough.
 *
 * @tag mqtt-status-live
 * @summary Whether the page is live, and a button to try again.
 *
 * @attr {string} src - the server, if it is not the provider's or the page's
 * @attr {boolean} hide-when-live - takes no room while the feed is live
 * @attr announce - whether screen readers announce changes
 *
 * @fires {MqttStatusLinkEvent} mqtt-status-link - the health of the feed has changed
 * @fires {MqttStatusErrorEvent} mqtt-status-error - no server is set, or its address is malformed
 *
 * @csspart live - the whole
 * @csspart icon - the dot
 * @csspart label - the words
 * @csspart retry - the button that tries again now
 *
 * @cssState stale - updates are paused
 * @cssState offline - the device of the viewer is offline
 * @cssState unauthorized - the server knows no valid token
 * @cssState loading - the first attempt is under way
 * @cssState hidden - it takes no room: `hide-when-live` is set, and the feed is live or connects for the first time
 * @cssState link-live - the feed is live
 * @cssState link-connecting - the feed is connecting
 * @cssState link-stale - the feed is stale
 * @cssState link-offline - the feed is offline
 * @cssState link-unauthorized - the feed is unauthorized
 * @cssState link-forbidden - the feed is forbidden
 * @cssState link-incompatible - the feed is incompatible
 * @cssState link-unavailable - the feed is unavailable
 */
export class MqttStatusLive extends StatusElement {
  static override readonly tag: string = 'mqtt-status-live'
  static override styles: CSSResultGroup = [StatusElement.styles, buttonStyles, liveStyles]

  static override properties: PropertyDeclarations = {
    src: {},
    hideWhenLive: { attribute: 'hide-when-live', type: Boolean, converter: isOn },
    announce: {},
    client: { attribute: false },
    strings: { attribute: false },
  }

  declare src: string | null | undefined
  declare hideWhenLive: boolean
  declare announce: WordProperty<'announce'>
  /** The page's own client; takes precedence over provider, attributes and page settings. */
  declare client: StatusClient | null | undefined

  readonly #clients: ClientController
  readonly #links: LinkController
  readonly #alarm: AlarmController

  constructor() {
    super()
    this.hideWhenLive = false
    this.#clients = new ClientController(this)
    // A page that shows whether it is live has to connect, also without a row to watch.
    this.#links = new LinkController(this, this.#clients, true)
    this.#alarm = new AlarmController(this)
    new NewsController(this, {
      shown: () => this.#shown(),
      language: () => this.speech,
      describe: null,
    })
  }

  /** The health of the feed; `null` while no server is known. */
  get link(): LinkState | null {
    this.#clients.follow()
    return this.#links.current?.state ?? null
  }

  /** Opens a transport now instead of at the next attempt. */
  refresh(): void {
    this.#clients.follow()
    this.#clients.current?.refresh()
  }

  protected override update(changed: Map<PropertyKey, unknown>): void {
    this.#showStates()
    const hadFocus = this.hasFocusInside()
    super.update(changed)
    if (hadFocus && !this.hasFocusInside())
      this.shadowRoot?.querySelector<HTMLElement>('[tabindex]')?.focus()
  }

  protected override render(): TemplateResult {
    const link = this.#links.current
    const tone = link ? toneOf(link) : 'neutral'
    const isLoading = this.#isLoading()
    return html`<span
      part="live"
      class="live tone-${tone}"
      tabindex="-1"
      data-live=${isLoading ? this.speech.locale.link.live : nothing}
      ><span part="icon" class="icon">${dotIcon(tone, false)}</span
      ><span part="label" class=${isLoading ? 'unseen' : 'label'}>${this.#words(link)}</span
      >${this.#countdown(link?.retryAt ?? null)}${link ? this.#retry(link) : nothing}</span
    >`
  }

  protected override updated(): void {
    const link = this.#links.current
    const trouble = this.#clients.trouble ?? (link && linkTrouble(link))
    StatusElement.inspect?.(this, { trouble, link, src: this.#clients.current?.src ?? null })
  }

  #shown(): Shown {
    const { trouble } = this.#clients
    const message = trouble && this.speech.locale[trouble]
    return {
      row: null,
      appearance: null,
      link: this.#links.current,
      trouble: trouble && message ? { code: trouble, message } : null,
    }
  }

  #showStates(): void {
    const link = this.#links.current
    const state = link?.state
    this.showStates([
      this.#isLoading() && 'loading',
      this.#isHidden() && 'hidden',
      (state === 'stale' || state === 'offline') && 'stale',
      ...linkStates(link),
    ])
  }

  #isLoading(): boolean {
    const link = this.#links.current
    return link ? namedLink(link) === null : this.#clients.trouble === null
  }

  /** A `:state()`, because a selector for the attribute would miss the property. */
  #isHidden(): boolean {
    const isLive = this.#links.current?.state === 'live'
    return isOn(this.hideWhenLive) && (this.#isLoading() || isLive)
  }

  #words(link: Link | null): string {
    const { locale } = this.speech
    const name = link && namedLink(link)
    if (name) return locale.link[name]
    return locale[this.#clients.trouble ?? 'loading']
  }

  #retry(link: Link): TemplateResult | typeof nothing {
    if (link.state !== 'stale' && !blockedBy(link)) return nothing
    return html`<button
      type="button"
      part="retry"
      class="retry"
      @click=${() => {
        this.refresh()
      }}
    >
      ${this.speech.locale.retryNow}
    </button>`
  }

  /** Counts down to the next attempt, by the server's clock. */
  #countdown(retryAt: number | null): TemplateResult | typeof nothing {
    const leftMs = (retryAt ?? 0) - (this.#clients.current?.now() ?? 0)
    if (leftMs <= 0) {
      this.#alarm.set(null)
      return nothing
    }
    const { text, staysMs } = inWordsOf(this.speech, (language) => {
      const wait = countdown(language, leftMs)
      return { ...wait, text: language.locale.nextTry(wait.text) }
    })
    this.#alarm.set(staysMs)
    return html`<span class="when">${text}</span>`
  }
}

function toneOf(link: Link): Tone {
  if (link.state === 'connecting' && link.cause) return 'warning'
  return TONES[link.state] ?? 'negative'
}

declare global {
  interface HTMLElementTagNameMap {
    'mqtt-status-live': MqttStatusLive
  }
}

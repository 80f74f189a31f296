import type { CSSResultOrNative, PropertyDeclarations } from 'lit'
import { appearance } from '@mqtt-status/protocol'
import type { Connection } from '@mqtt-status/protocol'
import type { LinkState, Pending, StatusClient } from '../../client/index.ts'
import type { Change } from '../../page/announcer.ts'
import { AlarmController } from '../../controllers/alarm.ts'
import { LinkController, linkStates } from '../../controllers/link.ts'
import { NewsController } from '../../controllers/news.ts'
import type { Shown } from '../../controllers/news.ts'
import { OwnText } from './own-text.ts'
import { ClientController } from '../../controllers/client.ts'
import { CloseLook } from '../../controllers/close-look.ts'
import type { CommandState } from '../../controllers/command.ts'
import { ConnectionController } from '../../controllers/connection.ts'
import { textOf } from '../../attributes/text-of.ts'
import { takeTurn } from '../../page/turns.ts'
import { inWordsOf } from '../../locales/registry.ts'
import type { Language } from '../../locales/registry.ts'
import { wordOf } from '../../attributes/words.ts'
import type { Word, WordProperty } from '../../attributes/words.ts'
import { StatusElement } from './element.ts'
import { problemText } from '../scene/message.ts'
import { compose } from '../scene/scene.ts'
import type { Scene } from '../scene/scene.ts'

const IDLE: CommandState = { kind: 'idle' }

/** An element's row, words and name, for the parts that it is composed of. */
export interface Inside {
  readonly store: ConnectionController
  readonly language: () => Language
  readonly density: () => Word<'density'>
  readonly name: () => string
  /** The row that is on the screen; the store may have a newer one. */
  readonly row: () => Connection | null
  readonly describe: (row: Connection, name: string) => Change
}

/**
 * An element that shows one connection.
 *
 * @attr {string} connection-id - which connection
 * @attr {string} site-id - instead of `connection-id`: the only connection of this site
 * @attr {string} name - takes precedence over the name of the row; without either, the element's own text
 * @attr {string} src - the server, if it is not the provider's or the page's
 * @attr announce - which changes screen readers announce
 * @attr time - how times are written
 *
 * @fires {MqttStatusReadyEvent} mqtt-status-ready - the row is shown for the first time
 * @fires {MqttStatusChangeEvent} mqtt-status-change - status, desired, reason, device, name, site or labels have changed
 * @fires {MqttStatusLinkEvent} mqtt-status-link - the health of the feed has changed
 * @fires {MqttStatusErrorEvent} mqtt-status-error - the element can't show the row
 *
 * @cssState connected - the status of the row
 * @cssState connecting - the status of the row
 * @cssState reconnecting - the status of the row
 * @cssState disconnecting - the status of the row
 * @cssState disconnected - the status of the row
 * @cssState failed - the status of the row
 * @cssState unknown - the status of the row
 * @cssState positive - the tone
 * @cssState progress - the tone
 * @cssState warning - the tone
 * @cssState negative - the tone
 * @cssState neutral - the tone
 * @cssState pending - a command has no result yet
 * @cssState stale - the row may be out of date: the feed is not live
 * @cssState offline - the device of the viewer is offline
 * @cssState unauthorized - the server has accepted no token
 * @cssState loading - the row has not arrived yet
 * @cssState missing - the server has no such connection for this viewer
 * @cssState link-live - the feed is live
 * @cssState link-connecting - the feed is connecting
 * @cssState link-stale - the feed is stale
 * @cssState link-offline - the feed is offline
 * @cssState link-unauthorized - the feed is unauthorized
 * @cssState link-forbidden - the feed is forbidden
 * @cssState link-incompatible - the feed is incompatible
 * @cssState link-unavailable - the feed is unavailable
 */
export abstract class ConnectedElement extends StatusElement {
  /** The style sheets of an element that waits for its turn to render: they reserve its room. */
  protected static readonly placeholder: CSSResultOrNative[] = []
  static override properties: PropertyDeclarations = {
    connectionId: { attribute: 'connection-id' },
    siteId: { attribute: 'site-id' },
    name: {},
    src: {},
    announce: {},
    time: {},
    client: { attribute: false },
    strings: { attribute: false },
  }

  declare connectionId: string | null | undefined
  declare siteId: string | null | undefined
  declare name: string | null | undefined
  declare src: string | null | undefined
  declare announce: WordProperty<'announce'>
  declare time: WordProperty<'time'>
  /** The page's own client; takes precedence over provider, attributes and page settings. */
  declare client: StatusClient | null | undefined

  protected readonly clients: ClientController
  protected readonly store: ConnectionController
  protected scene!: Scene
  // An element that waits for its turn to render needs none of these: a page of a thousand cards creates them in slices.
  protected closeLook!: CloseLook
  #links!: LinkController
  #alarm!: AlarmController
  #buttons: { readonly state: CommandState } | null = null
  #isPrepared = false
  readonly #ownText: OwnText

  constructor() {
    super()
    this.clients = new ClientController(this)
    this.store = new ConnectionController(this, this.clients)
    this.#ownText = new OwnText(this)
  }

  /** The latest row; `null` before the first one. */
  get connection(): Connection | null {
    this.#follow()
    return this.store.view.connection
  }

  /** The command without a result yet, from any element or page. */
  get pending(): Pending | null {
    this.#follow()
    return this.store.view.pending
  }

  /** The health of the feed; `null` while no server is known. */
  get link(): LinkState | null {
    this.#follow()
    return this.clients.current?.link.state ?? null
  }

  /** The buttons of an element that has some. */
  protected get commands(): { readonly state: CommandState } | null {
    return null
  }

  /** What the parts of the element outside of this class read of it. */
  protected inside(): Inside {
    return {
      store: this.store,
      language: () => this.speech,
      density: () => this.density,
      name: () => this.displayName,
      row: () => this.scene.row,
      describe: (row, name) => this.#describe(row, name),
    }
  }

  /** Opens a transport now instead of at the next attempt. */
  refresh(): void {
    this.#follow()
    this.clients.current?.refresh()
  }

  /** Name slot, attribute, row, own text, id: the first that is not empty. */
  protected get displayName(): string {
    const { name, store } = this
    const { connection } = store.view
    const slotted = this.ownText('name')
    const given = textOf(name).trim() || connection?.name.trim()
    this.#ownText.observe(!!slotted || !given)
    return slotted || given || this.ownText() || store.id || this.connectionId || this.siteId || ''
  }

  /** The text inside the element that belongs to a slot, by default to the unnamed one. */
  protected ownText(slot: string = ''): string {
    return this.#ownText.of(slot)
  }

  protected override createRenderRoot(): ShadowRoot {
    // An element adopts its style sheets when it renders: adopting those of a thousand cards at once would block the page.
    return this.attachShadow({ mode: 'open' })
  }

  protected override scheduleUpdate(): Promise<unknown> | undefined {
    // An element that waits for its turn watches its row at once, so that one message of the client has all ids of a page.
    this.guard(() => {
      this.#follow()
    })
    const turn = takeTurn(this, () => {
      if (!this.hasUpdated) this.#dress('elementStyles')
      this.#prepare()
      void super.scheduleUpdate()
    })
    if (turn && !this.hasUpdated) this.#dress('placeholder')
    return turn
  }

  #prepare(): void {
    if (this.#isPrepared) return
    this.#isPrepared = true
    this.closeLook = new CloseLook(this)
    this.#links = new LinkController(this, this.clients, false)
    this.#alarm = new AlarmController(this)
    new NewsController(this, {
      shown: () => this.#shown(),
      language: () => this.speech,
      describe: (row) => this.#describe(row, this.displayName),
    })
    // Buttons take part in the first update: where the browser lacks what they need, the element shows its fallback.
    this.#buttons = this.commands
  }

  protected override update(changed: Map<PropertyKey, unknown>): void {
    this.scene = inWordsOf(this.speech, (language) => this.#compose(language))
    this.#showStates()
    super.update(changed)
    this.#alarm.set(this.scene.staysMs)
  }

  #compose(language: Language): Scene {
    const { store } = this
    return compose({
      view: store.view,
      link: this.#links.current,
      several: store.several,
      command: this.#buttons?.state ?? IDLE,
      language,
      time: wordOf('time', this.time),
      unnamed: !this.connectionId && !this.siteId,
      serverless: this.clients.trouble,
      now: store.now(),
      exact: this.closeLook.taken,
    })
  }

  protected override updated(): void {
    const { trouble } = this.scene
    const src = this.clients.current?.src ?? null
    StatusElement.inspect?.(this, { trouble, link: this.#links.current, src })
  }

  #shown(): Shown {
    const { row, appearance, trouble, message } = this.scene
    return {
      row,
      appearance,
      link: this.#links.current,
      trouble: trouble === null ? null : { code: trouble, message: message?.text ?? '' },
    }
  }

  /** Applies changed attributes at once, because a page may read properties before the next update. */
  #follow(): void {
    this.clients.follow()
    this.store.follow()
  }

  #dress(look: 'elementStyles' | 'placeholder'): void {
    const { [look]: styles } = this.constructor as typeof ConnectedElement
    this.wear(this.renderRoot as ShadowRoot, styles)
  }

  #showStates(): void {
    const { kind, appearance, dimmed, row } = this.scene
    const { pending, missing } = this.store.view
    this.showStates([
      row?.status,
      appearance?.tone,
      pending && 'pending',
      dimmed && 'stale',
      kind === 'loading' && kind,
      missing && 'missing',
      ...linkStates(this.#links.current),
    ])
  }

  /** A row in the words of an announcement. */
  #describe(row: Connection, name: string): Change {
    const { clients, speech: language } = this
    const now = this.store.now()
    const { look, attention } = appearance(row, now)
    return {
      key: `${clients.current?.src ?? ''} ${row.id}`,
      name,
      look,
      reason: attention
        ? inWordsOf(language, (spoken) => problemText(row, { language: spoken, now }))
        : null,
      language,
      from: this,
    }
  }
}

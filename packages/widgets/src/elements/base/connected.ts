import type { CSSResultOrNative, PropertyDeclarations } from 'lit'
import { appearance } from '@mqtt-status/protocol'
import type { Appearance, Connection } from '@mqtt-status/protocol'
import type { Link, LinkState, Pending, StatusClient } from '../../client/index.ts'
import { announcer } from '../../page/announcer.ts'
import type { Change } from '../../page/announcer.ts'
import { ClientController } from '../../controllers/client.ts'
import { wakeIn } from '../../page/clock.ts'
import { CloseLook } from '../../controllers/close-look.ts'
import type { CommandState } from '../../controllers/command.ts'
import { ConnectionController } from '../../controllers/connection.ts'
import { textOf } from '../../attributes/text-of.ts'
import { takeTurn } from '../../page/turns.ts'
import { inWordsOf } from '../../locales/registry.ts'
import type { Language } from '../../locales/registry.ts'
import { wordOf } from '../../attributes/words.ts'
import type { WordProperty } from '../../attributes/words.ts'
import { StatusElement } from './element.ts'
import { isLinkNews, namedLink, problemText } from '../scene/message.ts'
import { reportChanges } from './report.ts'
import type { Reported } from './report.ts'
import { compose } from '../scene/scene.ts'
import type { Scene } from '../scene/scene.ts'

const IDLE: CommandState = { kind: 'idle' }

/**
 * An element that shows one connection.
 *
 * @attr {string} connection-id - which connection
 * @attr {string} site-id - instead of `connection-id`: the only connection of this site
 * @attr {string} name - goes before the name of the row; without either, the element's own text
 * @attr {string} src - the server, if it is not the provider's or the page's
 * @attr announce - which changes are told to screen readers
 * @attr time - how times are told
 *
 * @fires {MqttStatusReadyEvent} mqtt-status-ready - the row is shown for the first time
 * @fires {MqttStatusChangeEvent} mqtt-status-change - status, wish, reason, device, name, site or labels have changed
 * @fires {MqttStatusLinkEvent} mqtt-status-link - the health of the feed has changed
 * @fires {MqttStatusErrorEvent} mqtt-status-error - something keeps the row from being shown
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
 * @cssState pending - a command waits for its result
 * @cssState stale - what is shown is what was last known
 * @cssState offline - the device of the viewer is offline
 * @cssState unauthorized - the server knows no valid token
 * @cssState loading - nothing is known yet
 * @cssState missing - there is no such connection for this viewer
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
  /** The look of an element that has to wait for its turn to draw: the room that it will need, empty. */
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
  /** A client of the page's own; goes before provider, attributes and page settings. */
  declare client: StatusClient | null | undefined

  protected readonly clients: ClientController
  protected readonly store: ConnectionController
  protected readonly closeLook: CloseLook
  protected scene!: Scene
  #reported: Reported = { scene: null, link: null, trouble: null }
  #stopWaiting: (() => void) | null = null
  #texts: MutationObserver | null = null
  /** How the row was when those who can't see it last heard of it; `null` = they wait to hear of it anew. */
  #heard: Appearance | null = null

  constructor() {
    super()
    this.clients = new ClientController(this)
    this.store = new ConnectionController(this, this.clients)
    this.closeLook = new CloseLook(this)
  }

  /** The row as last known; `null` before the first one. */
  get connection(): Connection | null {
    this.#follow()
    return this.store.view.connection
  }

  /** The command that waits for its result, whoever gave it. */
  get pending(): Pending | null {
    this.#follow()
    return this.store.view.pending
  }

  /** The health of the feed; `null` while no server is known. */
  get link(): LinkState | null {
    this.#follow()
    return this.store.link?.state ?? null
  }

  /** Tries to reach the server now instead of at the next attempt. */
  refresh(): void {
    this.#follow()
    this.clients.current?.refresh()
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#stopWaiting?.()
  }

  /** What happens to the element's own command; only those with a button have one. */
  protected get commandState(): CommandState {
    return IDLE
  }

  /** Name slot, attribute, row, own text, id: the first that says something. */
  protected get displayName(): string {
    const { name, store } = this
    const { connection } = store.view
    const slotted = this.ownText('name')
    const told = textOf(name).trim() || connection?.name.trim()
    this.#listenToText(!!slotted || !told)
    return slotted || told || this.ownText() || store.id || this.connectionId || this.siteId || ''
  }

  /** The text inside the element that belongs to a slot, by default to the unnamed one. */
  protected ownText(slot: string = ''): string {
    let text = ''
    for (let node = this.firstChild; node; node = node.nextSibling) {
      // By type, because nodes of an iframe or a popup are no instances of this window's classes.
      const isSlotted =
        node.nodeType === Node.ELEMENT_NODE ? (node as Element).slot === slot : !slot
      // Frameworks leave comments behind.
      if (isSlotted && node.nodeType !== Node.COMMENT_NODE) text += node.textContent ?? ''
    }
    return text.trim()
  }

  /** Frameworks change the text of a node, which no slot notices. */
  #listenToText(isName: boolean): void {
    if (isName === !!this.#texts) return
    this.#texts?.disconnect()
    this.#texts = null
    if (!isName) return
    this.#texts = new MutationObserver(() => {
      this.requestUpdate()
    })
    this.#texts.observe(this, { characterData: true, childList: true, subtree: true })
  }

  protected override createRenderRoot(): ShadowRoot {
    // Its style sheets come when it draws: a thousand times they take longer than a thousand cards may.
    return this.attachShadow({ mode: 'open' })
  }

  protected override scheduleUpdate(): Promise<unknown> | undefined {
    // Who has to wait asks for its row at once, so that all that a page wants travels in one question.
    this.guard(() => {
      this.#follow()
    })
    const turn = takeTurn(this, () => {
      if (!this.hasUpdated) this.#dress('elementStyles')
      void super.scheduleUpdate()
    })
    if (turn && !this.hasUpdated) this.#dress('placeholder')
    return turn
  }

  protected override update(changed: Map<PropertyKey, unknown>): void {
    this.scene = inWordsOf(this.speech, (language) => this.#compose(language))
    this.#tellStates()
    super.update(changed)
    this.#stopWaiting?.()
    const { staysMs } = this.scene
    this.#stopWaiting =
      staysMs === null || !this.isConnected
        ? null
        : wakeIn(staysMs, () => {
            this.requestUpdate()
          })
  }

  #compose(language: Language): Scene {
    const { store } = this
    return compose({
      view: store.view,
      link: store.link,
      several: store.several,
      command: this.commandState,
      language,
      time: wordOf('time', this.time),
      unnamed: !this.connectionId && !this.siteId,
      serverless: this.clients.trouble,
      now: store.now(),
      exact: this.closeLook.taken,
    })
  }

  protected override updated(): void {
    const { scene, store } = this
    const before = this.#reported
    const now = { scene, link: store.link, trouble: scene.trouble }
    this.#reported = now
    this.#announceChange(before.scene, scene)
    this.#announceLink(before.link, now.link)
    reportChanges(this, before, now)
    StatusElement.inspect?.(this, { ...now, src: this.clients.current?.src ?? null })
  }

  /** A page that has just changed an attribute means what it says now, not what was drawn last. */
  #follow(): void {
    this.clients.follow()
    this.store.follow()
  }

  #dress(look: 'elementStyles' | 'placeholder'): void {
    const { [look]: styles } = this.constructor as typeof ConnectedElement
    this.wear(this.renderRoot as ShadowRoot, styles)
  }

  #tellStates(): void {
    const { kind, appearance, dimmed, row } = this.scene
    const { pending, missing } = this.store.view
    const link = this.store.link?.state
    this.showStates([
      row?.status,
      appearance?.tone,
      pending && 'pending',
      dimmed && 'stale',
      link === 'offline' && link,
      link === 'unauthorized' && link,
      kind === 'loading' && kind,
      missing && 'missing',
      link && `link-${link}`,
    ])
  }

  #announceChange(before: Scene | null, { row, appearance }: Scene): void {
    if (!row || !appearance) return
    const news = before?.row?.id === row.id && isNews(this.#heard, appearance, this.announce)
    if (news) announcer().change(this.#news)
    else if (news === false) this.#heard = appearance
  }

  readonly #news = (): Change | null => {
    const { row, appearance } = this.scene
    if (!this.isConnected || !row || !appearance) return null
    if (!isNews(this.#heard, appearance, this.announce)) return null
    this.#heard = appearance
    return this.inNews(row, this.displayName)
  }

  /** A row as screen readers are told of it. */
  protected inNews(row: Connection, name: string): Change {
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

  #announceLink(before: Link | null, now: Link | null): void {
    const name = now && namedLink(now)
    if (this.announce === 'off' || !before || !name || !isLinkNews(before, now)) return
    const { locale, tag } = this.speech
    announcer().say(locale.link[name], tag, { from: this })
  }
}

/** Whether somebody who can't see it wants to hear of it; `null` = not before it is seen what comes of it. */
function isNews(
  was: Appearance | null,
  is: Appearance,
  announce: WordProperty<'announce'>,
): boolean | null {
  const mode = wordOf('announce', announce)
  if (mode === 'off') return false
  const same = was?.look === is.look
  // A command that waits for its answer takes away the attention, not the problem.
  if (is.tone === 'progress' && (same || mode !== 'all')) return null
  if (same && was.attention === is.attention) return false
  return mode === 'all' || is.attention || was?.attention === true
}

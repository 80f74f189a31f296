import type { CSSResultGroup, PropertyDeclarations, TemplateResult } from 'lit'
import type { Action, Connection } from '@mqtt-status/protocol'
import type { LinkState, Outcome, Pending, StatusClient } from '../../client/index.ts'
import { announce } from '../../controllers/announcer.ts'
import { ClientController } from '../../controllers/client.ts'
import { wakeIn } from '../../controllers/clock.ts'
import { CommandController } from '../../controllers/command.ts'
import type { CommandHost } from '../../controllers/command.ts'
import { ConnectionController } from '../../controllers/connection.ts'
import { oneOf, words } from '../attributes.ts'
import { control } from '../control.ts'
import { controlStyles } from '../control.styles.ts'
import { StatusElement } from '../element.ts'
import { MqttStatusCommandEndEvent, MqttStatusCommandEvent } from '../events.ts'
import { cardStyles } from './card.styles.ts'
import { failureText } from './message.ts'
import { reportChanges } from './report.ts'
import type { Reported } from './report.ts'
import { compose } from './scene.ts'
import type { Scene } from './scene.ts'
import { card } from './template.ts'
import type { CardParts } from './template.ts'

const SLOTS = ['name', 'icon', 'meta', 'actions', 'footer', 'error'] as const

/**
 * One connection: its name, its status in a word, an icon and a colour, since when, why, and a button.
 *
 * @summary A live card of one MQTT connection.
 *
 * @attr {string} connection-id - which connection
 * @attr {string} name - goes before the name of the row; without either, the element's own text
 * @attr {string} href - makes the name a link that covers the card
 * @attr {auto|show|none} controls - `auto`: the button that may be used; `show`: always, saying why it can't be
 * @attr {none|disconnect|all} confirm - which commands ask first
 * @attr {2|3|4|5|6} heading-level - makes the name a heading
 * @attr {string} hide - what to leave out: `time`, `reason`, `meta`
 * @attr {relative|absolute|both} time - how the time is told
 * @attr {string} src - the server, if it is not the provider's or the page's
 * @attr {auto|light|dark} theme - overrides the page's color scheme
 * @attr {comfortable|compact|dense} density - how much room the card takes
 *
 * @slot - what is shown until the script is there; its text is the name if there is no other
 * @slot name - the name, with markup
 * @slot icon - replaces the status icon
 * @slot meta - details beside the button
 * @slot actions - buttons of the page, beside the name
 * @slot footer - anything below
 * @slot error - replaces the text of a problem
 *
 * @csspart card - the surface
 * @csspart header - name and actions
 * @csspart icon - the status icon
 * @csspart name - the name
 * @csspart status - word and time
 * @csspart time - the time
 * @csspart reason - why the connection is as it is
 * @csspart message - what is wrong with the feed or the command
 * @csspart footer - meta and button
 * @csspart meta - around the meta slot
 * @csspart control - the button
 * @csspart spinner - the button's icon while its command runs
 *
 * @fires mqtt-status-ready - the row is shown for the first time
 * @fires mqtt-status-change - the row has changed
 * @fires mqtt-status-link - the health of the feed has changed
 * @fires mqtt-status-command - a command is about to be sent; cancelable
 * @fires mqtt-status-command-end - a command has ended
 * @fires mqtt-status-error - something keeps the row from being shown
 */
export class MqttStatusCard extends StatusElement implements CommandHost {
  static override styles: CSSResultGroup = [StatusElement.styles, controlStyles, cardStyles]

  static override properties: PropertyDeclarations = {
    ...StatusElement.properties,
    connectionId: { attribute: 'connection-id' },
    name: {},
    href: {},
    controls: {},
    confirm: {},
    headingLevel: { attribute: 'heading-level' },
    hide: {},
    time: {},
    src: {},
    client: { attribute: false },
  }

  declare connectionId: string | null
  declare name: string | null
  declare href: string | null
  declare controls: string | null
  declare confirm: string | null
  declare headingLevel: string | number | null
  declare hide: string | null
  declare time: string | null
  declare src: string | null
  /** A client of the page's own; goes before provider, attributes and page settings. */
  declare client: StatusClient | null

  readonly #clients: ClientController
  readonly #store: ConnectionController
  readonly #command: CommandController
  #scene: Scene | null = null
  #reported: Reported = { row: null, link: null, trouble: null }
  #stopWaiting: (() => void) | null = null

  constructor() {
    super()
    this.connectionId = this.name = this.href = this.controls = this.confirm = null
    this.headingLevel = this.hide = this.time = this.src = this.client = null
    this.#clients = new ClientController(this)
    this.#store = new ConnectionController(this, this.#clients, () => this.connectionId)
    this.#command = new CommandController(this, () => this.#target())
  }

  /** The row as last known; `null` before the first one. */
  get connection(): Connection | null {
    return this.#store.view.connection
  }

  /** The command that waits for its result, whoever gave it. */
  get pending(): Pending | null {
    return this.#store.view.pending
  }

  /** The health of the feed; `null` while no server is known. */
  get link(): LinkState | null {
    return this.#store.link?.state ?? null
  }

  connect(): Promise<Outcome> {
    return this.#command.run('connect')
  }

  disconnect(): Promise<Outcome> {
    return this.#command.run('disconnect')
  }

  reconnect(): Promise<Outcome> {
    return this.#command.run('reconnect')
  }

  /** Tries to reach the server now instead of at the next attempt. */
  refresh(): void {
    this.#store.client?.refresh()
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#stopWaiting?.()
  }

  /** @internal */
  allowCommand(action: Action, requestId: string): boolean {
    const id = this.connectionId ?? ''
    return this.dispatchEvent(new MqttStatusCommandEvent({ id, action, requestId }))
  }

  /** @internal */
  commandEnded(action: Action, requestId: string, { outcome, code }: Outcome): void {
    const { locale, tag } = this.language.current
    const said = {
      done: locale.action[action].done,
      failed: failureText(locale, code ?? 'internal'),
      timeout: locale.noConfirmation,
      unknown: locale.outcomeUnknown,
      prevented: null,
    }[outcome]
    if (said !== null) announce(`${this.#name()}: ${said}`, tag)
    const detail = { id: this.connectionId ?? '', action, requestId, outcome, code }
    this.dispatchEvent(new MqttStatusCommandEndEvent(detail))
  }

  protected override update(changed: Map<PropertyKey, unknown>): void {
    const scene = this.#compose()
    this.#scene = scene
    this.showStates(this.#states(scene))
    const hadFocus = this.#hasFocus()
    super.update(changed)
    // A button that made room for another one must not throw the keyboard back to the top of the page.
    if (hadFocus && !this.#hasFocus()) this.#focusControl()
    this.#stopWaiting?.()
    this.#stopWaiting =
      scene.staysMs === null
        ? null
        : wakeIn(scene.staysMs, () => {
            this.requestUpdate()
          })
  }

  protected override updated(): void {
    const next = {
      row: this.connection,
      link: this.#store.link,
      trouble: this.#scene?.kind === 'blind' ? (this.#scene.message?.text ?? null) : null,
    }
    const before = this.#reported
    this.#reported = next
    reportChanges(this, before, next)
  }

  protected override render(): TemplateResult {
    return card(this.#parts(this.#scene ?? this.#compose()))
  }

  #compose(): Scene {
    return compose({
      view: this.#store.view,
      link: this.#store.link,
      can: this.#store.can,
      controls: this.#controls(),
      command: this.#command.state,
      language: this.language.current,
      time: oneOf(['relative', 'absolute', 'both'], this.time, 'time'),
      unconfigured: this.#clients.unconfigured,
      now: this.#store.now(),
    })
  }

  #parts(scene: Scene): CardParts {
    const { locale } = this.language.current
    return {
      scene,
      locale,
      density: oneOf(['comfortable', 'compact', 'dense'], this.getAttribute('density'), 'density'),
      name: this.#name(),
      href: safeHref(this.href),
      headingLevel: headingLevel(this.headingLevel),
      hidden: new Set(words(this.hide)),
      filled: new Set(SLOTS.filter((slot) => this.querySelector(`:scope > [slot="${slot}"]`))),
      control: scene.offer && this.#control(scene, scene.offer),
      reserveControl: scene.kind === 'loading' && this.#controls() !== 'none',
      slotChanged: () => {
        this.requestUpdate()
      },
      retry: () => {
        this.refresh()
      },
    }
  }

  #control(scene: Scene, offered: NonNullable<Scene['offer']>): TemplateResult {
    const { locale } = this.language.current
    const { blocked } = offered
    return control({
      offer: offered,
      state: this.#command.state,
      running: scene.running,
      locale,
      why:
        blocked === null
          ? null
          : blocked === 'link'
            ? (scene.message?.text ?? null)
            : locale[blocked],
      press: (action) => {
        this.#press(action)
      },
      confirm: (action) => {
        void this.#command.run(action)
      },
      cancel: () => {
        this.#command.cancel()
      },
    })
  }

  #press(action: Action): void {
    const asks = oneOf(['none', 'disconnect', 'all'], this.confirm, 'confirm')
    if (asks !== 'all' && asks !== action) {
      void this.#command.run(action)
      return
    }
    this.#command.ask(action)
    void this.updateComplete.then(() => {
      this.#focusControl()
    })
  }

  #hasFocus(): boolean {
    return this.shadowRoot?.activeElement != null
  }

  #focusControl(): void {
    this.shadowRoot?.querySelector<HTMLElement>('.no, .main')?.focus()
  }

  #controls(): 'auto' | 'show' | 'none' {
    return oneOf(['auto', 'show', 'none'], this.controls, 'controls')
  }

  #target(): ReturnType<ConstructorParameters<typeof CommandController>[1]> {
    const { connection, pending } = this.#store.view
    return {
      client: this.#store.client,
      id: this.connectionId,
      pending: pending !== null && pending.phase !== 'overdue',
      seen: connection === null ? '' : `${connection.status} ${connection.since}`,
    }
  }

  #states({ kind, appearance, dimmed, row }: Scene): Set<string> {
    const { pending, missing } = this.#store.view
    const link = this.link
    return new Set(
      [
        row?.status,
        appearance?.tone,
        pending && 'pending',
        dimmed && 'stale',
        link === 'offline' && 'offline',
        kind === 'loading' && 'loading',
        missing && 'missing',
        link && `link-${link}`,
      ].filter((state) => typeof state === 'string'),
    )
  }

  /** Attribute, row, own text, id: the first that says something. */
  #name(): string {
    const own = [...this.childNodes]
      .filter((node) => !(node instanceof Element) || !node.slot)
      .map((node) => node.textContent)
      .join('')
    const candidates = [this.name, this.connection?.name, own, this.connectionId]
    return candidates.map((text) => text?.trim()).find(Boolean) ?? ''
  }
}

function headingLevel(value: string | number | null): number | null {
  const level = Number(value)
  return Number.isInteger(level) && level >= 2 && level <= 6 ? level : null
}

/** A link that runs script instead of leading somewhere is left out. */
function safeHref(href: string | null): string | null {
  if (!href) return null
  const { protocol } = new URL(href, document.baseURI)
  return protocol === 'http:' || protocol === 'https:' ? href : null
}

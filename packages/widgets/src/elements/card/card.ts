import type { CSSResultGroup, CSSResultOrNative, PropertyDeclarations, TemplateResult } from 'lit'
import type { Outcome } from '../../client/index.ts'
import type { CommandState } from '../../controllers/command.ts'
import { expectsControl } from '../../page/foresight.ts'
import { safeHref, words } from '../../attributes/read.ts'
import { HEADING_LEVELS, wordOf } from '../../attributes/words.ts'
import type { HeadingLevel, WordProperty } from '../../attributes/words.ts'
import { buttonStyles } from '../parts/buttons.styles.ts'
import { CommandButtons } from '../base/command-buttons.ts'
import type { ButtonsWish } from '../base/command-buttons.ts'
import { ConnectedElement } from '../base/connected.ts'
import { StatusElement } from '../base/element.ts'
import { cardStyles, emptyPlace, place } from './card.styles.ts'
import { card } from './template.ts'
import { countCard } from './whole-page.ts'

const EMPTY: ReadonlySet<string> = new Set()

/**
 * One connection: its name, its status in a word, an icon and a colour, since when, why, and a button.
 *
 * @tag mqtt-status-card
 * @summary A live card of one MQTT connection.
 *
 * @attr {string} href - makes the name a link that covers the card
 * @attr controls - `auto`: the button that may be used; `show`: always, saying why it can't be
 * @attr heading-level - makes the name a heading
 * @attr {string} hide - what to leave out: `time`, `reason`, `meta`
 * @attr confirm - which commands ask first
 *
 * @fires {MqttStatusCommandEvent} mqtt-status-command - a command is about to be sent; cancelable
 * @fires {MqttStatusCommandEndEvent} mqtt-status-command-end - a command has ended
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
 * @csspart device - what is known of the device behind the connection
 * @csspart footer - meta and button
 * @csspart meta - around the meta slot
 * @csspart control - each button
 * @csspart spinner - a button's icon while its command runs
 * @csspart label - a button's word
 * @csspart confirm - the button that says Yes to a question; also a control
 * @csspart cancel - the button that says No to a question; also a control
 * @csspart retry - the button that tries to reach the server again
 * @csspart details - opens what the broker said
 * @csspart copy - the button that copies it
 *
 * @cssprop --mqtt-status-radius - roundness of the corners
 * @cssprop --mqtt-status-gap - between icon and words
 * @cssprop --mqtt-status-padding - inside the edge
 * @cssprop --mqtt-status-font-size - of the name
 * @cssprop --mqtt-status-shadow - below the card
 */
export class MqttStatusCard extends ConnectedElement {
  static override readonly tag: string = 'mqtt-status-card'
  static override styles: CSSResultGroup = [StatusElement.styles, buttonStyles, place, cardStyles]
  protected static override readonly placeholder: CSSResultOrNative[] = [place, emptyPlace]

  static override properties: PropertyDeclarations = {
    ...ConnectedElement.properties,
    confirm: {},
    href: {},
    controls: {},
    headingLevel: { attribute: 'heading-level' },
    hide: {},
  }

  declare href: string | null | undefined
  declare confirm: WordProperty<'confirm'>
  declare controls: WordProperty<'controls'>
  declare headingLevel: HeadingLevel | `${HeadingLevel}` | null | undefined
  declare hide: string | null | undefined
  readonly #commands: CommandButtons
  #filled: ReadonlySet<string> | null = null

  constructor() {
    super()
    this.#commands = new CommandButtons(this, this.inside)
  }

  /** Asks the server to connect; resolves when the command has ended, however. */
  connect(): Promise<Outcome> {
    return this.#commands.run('connect')
  }

  /** Asks the server to disconnect; resolves when the command has ended, however. */
  disconnect(): Promise<Outcome> {
    return this.#commands.run('disconnect')
  }

  /** Asks the server to disconnect and connect again; resolves when the command has ended, however. */
  reconnect(): Promise<Outcome> {
    return this.#commands.run('reconnect')
  }

  protected override get commandState(): CommandState {
    return this.#commands.state
  }

  override connectedCallback(): void {
    super.connectedCallback()
    countCard(1)
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    countCard(-1)
  }

  protected override firstUpdated(): void {
    // One pair of ears for all slots.
    this.renderRoot.addEventListener('slotchange', ({ target }) => {
      // A slot with words of ours in it changes with them; what follows from those of the page are the empty ones.
      const { name } = target as HTMLSlotElement
      if (name !== 'name' && (target as Node).hasChildNodes()) return
      this.#filled = null
      this.requestUpdate()
    })
  }

  protected override render(): TemplateResult {
    const { scene } = this
    const wish = this.#wish()
    const offered = this.#commands.offered(wish)
    return card({
      host: this,
      scene,
      locale: this.speech.locale,
      density: this.density,
      name: this.displayName,
      exact: this.closeLook.taken,
      href: safeHref(this.href),
      headingLevel: headingLevel(this.headingLevel),
      hidden: words(this.hide),
      filled: (this.#filled ??= this.#slots()),
      control: offered && this.#commands.render(offered, wish),
      reserveControl: this.#reserves(wish),
      retry: () => {
        this.refresh()
      },
    })
  }

  #wish(): ButtonsWish {
    const controls = wordOf('controls', this.controls)
    return { controls, action: 'auto', labelHidden: false, slots: false, silent: false }
  }

  /** Room for the button that will most likely come with the row. */
  #reserves({ controls }: ButtonsWish): boolean {
    // Asked with every drawing, so that the answer of the server is remembered however soon the row comes.
    const isExpected = expectsControl(this.store.client)
    return isExpected && controls !== 'none' && this.scene.kind === 'loading'
  }

  /** Which slots the page has filled. */
  #slots(): ReadonlySet<string> {
    if (!this.firstElementChild) return EMPTY
    return new Set([...this.children].map(({ slot }) => slot))
  }
}

function headingLevel(value: unknown): HeadingLevel | null {
  return HEADING_LEVELS.find((level) => level === Number(value)) ?? null
}

declare global {
  interface HTMLElementTagNameMap {
    'mqtt-status-card': MqttStatusCard
  }
}

import type { CSSResultGroup, CSSResultOrNative, PropertyDeclarations, TemplateResult } from 'lit'
import type { Outcome } from '../../client/index.ts'
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
 * @attr controls - `auto`: a button that the viewer may use; `show`: always a button, with the reason if it is disabled
 * @attr heading-level - makes the name a heading
 * @attr {string} hide - the parts to leave out: `time`, `reason`, `meta`
 * @attr confirm - which commands ask first
 *
 * @fires {MqttStatusCommandEvent} mqtt-status-command - a command is about to be sent; cancelable
 * @fires {MqttStatusCommandEndEvent} mqtt-status-command-end - a command has ended
 *
 * @slot - shown until the script has loaded; its text is the name if there is no other
 * @slot name - the name, with markup
 * @slot icon - replaces the status icon
 * @slot meta - details beside the button
 * @slot actions - the page's own buttons, beside the name
 * @slot footer - content below
 * @slot error - replaces the text of a problem
 *
 * @csspart card - the surface
 * @csspart header - name and actions
 * @csspart icon - the status icon
 * @csspart name - the name
 * @csspart status - word and time
 * @csspart time - the time
 * @csspart reason - the reason of the row's status
 * @csspart message - the problem of the feed or the command
 * @csspart device - state and last message of the device behind the connection
 * @csspart footer - meta and button
 * @csspart meta - around the meta slot
 * @csspart control - each button
 * @csspart spinner - a button's icon while its command runs
 * @csspart label - a button's word
 * @csspart confirm - the button that says Yes to a question; also a control
 * @csspart cancel - the button that says No to a question; also a control
 * @csspart retry - the button that tries to reach the server again
 * @csspart details - the button that opens the broker's own text
 * @csspart copy - the button that copies that text
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
  #commands: CommandButtons | null = null
  #filled: ReadonlySet<string> | null = null

  protected override get commands(): CommandButtons {
    return (this.#commands ??= new CommandButtons(this, this.inside()))
  }

  /** Sends the command `connect`; resolves when it has ended, with any outcome. */
  connect(): Promise<Outcome> {
    return this.commands.run('connect')
  }

  /** Sends the command `disconnect`; resolves when it has ended, with any outcome. */
  disconnect(): Promise<Outcome> {
    return this.commands.run('disconnect')
  }

  /** Sends the command `reconnect`; resolves when it has ended, with any outcome. */
  reconnect(): Promise<Outcome> {
    return this.commands.run('reconnect')
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
    // One `slotchange` listener on the shadow root serves all slots.
    this.renderRoot.addEventListener('slotchange', ({ target }) => {
      // Slots with default content fire `slotchange` when that content renders. Only slots without default content tell
      // whether the page has filled them.
      const { name } = target as HTMLSlotElement
      if (name !== 'name' && (target as Node).hasChildNodes()) return
      this.#filled = null
      this.requestUpdate()
    })
  }

  protected override render(): TemplateResult {
    const { scene } = this
    const wish = this.#wish()
    const offered = this.commands.offered(wish)
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
      control: offered && this.commands.render(offered, wish),
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

  /** Whether the card reserves the room of a button while it loads. */
  #reserves({ controls }: ButtonsWish): boolean {
    // Called at every update, so that the page remembers the server's answer also if the row comes at once.
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

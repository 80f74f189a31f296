import { html, nothing } from 'lit'
import type { CSSResultGroup, PropertyDeclarations, TemplateResult } from 'lit'
import type { Outcome } from '../../client/index.ts'
import type { Offer } from '../parts/offer.ts'
import type { Locale } from '../../locales/locale.ts'
import { isOn } from '../../attributes/read.ts'
import { wordOf } from '../../attributes/words.ts'
import type { WordProperty } from '../../attributes/words.ts'
import { buttonStyles } from '../parts/buttons.styles.ts'
import { longest, whyNot } from '../parts/buttons.ts'
import { CommandButtons } from '../base/command-buttons.ts'
import { ConnectedElement } from '../base/connected.ts'
import { StatusElement } from '../base/element.ts'
import type { Message } from '../scene/message.ts'
import { retryButton } from '../parts/retry.ts'
import { controlStyles } from './control.styles.ts'

/**
 * The button of a card, without the card.
 *
 * @tag mqtt-status-control
 * @summary A button that connects, disconnects or reconnects one MQTT connection.
 *
 * @attr action - `auto`: the action that fits the row
 * @attr {boolean} label-hidden - shows the icon alone; screen readers and the tooltip have the word
 * @attr confirm - which commands ask first
 *
 * @fires {MqttStatusCommandEvent} mqtt-status-command - a command is about to be sent; cancelable
 * @fires {MqttStatusCommandEndEvent} mqtt-status-command-end - a command has ended
 *
 * @slot connect - replaces the word Connect
 * @slot disconnect - replaces the word Disconnect
 * @slot reconnect - replaces the word Reconnect
 * @slot icon - replaces the button's icon
 *
 * @csspart control - each button
 * @csspart spinner - a button's icon while its command runs
 * @csspart icon - a button's icon
 * @csspart label - a button's word
 * @csspart message - why the button is disabled, or why a command failed
 * @csspart confirm - the button that says Yes to a question; also a control
 * @csspart cancel - the button that says No to a question; also a control
 * @csspart retry - the button that tries to reach the server again
 */
export class MqttStatusControl extends ConnectedElement {
  static override readonly tag: string = 'mqtt-status-control'
  static override styles: CSSResultGroup = [StatusElement.styles, buttonStyles, controlStyles]

  static override properties: PropertyDeclarations = {
    ...ConnectedElement.properties,
    confirm: {},
    action: {},
    labelHidden: { attribute: 'label-hidden', type: Boolean, converter: isOn },
  }

  declare action: WordProperty<'action'>
  declare labelHidden: boolean
  declare confirm: WordProperty<'confirm'>
  #commands: CommandButtons | null = null

  constructor() {
    super()
    this.labelHidden = false
  }

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

  protected override render(): TemplateResult {
    const { kind, message } = this.scene
    const labelHidden = isOn(this.labelHidden)
    const action = wordOf('action', this.action)
    // A page that places a button gets one always; the message beside it says why it is disabled.
    const wish = { controls: 'show', action, labelHidden, slots: true, silent: true } as const
    const offered = this.commands.offered(wish)
    return html`<slot hidden></slot
      ><span class="unseen" id="name" tabindex="-1">${this.displayName}</span> ${
        offered
          ? html`<div class="buttons ${labelHidden ? 'iconic' : ''}">
              ${this.commands.render(offered, wish)}
            </div>`
          : kind === 'loading'
            ? skeleton(this.speech.locale, labelHidden)
            : nothing
      }
      ${this.#explanation(message, offered)}`
  }

  /** Why the button is disabled, or the problem. */
  #explanation(message: Message | null, offered: Offer | null): TemplateResult {
    const { locale } = this.speech
    const given = message?.part === 'message' ? message : null
    const why = given?.text ?? whyNot(offered?.blocked ?? null, locale)
    return html`<p
        part="message"
        id="message"
        class="message ${given?.problem ? 'problem' : ''}"
        ?hidden=${why === null}
      >
        ${why}
      </p>
      ${
        given?.retry
          ? retryButton(locale, () => {
              this.refresh()
            })
          : nothing
      }`
  }
}

function skeleton(locale: Locale, labelHidden: boolean): TemplateResult {
  return html`<div class="buttons ${labelHidden ? 'iconic' : ''}">
    <span class="bone" data-longest=${labelHidden ? nothing : longest(locale)}></span>
    <span class="unseen">${locale.loading}</span>
  </div>`
}

declare global {
  interface HTMLElementTagNameMap {
    'mqtt-status-control': MqttStatusControl
  }
}

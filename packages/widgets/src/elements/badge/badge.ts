import { html, nothing } from 'lit'
import type { CSSResultGroup, CSSResultOrNative, PropertyDeclarations, TemplateResult } from 'lit'
import { safeHref } from '../../attributes/read.ts'
import { wordOf } from '../../attributes/words.ts'
import type { Word, WordProperty } from '../../attributes/words.ts'
import { ConnectedElement } from '../base/connected.ts'
import { StatusElement } from '../base/element.ts'
import { dotIcon, lookIcon } from '../parts/icons.ts'
import { problemText } from '../scene/message.ts'
import { word } from '../parts/word.ts'
import { badgePlace, badgeStyles } from './badge.styles.ts'

/**
 * One connection in the middle of a text, a heading or a table cell.
 *
 * @tag mqtt-status-badge
 * @summary The status of one MQTT connection as a badge.
 *
 * @attr variant - how much the badge shows; screen readers read the same text in each of them
 * @attr size - 20, 24 or 28 px
 * @attr {string} href - makes the badge a link
 *
 * @slot - words before the status word; the only text until the script has loaded
 *
 * @csspart badge - the surface
 * @csspart icon - the status icon, or the dot
 * @csspart label - the words
 *
 * @cssprop --mqtt-status-radius - roundness of the ends
 * @cssprop --mqtt-status-positive-tint - the background in this tone
 * @cssprop --mqtt-status-progress-tint - the background in this tone
 * @cssprop --mqtt-status-warning-tint - the background in this tone
 * @cssprop --mqtt-status-negative-tint - the background in this tone
 * @cssprop --mqtt-status-neutral-tint - the background in this tone
 */
export class MqttStatusBadge extends ConnectedElement {
  static override readonly tag: string = 'mqtt-status-badge'
  static override styles: CSSResultGroup = [StatusElement.styles, badgePlace, badgeStyles]
  protected static override readonly placeholder: CSSResultOrNative[] = [badgePlace]

  static override properties: PropertyDeclarations = {
    ...ConnectedElement.properties,
    variant: {},
    size: {},
    href: {},
  }

  declare variant: WordProperty<'variant'>
  declare size: WordProperty<'size'>
  declare href: string | null | undefined

  protected override render(): TemplateResult {
    const { kind, appearance, dimmed } = this.scene
    const variant = wordOf('variant', this.variant)
    const size = wordOf('size', this.size)
    const classes = `badge v-${variant} size-${size} tone-${appearance?.tone ?? 'neutral'}${dimmed ? ' dimmed' : ''} ${kind}`
    const name = this.displayName
    const words = variant === 'label' || variant === 'text'
    const mark = this.#mark(variant)
    const content = html`${mark && html`<span part="icon" class="icon">${mark}</span>`}<span
        part="label"
        class=${words ? 'label' : 'unseen'}
        ><slot @slotchange=${this.#slotChanged}></slot>${
          this.ownText() ? nothing : html`<span class="unseen">${name}</span>`
        }
        ${this.#words()}</span
      >`
    const href = safeHref(this.href)
    const title = this.#title(name)
    return href === null
      ? html`<span part="badge" class=${classes} title=${title}>${content}</span>`
      : html`<a part="badge" class=${classes} title=${title} href=${href}>${content}</a>`
  }

  /** The variant `text` shows a mark only while a command is pending, the connection needs attention, or the row is stale. */
  #mark(variant: Word<'variant'>): TemplateResult | null {
    const { appearance, dimmed } = this.scene
    if (variant === 'label' || variant === 'icon') return lookIcon(appearance, dimmed)
    const tone = appearance?.tone ?? 'neutral'
    const isPlain = tone === 'positive' || tone === 'neutral'
    return variant === 'text' && isPlain && !dimmed ? null : dotIcon(tone, dimmed)
  }

  /** The tooltip: name, status, time and explanation, as a card shows them. */
  #title(name: string): string {
    const { appearance, moment, message } = this.scene
    const word = appearance && this.speech.locale.look[appearance.look]
    const why = new Set([message?.text, this.#problem()])
    return [name, word, moment?.full ?? moment?.text, ...why].filter(Boolean).join(' · ')
  }

  /** Why the connection needs attention: a badge shows this only by its shape. */
  #problem(): string | null {
    const { row, appearance } = this.scene
    if (!row || appearance?.attention !== true) return null
    return problemText(row, { language: this.speech, now: this.store.now() })
  }

  readonly #slotChanged = (): void => {
    this.requestUpdate()
  }

  /** The status word; the problem, for screen readers only; and the time of the last update, if the row is stale. */
  #words(): TemplateResult {
    const { kind, message, dimmed, moment } = this.scene
    const [text, title] = word(this.scene, this.speech.locale)
    const problem = this.#problem()
    return html`<span class="word" title=${title}>${kind === 'blind' ? message?.text : text}</span
      >${problem === null ? nothing : html`<span class="unseen">. ${problem}</span>`}${dimmed && moment ? html` <span class="as-of">${moment.text}</span>` : nothing}`
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'mqtt-status-badge': MqttStatusBadge
  }
}

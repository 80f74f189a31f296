/** The card's shadow tree. Nothing here decides what to show: that is the scene's part. */
import { html, nothing } from 'lit'
import type { TemplateResult } from 'lit'
import type { Locale } from '../../locales/locale.ts'
import { details } from '../details.ts'
import { lookIcon } from '../icons.ts'
import type { Message } from '../message.ts'
import type { Scene } from '../scene.ts'
import { word } from '../word.ts'

export interface CardParts {
  readonly scene: Scene
  readonly locale: Locale
  readonly density: string
  readonly name: string
  readonly href: string | null
  readonly headingLevel: number | null
  readonly hidden: readonly string[]
  /** Which slots the page has filled. */
  readonly filled: ReadonlySet<string>
  /** The look has changed before the viewer's eyes. */
  readonly moved: boolean
  readonly control: TemplateResult | null
  readonly reserveControl: boolean
  readonly slotChanged: () => void
  readonly retry: () => void
}

export function card(parts: CardParts): TemplateResult {
  const { scene, slotChanged } = parts
  return html`<div
    part="card"
    class=${classes(parts)}
    role="group"
    aria-labelledby="name"
    aria-busy=${String(scene.kind === 'loading')}
  >
    <span part="icon" class="icon"><slot name="icon">${icon(scene)}</slot></span>
    <div part="header" class="header">
      ${name(parts)}<slot name="actions" @slotchange=${slotChanged}></slot>
    </div>
    ${status(parts)}
    <div class="message" id="message">${message(parts)}</div>
    ${foot(parts)}<slot hidden @slotchange=${slotChanged}></slot>
  </div>`
}

function classes({ scene, density, href, moved }: CardParts): string {
  const { appearance, dimmed } = scene
  return `card ${density} tone-${appearance?.tone ?? 'neutral'}${appearance?.attention ? ' attention' : ''}${dimmed ? ' dimmed' : ''}${href === null ? '' : ' linked'}${moved ? ' moved' : ''}`
}

function icon({ kind, appearance, dimmed }: Scene): TemplateResult {
  if (kind === 'loading') return html`<span class="bone"></span>`
  return lookIcon(appearance?.look ?? 'unknown', dimmed)
}

function name({ name, href, headingLevel, slotChanged }: CardParts): TemplateResult {
  const text = html`<slot name="name" @slotchange=${slotChanged}>${name}</slot>`
  return html`<div
    part="name"
    id="name"
    class="name"
    title=${name}
    tabindex="-1"
    role=${headingLevel === null ? nothing : 'heading'}
    aria-level=${headingLevel ?? nothing}
  >
    ${href === null ? text : html`<a href=${href}>${text}</a>`}
  </div>`
}

function status({ scene, locale, hidden }: CardParts): TemplateResult {
  const { kind, moment } = scene
  if (kind === 'loading') {
    return html`<p part="status" class="status">
      <span class="bone"></span><span class="unseen">${locale.loading}</span>
    </p>`
  }
  return html`<p part="status" class="status">
    ${word(scene, locale)}${
      moment === null || hidden.includes('time')
        ? nothing
        : html`<span part="time" class="time"
            ><time datetime=${moment.iso} data-full=${moment.full} title=${moment.full}
              >${moment.text}</time
            ></span
          >`
    }
  </p>`
}

function message(parts: CardParts): unknown {
  const { scene, hidden } = parts
  const { kind, device } = scene
  if (kind === 'loading') return html`<span class="bone"></span>`
  const shown = scene.message?.part === 'reason' && hidden.includes('reason') ? null : scene.message
  return [
    shown && explanation(shown, parts),
    device === null ? nothing : html`<p part="device">${device}</p>`,
  ]
}

function explanation(message: Message, { scene, locale, retry }: CardParts): TemplateResult {
  const { part, text, problem, detail } = message
  return html`<p part=${part} class=${problem ? 'problem' : ''} title=${text}>
      ${problem ? html`<slot name="error">${text}</slot>` : text}
    </p>
    ${detail && scene.row ? details(scene.row, detail, locale) : nothing}
    ${
      message.retry
        ? html`<button type="button" class="retry" @click=${retry}>${locale.retry}</button>`
        : nothing
    }`
}

function foot({ control, reserveControl, filled, hidden, slotChanged }: CardParts): TemplateResult {
  const meta = filled.has('meta') && !hidden.includes('meta')
  const bare = !control && !reserveControl && !meta && !filled.has('footer')
  return html`<div part="footer" class="foot ${bare ? 'bare' : ''}">
    <div part="meta" class="meta" ?hidden=${!meta}>
      <slot name="meta" @slotchange=${slotChanged}></slot>
    </div>
    <slot name="footer" @slotchange=${slotChanged}></slot>
    ${control ?? (reserveControl ? html`<span class="bone"></span>` : nothing)}
  </div>`
}

/** The card's shadow tree. Nothing here decides what to show: that is the scene's part. */
import { html, nothing } from 'lit'
import type { TemplateResult } from 'lit'
import type { Locale } from '../../locales/locale.ts'
import { lookIcon } from '../icons.ts'
import type { Message } from './message.ts'
import type { Scene } from './scene.ts'

export interface CardParts {
  readonly scene: Scene
  readonly locale: Locale
  readonly density: string
  readonly name: string
  readonly href: string | null
  readonly headingLevel: number | null
  readonly hidden: ReadonlySet<string>
  /** Which slots the page has filled. */
  readonly filled: ReadonlySet<string>
  readonly control: TemplateResult | null
  /** Room for the button that will most likely come. */
  readonly reserveControl: boolean
  readonly slotChanged: () => void
  readonly retry: () => void
}

export function card(parts: CardParts): TemplateResult {
  const { scene } = parts
  return html`<div
    part="card"
    class=${classes(parts)}
    role="group"
    aria-labelledby="name"
    aria-busy=${scene.kind === 'loading' ? 'true' : 'false'}
  >
    <span part="icon" class="icon"><slot name="icon">${icon(scene)}</slot></span>
    <div part="header" class="header">
      ${name(parts)}
      <slot name="actions" @slotchange=${parts.slotChanged}></slot>
    </div>
    ${status(parts)} ${message(parts)} ${foot(parts)}
    <slot hidden @slotchange=${parts.slotChanged}></slot>
  </div>`
}

function classes({ scene, density, href }: CardParts): string {
  const tone = scene.appearance?.tone ?? 'neutral'
  return [
    'card',
    density,
    `tone-${tone}`,
    scene.appearance?.attention && 'attention',
    scene.dimmed && 'dimmed',
    href !== null && 'linked',
  ]
    .filter(Boolean)
    .join(' ')
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
    role=${headingLevel === null ? nothing : 'heading'}
    aria-level=${headingLevel ?? nothing}
  >
    ${href === null ? text : html`<a href=${href}>${text}</a>`}
  </div>`
}

function status({ scene, locale, hidden }: CardParts): TemplateResult {
  if (scene.kind === 'loading') {
    return html`<p part="status" class="status">
      <span class="bone"></span><span class="unseen">${locale.loading}</span>
    </p>`
  }
  const { row, appearance, moment } = scene
  const look = appearance?.look ?? 'unknown'
  // A status that only a newer server knows is told in its own word.
  const title = look === 'unknown' && row && row.status !== 'unknown' ? row.status : nothing
  return html`<p part="status" class="status">
    <span class="word" title=${title}>${locale.look[look]}</span>${
      moment === null || hidden.has('time')
        ? nothing
        : html`<span part="time" class="time"
            ><time datetime=${moment.iso} data-full=${moment.full} title=${moment.full}
              >${moment.text}</time
            ></span
          >`
    }
  </p>`
}

function message(parts: CardParts): TemplateResult {
  const { scene, hidden } = parts
  const shown = scene.message?.part === 'reason' && hidden.has('reason') ? null : scene.message
  return html`<div class="message" id="message">
    ${
      shown
        ? words(shown, parts)
        : scene.kind === 'loading'
          ? html`<span class="bone"></span>`
          : nothing
    }
  </div>`
}

function words(message: Message, { locale, retry }: CardParts): TemplateResult {
  const text = message.problem ? html`<slot name="error">${message.text}</slot>` : message.text
  return html`<p
      part=${message.part}
      class=${message.problem ? 'problem' : ''}
      title=${message.text}
    >
      ${text}
    </p>
    ${
      message.detail
        ? html`<details>
            <summary>${locale.details}</summary>
            <code translate="no">${message.detail}</code>
          </details>`
        : nothing
    }
    ${
      message.retry
        ? html`<button type="button" class="retry" @click=${retry}>${locale.retry}</button>`
        : nothing
    }`
}

function foot({ control, reserveControl, filled, hidden, slotChanged }: CardParts): TemplateResult {
  const meta = filled.has('meta') && !hidden.has('meta')
  const bare = control === null && !reserveControl && !meta && !filled.has('footer')
  return html`<div part="footer" class="foot ${bare ? 'bare' : ''}">
    <div part="meta" class="meta ${meta ? '' : 'empty'}" ?hidden=${hidden.has('meta')}>
      <slot name="meta" @slotchange=${slotChanged}></slot>
    </div>
    <slot name="footer" @slotchange=${slotChanged}></slot>
    ${control ?? (reserveControl ? html`<span class="bone"></span>` : nothing)}
  </div>`
}

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
  readonly control: TemplateResult | null
  readonly reserveControl: boolean
  readonly retry: () => void
}

/** One template for all that is nearly always there; only what is rare has its own. */
export function card(parts: CardParts): TemplateResult {
  const { scene, name, href, headingLevel, control } = parts
  const { kind, appearance, dimmed, device } = scene
  const [text, title] = word(scene, parts.locale)
  const { iso, full, text: when } = scene.moment ?? NEVER
  const { timed, meta, bare } = shownRows(parts)
  return html`<div
    part="card"
    class=${classes(parts)}
    role="group"
    aria-labelledby="name"
    aria-busy=${String(kind === 'loading')}
  >
    <span part="icon" class="icon"
      ><slot name="icon">${lookIcon(appearance?.look ?? 'unknown', dimmed)}</slot></span
    >
    <div part="header" class="header">
      <div
        part="name"
        id="name"
        class="name"
        title=${name}
        tabindex="-1"
        role=${headingLevel === null ? nothing : 'heading'}
        aria-level=${headingLevel ?? nothing}
      >
        <a href=${href ?? nothing}><slot name="name">${name}</slot></a>
      </div>
      <slot name="actions"></slot>
    </div>
    <p part="status" class="status">
      <span class=${kind === 'loading' ? 'unseen' : 'word'} title=${title}>${text}</span
      ><span part="time" class="time" ?hidden=${!timed}
        ><time datetime=${iso} title=${full}>${when}</time></span
      >
    </p>
    <div class="message" id="message">
      ${explanation(parts)}${device === null ? nothing : html`<p part="device">${device}</p>`}
    </div>
    <div part="footer" class="foot ${bare ? 'bare' : ''}">
      <div part="meta" class="meta" ?hidden=${!meta}><slot name="meta"></slot></div>
      <slot name="footer"></slot>${control ?? reserved(parts)}
    </div>
    <slot hidden></slot>
  </div>`
}

const NEVER = { iso: nothing, full: nothing, text: '' } as const

/** Which rows there is something to show in. */
function shownRows(parts: CardParts): { timed: boolean; meta: boolean; bare: boolean } {
  const { scene, hidden, filled, control, reserveControl } = parts
  const meta = filled.has('meta') && !hidden.includes('meta')
  return {
    timed: scene.moment !== null && !hidden.includes('time'),
    meta,
    bare: !control && !reserveControl && !meta && !filled.has('footer'),
  }
}

function reserved({ reserveControl }: CardParts): TemplateResult | typeof nothing {
  return reserveControl ? html`<span class="bone"></span>` : nothing
}

function classes({ scene: { kind, appearance, dimmed }, density }: CardParts): string {
  return `card ${density} ${kind} tone-${appearance?.tone ?? 'neutral'}${appearance?.attention ? ' attention' : ''}${dimmed ? ' dimmed' : ''}`
}

function explanation({ scene, hidden, locale, retry }: CardParts): unknown {
  const { kind, message, row } = scene
  if (kind === 'loading') return html`<p class="bone"></p>`
  if (!message || (message.part === 'reason' && hidden.includes('reason'))) return nothing
  const { part, text, problem, detail }: Message = message
  return html`<p part=${part} class=${problem ? 'problem' : ''} title=${text}>
      ${problem ? html`<slot name="error">${text}</slot>` : text}
    </p>
    ${detail && row ? details(row, detail, locale) : nothing}
    ${
      message.retry
        ? html`<button type="button" class="retry" @click=${retry}>${locale.retry}</button>`
        : nothing
    }`
}

/** The card's shadow tree. It renders a scene and decides nothing itself: `../scene/scene.ts` decides what is shown. */
import { html, nothing } from 'lit'
import type { ReactiveControllerHost, TemplateResult } from 'lit'
import type { Locale } from '../../locales/locale.ts'
import { longest } from '../parts/buttons.ts'
import { brokerText } from '../parts/broker-text.ts'
import { CLOCK, drawing } from '../parts/icons.ts'
import { retryButton } from '../parts/retry.ts'
import type { Scene } from '../scene/scene.ts'
import { word } from '../parts/word.ts'

export interface CardParts {
  readonly host: ReactiveControllerHost & Element
  readonly scene: Scene
  readonly locale: Locale
  readonly density: string
  readonly name: string
  /** Whether the tooltips are needed: the pointer has been over the card, or the page is printed. */
  readonly exact: boolean
  readonly href: string | null
  readonly headingLevel: number | null
  readonly hidden: readonly string[]
  /** Which slots the page has filled. */
  readonly filled: ReadonlySet<string>
  readonly control: TemplateResult | null
  /** Reserves the room of a button, so that the card does not grow when one comes. */
  readonly reserveControl: boolean
  readonly retry: () => void
}

/** One template for the parts of nearly every card; rare parts have templates of their own. */
export function card(parts: CardParts): TemplateResult {
  const { scene, name, href, headingLevel, exact } = parts
  const { appearance, dimmed } = scene
  const [shape, d, mark] = drawing(appearance)
  const [text, title] = word(scene, parts.locale)
  const { iso, full, text: when } = scene.moment ?? NEVER
  // The unnamed slot comes first: it takes the text inside the element, so that unnamed slots of buttons show their own content.
  return html`<slot hidden></slot>
    <div
      part="card"
      class=${classes(parts)}
      role="group"
      aria-labelledby="name"
      aria-busy=${scene.kind === 'loading' ? 'true' : nothing}
    >
      <slot name="icon" part="icon" class="icon"
        ><svg viewBox="0 0 20 20" aria-hidden="true" class=${shape}>
          <path d=${d} />
          <path d=${mark} />
          ${dimmed ? CLOCK : nothing}
        </svg></slot
      >
      <div part="header" class="header">
        <div
          part="name"
          id="name"
          class="name"
          title=${exact ? name : nothing}
          tabindex="-1"
          role=${headingLevel === null ? nothing : 'heading'}
          aria-level=${headingLevel ?? nothing}
        >
          <a href=${href ?? nothing}><slot name="name" dir="auto" .textContent=${name}></slot></a>
        </div>
        <slot name="actions"></slot>
      </div>
      <p part="status" class="status">
        <span class="word" title=${title} .textContent=${text}></span
        ><time
          part="time"
          class="time"
          datetime=${iso}
          title=${full ?? nothing}
          .textContent=${when}
        ></time>
      </p>
      <div class="message">${explanation(parts)}</div>
      <div part="footer" class="foot">
        <slot name="meta" part="meta" class="meta"></slot>
        <slot name="footer"></slot>
        <div class="buttons">${parts.control ?? reserved(parts)}</div>
      </div>
    </div>`
}

const NEVER = { iso: nothing, full: null, text: '' } as const

function reserved({ scene, reserveControl, locale }: CardParts): TemplateResult | typeof nothing {
  return reserveControl && scene.kind === 'loading'
    ? html`<span class="bone" data-longest=${longest(locale)}></span>`
    : nothing
}

/** The classes that the style sheet selects by, in one attribute. */
function classes(parts: CardParts): string {
  const { kind, appearance, dimmed } = parts.scene
  const look = `card ${parts.density} ${kind} tone-${appearance?.tone ?? 'neutral'}`
  return `${look}${appearance?.attention ? ' attention' : ''}${dimmed ? ' dimmed' : ''}${parts.href ? ' linked' : ''}${emptyRows(parts)}`
}

/** The classes of rows that are empty. */
function emptyRows(parts: CardParts): string {
  const { scene, name, hidden, filled, control } = parts
  const hasMeta = filled.has('meta') && !hidden.includes('meta')
  return [
    hidden.includes('time') || !scene.moment ? ' timeless' : '',
    hasMeta ? '' : ' metaless',
    foot(parts, hasMeta),
    control || scene.kind === 'loading' ? '' : ' alone',
    name || filled.has('name') ? '' : ' nameless',
  ].join('')
}

function foot({ filled, control, reserveControl }: CardParts, hasMeta: boolean): string {
  if (reserveControl) return ' kept'
  return control || hasMeta || filled.has('footer') ? '' : ' bare'
}

function explanation({ host, scene, hidden, locale, retry }: CardParts): unknown {
  const { kind, message, row, device } = scene
  if (kind === 'loading') return html`<p class="bone"></p>`
  const about =
    device === null ? nothing : html`<p part="device" dir="auto">${device.map(piece)}</p>`
  if (!message || (message.part === 'reason' && hidden.includes('reason'))) return about
  const { part, text, problem, detail } = message
  return html`<p
      part=${part}
      id="message"
      class=${problem ? 'problem' : nothing}
      title=${text}
      dir="auto"
    >
      ${problem ? html`<slot name="error">${text}</slot>` : text}
    </p>
    ${detail && row ? brokerText(row, locale, host) : nothing}${
      message.retry ? retryButton(locale, retry) : nothing
    }${about}`
}

/** A line break may fall between two pieces only. */
function piece(text: string, index: number): TemplateResult {
  return html`${index > 0 ? ' ' : nothing}<span>${text}</span>`
}

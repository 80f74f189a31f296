/** The buttons of a connection: a template, so that whoever shows them needs no inner element. */
import { html, nothing } from 'lit'
import type { TemplateResult } from 'lit'
import type { Action } from '@mqtt-status/protocol'
import type { CommandState } from '../controllers/command.ts'
import type { Blocked, Offer } from '../controllers/offer.ts'
import type { Locale } from '../locales/locale.ts'
import { actionIcon, check, spinner } from './icons.ts'

/** What the buttons show and whom they tell. */
export interface ButtonsView {
  readonly offer: Offer
  readonly state: CommandState
  /** The action that is under way, whoever gave it. */
  readonly running: Action | null
  readonly locale: Locale
  readonly labelHidden: boolean
  readonly slots: boolean
  press(action: Action): void
  confirm(action: Action): void
  cancel(): void
}

/** Expects the name in `#name` and what the message says in `#message` of the same tree. */
export function buttons(view: ButtonsView): TemplateResult {
  const { state, offer, running, locale } = view
  if (state.kind === 'asking') return confirmation(view, state.action)
  const [first, second] = shown(offer.actions, running)
  const why = whyNot(offer.blocked, locale)
  // The main button stays one and the same node whatever its word, so that focus stays on it.
  return html`<div class="buttons">
    ${why ? html`<span class="why" id="why">${why}</span>` : nothing}${button(view, first, 'main')}${
      second ? button(view, second, 'second') : nothing
    }
  </div>`
}

/** What the message does not say already. */
function whyNot(blocked: Blocked | null, locale: Locale): string | null {
  return blocked === null || blocked === 'link' ? null : locale[blocked]
}

/** What is under way keeps its button although the wish, and with it the offer, has changed already. */
function shown(actions: Offer['actions'], running: Action | null): Offer['actions'] {
  return running === null || actions.includes(running) ? actions : [running]
}

function button(view: ButtonsView, action: Action, place: string): TemplateResult {
  const { locale, offer, running, labelHidden, slots } = view
  const busy = running === action
  const disabled = running !== null || offer.blocked !== null
  const words = locale.action[action]
  const label = busy ? words.busy : words.label
  return html`<button
    type="button"
    part="control"
    class=${place}
    aria-disabled=${String(disabled)}
    aria-busy=${String(busy)}
    aria-describedby="name why message"
    title=${label}
    data-longest=${labelHidden ? nothing : longest(locale)}
    @click=${() => {
      if (!disabled) view.press(action)
    }}
  >
    <span class="face"
      ><span class="glyph" part=${busy ? 'spinner' : slots ? 'icon' : nothing}
        >${glyph(view, action, busy)}</span
      ><span part="label" class=${labelHidden ? 'unseen' : 'label'}
        >${slots && !busy ? html`<slot name=${action}>${label}</slot>` : label}</span
      ></span
    >
  </button>`
}

function glyph({ state, slots }: ButtonsView, action: Action, busy: boolean): TemplateResult {
  if (busy) return spinner()
  if (state.kind === 'done' && state.action === action) return check()
  return slots ? html`<slot name="icon">${actionIcon(action)}</slot>` : actionIcon(action)
}

function confirmation(view: ButtonsView, action: Action): TemplateResult {
  const { locale } = view
  return html`<div
    class="buttons"
    role="group"
    aria-labelledby="ask name"
    @keydown=${(event: KeyboardEvent) => {
      if (event.key !== 'Escape') return
      // Escape means this question, not the dialog around the page.
      event.stopPropagation()
      view.cancel()
    }}
  >
    <span id="ask">${locale.action[action].ask}</span>
    <button
      type="button"
      class="yes"
      @click=${() => {
        view.confirm(action)
      }}
    >
      ${locale.yes}
    </button>
    <button
      type="button"
      class="no"
      @click=${() => {
        view.cancel()
      }}
    >
      ${locale.no}
    </button>
  </div>`
}

const longestByLocale = new WeakMap<Locale, string>()

/** Whatever the button says, it is as wide as its longest word. */
function longest(locale: Locale): string {
  const known = longestByLocale.get(locale)
  if (known !== undefined) return known
  const words = Object.values(locale.action).flatMap(({ label, busy }) => [label, busy])
  const found = words.reduce((one, other) => (other.length > one.length ? other : one))
  longestByLocale.set(locale, found)
  return found
}

/** The button of a connection: a template, so that whoever shows it needs no inner element. */
import { html, nothing } from 'lit'
import type { TemplateResult } from 'lit'
import type { Action } from '@mqtt-status/protocol'
import type { CommandState } from '../controllers/command.ts'
import type { Offer } from '../controllers/offer.ts'
import type { Locale } from '../locales/locale.ts'
import { actionIcon, spinner } from './icons.ts'

/** What the button shows and whom it tells. */
export interface ControlView {
  readonly offer: Offer
  readonly state: CommandState
  /** The action that is under way, whoever gave it. */
  readonly running: Action | null
  readonly locale: Locale
  /** Why the buttons wait, in words; also described on them. */
  readonly why: string | null
  press(action: Action): void
  confirm(action: Action): void
  cancel(): void
}

export function control(view: ControlView): TemplateResult {
  const { state, offer, running } = view
  if (state.kind === 'asking') return confirmation(view, state.action)
  const actions = shown(offer.actions, running)
  // The main button stays one and the same node whatever its word, so that focus stays on it.
  return html`<div class="control">
    ${button(view, actions[0], true)}
    ${actions[1] === undefined ? nothing : button(view, actions[1], false)}
  </div>`
}

/** What is under way keeps its button although the wish, and with it the offer, has changed already. */
function shown(actions: Offer['actions'], running: Action | null): Offer['actions'] {
  return running === null || actions.includes(running) ? actions : [running]
}

function button(view: ControlView, action: Action, main: boolean): TemplateResult {
  const { locale, offer, running, why } = view
  const busy = running === action
  const disabled = running !== null || offer.blocked !== null
  const words = locale.action[action]
  return html`<button
    type="button"
    part="control"
    class=${main ? 'main' : 'second'}
    aria-disabled=${disabled ? 'true' : 'false'}
    aria-busy=${busy ? 'true' : 'false'}
    aria-describedby=${why === null ? 'name' : 'name message'}
    title=${why ?? nothing}
    @click=${() => {
      if (!disabled) view.press(action)
    }}
  >
    ${
      busy
        ? html`<span class="glyph" part="spinner">${spinner()}</span>`
        : html`<span class="glyph">${actionIcon(action)}</span>`
    }
    <span class="label" data-longest=${longest(locale)}>${busy ? words.busy : words.label}</span>
  </button>`
}

function confirmation(view: ControlView, action: Action): TemplateResult {
  const { locale } = view
  return html`<div
    class="control confirm"
    role="group"
    aria-labelledby="ask name"
    @keydown=${(event: KeyboardEvent) => {
      if (event.key !== 'Escape') return
      // Escape means this question, not the dialog around the page.
      event.stopPropagation()
      view.cancel()
    }}
  >
    <span class="ask" id="ask">${locale.action[action].ask}</span>
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

function longest(locale: Locale): string {
  const known = longestByLocale.get(locale)
  if (known !== undefined) return known
  const labels = Object.values(locale.action).flatMap(({ label, busy }) => [label, busy])
  const found = labels.reduce((one, other) => (other.length > one.length ? other : one))
  longestByLocale.set(locale, found)
  return found
}

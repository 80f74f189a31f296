/** The buttons of a connection: a template, so that card and control need no inner element. */
import { html, nothing } from 'lit'
import type { TemplateResult } from 'lit'
import type { Action } from '@mqtt-status/protocol'
import type { CommandState } from '../../controllers/command.ts'
import type { Blocked, Offer } from './offer.ts'
import type { Locale } from '../../locales/locale.ts'
import { actions } from './icons.ts'

type Asking = Extract<CommandState, { kind: 'asking' }>

/** Two clicks within this time count as a double click. */
const DOUBLE_CLICK_MS = 500

/** What the buttons show, and the callbacks for their clicks. */
export interface ButtonsView {
  readonly offer: Offer
  readonly state: CommandState
  /** The action that is under way, from any element or page. */
  readonly running: Action | null
  /** Whether the server refuses commands for a while (`Retry-After`). */
  readonly waiting: boolean
  readonly locale: Locale
  readonly labelHidden: boolean
  /** Whether the label may be hidden, so that the button needs a tooltip. */
  readonly tooltips: boolean
  readonly slots: boolean
  /** Whether the element shows elsewhere why a button is disabled. */
  readonly silent: boolean
  press(action: Action): void
  confirm(action: Action): void
  cancel(): void
}

/**
 * The content of an element of the class `buttons`. Expects the name in `#name` and the message in `#message` of the same
 * tree: the accessible name of every button is its visible label and the name of its connection.
 */
export function buttons(view: ButtonsView): TemplateResult {
  const { state, offer, running, locale } = view
  if (state.kind === 'asking') return confirmation(view, state)
  const [first, second] = shown(offer.actions, running)
  const why = view.silent ? null : whyNot(offer.blocked, locale)
  // The main button stays the same node when its label changes, so that it keeps the focus.
  const reason = why
    ? html`<span class=${isPassing(offer.blocked) ? 'unseen' : 'why'} id="why">${why}</span>`
    : nothing
  if (!second) return button(view, first, { name: 'main', after: reason })
  const after = button(view, second, { name: 'second pair', after: reason })
  return button(view, first, { name: 'main pair', after })
}

/** Why a button is disabled, in words. */
export function whyNot(blocked: Blocked | null, locale: Locale): string | null {
  if (blocked === 'link') return locale.link.stale
  if (blocked === 'offline') return locale.link.offline
  return blocked && locale[blocked]
}

/**
 * The client reconnects without the viewer's help. The element shows "as of …" meanwhile, so the button's reason is only a
 * tooltip and a description, which move nothing on the page.
 */
function isPassing(blocked: Blocked | null): boolean {
  return blocked === 'link' || blocked === 'offline'
}

/** A running action keeps its button although the offer has changed with `desired` already. */
function shown(actions: Offer['actions'], running: Action | null): Offer['actions'] {
  return running === null || actions.includes(running) ? actions : [running]
}

interface Place {
  readonly name: 'main' | 'main pair' | 'second pair'
  readonly after: TemplateResult | typeof nothing
}

/** One template for the whole button and the node behind it, because most cards have one button. */
function button(view: ButtonsView, action: Action, { name, after }: Place): TemplateResult {
  const { offer, running, waiting } = view
  const disabled = running !== null || waiting || offer.blocked !== null
  const { label, title, longest, busy, part, icon, slots } = face(view, action)
  const id = name === 'second pair' ? 'second-label' : 'label'
  const [kind, d, mark] = icon
  return html`<button
      type="button"
      part="control"
      class="${name} ${action}"
      aria-labelledby="${id} name"
      aria-disabled=${disabled ? 'true' : nothing}
      aria-busy=${busy}
      aria-describedby="why message"
      title=${title}
      data-longest=${longest}
      @click=${() => {
        if (!disabled) view.press(action)
      }}
    >
      <span class="face" id=${id}
        ><slot name=${slots.icon} class="glyph" part=${part}
          ><svg viewBox="0 0 20 20" aria-hidden="true" class=${kind}>
            <path d=${d} />
            <path d=${mark} /></svg></slot
        ><slot name=${slots.label} part="label" class="label" .textContent=${label}></slot
      ></span></button
    >${after}`
}

function confirmation(view: ButtonsView, { action, at }: Asking): TemplateResult {
  const { locale } = view
  return html`<div
    class="ask"
    data-action=${action}
    role="group"
    aria-labelledby="ask name"
    @keydown=${(event: KeyboardEvent) => {
      if (event.key !== 'Escape') return
      // Escape closes this question only, neither a `<dialog>` around the element nor a dialog of the page's own.
      event.preventDefault()
      event.stopPropagation()
      view.cancel()
    }}
    @click=${({ target, detail, timeStamp }: MouseEvent) => {
      // The second click of a double click is no answer. Clicks by keyboard have `detail` 0 and are always answers.
      if (detail > 1 || (detail > 0 && timeStamp - at < DOUBLE_CLICK_MS)) return
      const { className } = target as Element
      if (className === 'yes') view.confirm(action)
      if (className === 'no') view.cancel()
    }}
  >
    <span id="ask">${wording(view, action).ask}</span>
    <span class="answers">
      <button
        type="button"
        part="control confirm"
        class="yes"
        id="yes"
        aria-labelledby="yes ask name"
        .textContent=${locale.yes}
      ></button>
      <button
        type="button"
        part="control cancel"
        class="no"
        id="no"
        aria-labelledby="no ask name"
        .textContent=${locale.no}
      ></button>
    </span>
  </div>`
}

interface Face {
  readonly label: string
  readonly title: string | typeof nothing
  readonly longest: string | typeof nothing
  readonly busy: 'true' | typeof nothing
  readonly part: string | typeof nothing
  readonly icon: (typeof actions)[Action]
  /** The slots that the page may fill. A slot without a name shows its default content, because the tree's first one is unnamed too. */
  readonly slots: Readonly<Record<'icon' | 'label', string | typeof nothing>>
}

function face(view: ButtonsView, action: Action): Face {
  const { locale, running, labelHidden, slots } = view
  const busy = running === action
  const label = busy ? locale.action[action].busy : wording(view, action).label
  const icon = busy ? 'busy' : isDone(view, action) ? 'done' : action
  return {
    label,
    title: tooltip(view, label),
    longest: labelHidden ? nothing : longest(locale),
    busy: busy ? 'true' : nothing,
    part: busy ? 'spinner' : slots ? 'icon' : nothing,
    icon: actions[icon],
    slots: slots ? openSlots(icon, action) : NO_SLOTS,
  }
}

function wording({ offer, locale }: ButtonsView, action: Action): Locale['stop'] {
  return action === 'disconnect' && offer.endsAttempts ? locale.stop : locale.action[action]
}

function tooltip({ offer, tooltips, locale }: ButtonsView, label: string): Face['title'] {
  if (isPassing(offer.blocked)) return whyNot(offer.blocked, locale) ?? nothing
  return tooltips ? label : nothing
}

const NO_SLOTS: Face['slots'] = { icon: nothing, label: nothing }

/** The page can't replace the icon and label that show a running or successful command. */
function openSlots(icon: string, action: Action): Face['slots'] {
  return {
    icon: icon === action ? 'icon' : nothing,
    label: icon === 'busy' ? nothing : action,
  }
}

function isDone({ state }: ButtonsView, action: Action): boolean {
  return state.kind === 'done' && state.action === action
}

const longestByLocale = new WeakMap<Locale, string>()

/** The longest label, which every button is as wide as. */
export function longest(locale: Locale): string {
  const known = longestByLocale.get(locale)
  if (known !== undefined) return known
  const words = Object.values(locale.action)
    .flatMap(({ label, busy }) => [label, busy])
    .concat(locale.stop.label)
  const found = words.reduce((one, other) => (other.length > one.length ? other : one))
  longestByLocale.set(locale, found)
  return found
}

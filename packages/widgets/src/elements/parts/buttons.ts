/** The buttons of a connection: a template, so that whoever shows them needs no inner element. */
import { html, nothing } from 'lit'
import type { TemplateResult } from 'lit'
import type { Action } from '@mqtt-status/protocol'
import type { CommandState } from '../../controllers/command.ts'
import type { Blocked, Offer } from './offer.ts'
import type { Locale } from '../../locales/locale.ts'
import { actions } from './icons.ts'

type Asking = Extract<CommandState, { kind: 'asking' }>

/** Within which two clicks may be one double click. */
const DOUBLE_CLICK_MS = 500

/** What the buttons show and whom they tell. */
export interface ButtonsView {
  readonly offer: Offer
  readonly state: CommandState
  /** The action that is under way, whoever gave it. */
  readonly running: Action | null
  /** Whether the server has said that it takes no command yet. */
  readonly waiting: boolean
  readonly locale: Locale
  readonly labelHidden: boolean
  /** Whether the words may not be seen. */
  readonly tooltips: boolean
  readonly slots: boolean
  /** Whether why a button waits is said elsewhere. */
  readonly silent: boolean
  press(action: Action): void
  confirm(action: Action): void
  cancel(): void
}

/**
 * What goes into an element of the class `buttons`. Expects the name in `#name` and what the message says in `#message`
 * of the same tree: every button is called by its visible word and the name of its connection.
 */
export function buttons(view: ButtonsView): TemplateResult {
  const { state, offer, running, locale } = view
  if (state.kind === 'asking') return confirmation(view, state)
  const [first, second] = shown(offer.actions, running)
  const why = view.silent ? null : whyNot(offer.blocked, locale)
  // The main button stays one and the same node whatever its word, so that focus stays on it.
  const reason = why
    ? html`<span class=${isPassing(offer.blocked) ? 'unseen' : 'why'} id="why">${why}</span>`
    : nothing
  if (!second) return button(view, first, { name: 'main', after: reason })
  const after = button(view, second, { name: 'second pair', after: reason })
  return button(view, first, { name: 'main pair', after })
}

/** Why a button waits, in words. */
export function whyNot(blocked: Blocked | null, locale: Locale): string | null {
  if (blocked === 'link') return locale.link.stale
  if (blocked === 'offline') return locale.link.offline
  return blocked && locale[blocked]
}

/**
 * The link will come back. The element shows that by "as of …", so the button's reason is a tooltip and its
 * description, and takes no room that would move the page.
 */
function isPassing(blocked: Blocked | null): boolean {
  return blocked === 'link' || blocked === 'offline'
}

/** What is under way keeps its button although the wish, and with it the offer, has changed already. */
function shown(actions: Offer['actions'], running: Action | null): Offer['actions'] {
  return running === null || actions.includes(running) ? actions : [running]
}

interface Place {
  readonly name: 'main' | 'main pair' | 'second pair'
  readonly after: TemplateResult | typeof nothing
}

/** One template for the whole button and what comes after it: most cards have just one. */
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
      // Escape means this question, not the dialog around the page: neither the browser's nor one of the page's own.
      event.preventDefault()
      event.stopPropagation()
      view.cancel()
    }}
    @click=${({ target, detail, timeStamp }: MouseEvent) => {
      // The second half of a double click is no answer. Keys have no `detail`, and nobody answers twice by mistake.
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
  /** What the page may fill; without a name a slot shows what is in it, because the tree's first one is unnamed too. */
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

/** What says that a command runs, or has succeeded, is ours. */
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

/** Whatever the button says, it is as wide as its longest word. */
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

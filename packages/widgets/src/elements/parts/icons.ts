/**
 * One shape per look and tone, so that a card reads without its colour. Drawn on 20 px with a stroke of 2 and round caps;
 * the shapes of connected and failed are filled. Every icon is two paths in the same tree, so that the card has that tree
 * in its own template: a page with a thousand cards spends most of its time on templates.
 */
import { html, nothing, svg } from 'lit'
import type { TemplateResult } from 'lit'
import type { Action, Appearance, Look, Tone } from '@mqtt-status/protocol'

/** The class of the first path, the first path, and the second one, which is never filled and never turns. */
type Drawing = readonly [kind: string | typeof nothing, d: string, mark: string | typeof nothing]

const RING = 'M10 2a8 8 0 1 0 0 16a8 8 0 1 0 0-16z'
const ARC = 'M10 2a8 8 0 1 1-8 8'
const TRIANGLE = 'M10 2.6 18.6 17.4H1.4z'
const EXCLAMATION = 'M10 5.8v4.6M10 14h.01'
const QUESTION = 'M8 8a2 2 0 1 1 2.9 1.9c-.6.3-.9.7-.9 1.3M10 14h.01'

/** The icon of every look in its usual tone. */
const looks: Readonly<Record<Look, Drawing>> = {
  connected: ['solid', RING, 'm6.2 10.4 2.5 2.5 5.1-5.4'],
  connecting: ['turning', ARC, nothing],
  reconnecting: ['turning', 'M18 10a8 8 0 1 1-2.3-5.7L18 6.6M18 2.1v4.5h-4.5', nothing],
  disconnecting: ['turning back', 'M10 2a8 8 0 1 0 8 8', 'M7 10h6'],
  disconnected: [nothing, RING, 'M6.5 10h7'],
  lost: [nothing, 'M7 14H5.5a4 4 0 0 1 0-8H7M13 6h1.5a4 4 0 0 1 0 8H13', 'M10 3v2M10 15v2'],
  failed: ['solid', 'M6.7 2h6.6L18 6.7v6.6L13.3 18H6.7L2 13.3V6.7z', EXCLAMATION],
  unknown: ['dashed', RING, QUESTION],
}

/** Looks in another tone: a triangle for attention, an arc while a command is pending. */
const inOtherTones: Readonly<Partial<Record<`${Look} ${Tone}`, Drawing>>> = {
  'connected warning': ['solid', TRIANGLE, 'M10 8v3.4M10 14.4h.01'],
  'unknown warning': [
    nothing,
    TRIANGLE,
    'M8.4 9a1.7 1.7 0 1 1 2.5 1.6c-.6.3-.9.6-.9 1.1M10 14.6h.01',
  ],
  'connected progress': ['turning', ARC, 'm7 10.3 2.2 2.2 4-4.4'],
  'disconnected progress': ['turning', ARC, 'M10 8.4a1.6 1.6 0 1 0 0 3.2a1.6 1.6 0 1 0 0-3.2z'],
  'failed progress': ['turning', ARC, EXCLAMATION],
  'unknown progress': ['turning', ARC, QUESTION],
}

/** The icon of an appearance; `null` has that of `unknown`. */
export function drawing(appearance: Pick<Appearance, 'look' | 'tone'> | null): Drawing {
  if (appearance === null) return looks.unknown
  const { look, tone } = appearance
  return inOtherTones[`${look} ${tone}`] ?? looks[look]
}

/** The icons of buttons: the action, or its progress. */
export const actions: Readonly<Record<Action | 'busy' | 'done', Drawing>> = {
  busy: ['turning', ARC, nothing],
  done: [nothing, 'm4 10.5 4 4 8-9', nothing],
  connect: [nothing, 'M11 2 4.5 11.5H10L9 18l6.5-9.5H10z', nothing],
  disconnect: [nothing, 'M10 2.5v7M5.8 5.2a6.6 6.6 0 1 0 8.4 0', nothing],
  reconnect: [nothing, 'M17 10a7 7 0 1 1-2-5l2 2M17 2.8V7h-4.2', nothing],
}

/** Shapes for 8 px, where an icon has no room; each reads without its colour. */
const dots: Readonly<Record<Tone, Drawing>> = {
  positive: ['solid', RING, nothing],
  progress: ['turning bold', ARC, nothing],
  warning: ['solid', 'M10 3.5 17 16.5H3z', nothing],
  negative: ['solid', 'M10 1.5 18.5 10 10 18.5 1.5 10z', nothing],
  neutral: ['bold', RING, nothing],
}

const HANDS = 'M10 6.5v3.8l2.4 1.6'

/** The same for a stale row: hollow, with the hands of a clock. */
const staleDots: Readonly<Record<Tone, Drawing>> = {
  positive: [nothing, RING, HANDS],
  progress: [nothing, ARC, HANDS],
  warning: [nothing, 'M10 2.5 18.5 17.5H1.5z', 'M10 8.5v4.5'],
  negative: [nothing, 'M10 1 19 10l-9 9-9-9z', HANDS],
  neutral: ['dashed', RING, HANDS],
}

/** The mark of a stale row: a small clock over the corner of any icon. */
export const CLOCK: TemplateResult<2> = svg`<circle class="halo" cx="15.5" cy="15.5" r="5.5" /><path class="clock" d="M15.5 11.9a3.6 3.6 0 1 0 0 7.2a3.6 3.6 0 1 0 0-7.2zM15.5 13.9v1.7l1 .7" />`

function icon([kind, d, mark]: Drawing, stale = false): TemplateResult {
  return html`<svg viewBox="0 0 20 20" aria-hidden="true" class=${kind}>
    <path d=${d} />
    <path d=${mark} />
    ${stale ? CLOCK : nothing}
  </svg>`
}

/** The icon of an appearance; `stale` adds the small clock. */
export function lookIcon(appearance: Appearance | null, stale: boolean): TemplateResult {
  return icon(drawing(appearance), stale)
}

/** The mark of a tone. */
export function dotIcon(tone: Tone, stale: boolean): TemplateResult {
  return icon((stale ? staleDots : dots)[tone])
}

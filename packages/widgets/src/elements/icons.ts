/**
 * One silhouette per look, so that a card reads without its colour. Drawn on 20 px with a stroke of 2 and round
 * caps; only the two states at the ends of the scale are filled.
 */
import { html, svg } from 'lit'
import type { TemplateResult } from 'lit'
import type { Action, Look, Tone } from '@mqtt-status/protocol'

type Drawing = TemplateResult<2>

const ARC = svg`<path class="turning" d="M10 2a8 8 0 1 1-8 8" />`

const looks: Readonly<Record<Look, Drawing>> = {
  connected: svg`<circle class="solid" cx="10" cy="10" r="9" /><path class="knockout" d="m6.2 10.4 2.5 2.5 5.1-5.4" />`,
  connecting: ARC,
  reconnecting: svg`<g class="turning"><path d="M18 10a8 8 0 1 1-2.3-5.7L18 6.6" /><path d="M18 2.1v4.5h-4.5" /></g>`,
  disconnecting: svg`<path class="turning back" d="M10 2a8 8 0 1 0 8 8" /><path d="M7 10h6" />`,
  disconnected: svg`<circle cx="10" cy="10" r="8" /><path d="M6.5 10h7" />`,
  lost: svg`<path d="m8.3 14.5-1.2 1.2a3.2 3.2 0 0 1-4.6-4.5l2.3-2.3" /><path d="m11.7 5.5 1.2-1.2a3.2 3.2 0 0 1 4.6 4.5l-2.3 2.3" /><path d="M6.6 5.2 5.4 3.4M13.4 14.8l1.2 1.8" />`,
  failed: svg`<path class="solid" d="M6.7 2h6.6L18 6.7v6.6L13.3 18H6.7L2 13.3V6.7z" /><path class="knockout" d="M10 5.8v4.6M10 14h.01" />`,
  unknown: svg`<circle class="dashed" cx="10" cy="10" r="8" /><path d="M8 8a2 2 0 1 1 2.9 1.9c-.6.3-.9.7-.9 1.3M10 14h.01" />`,
}

const POWER = svg`<path d="M10 2.5v7M5.8 5.2a6.6 6.6 0 1 0 8.4 0" />`
const CHECK = svg`<path d="m4 10.5 4 4 8-9" />`

const actions: Readonly<Record<Action, Drawing>> = {
  connect: svg`<path d="M11 2 4.5 11.5H10L9 18l6.5-9.5H10z" />`,
  disconnect: POWER,
  reconnect: svg`<path d="M17 10a7 7 0 1 1-2-5l2 2" /><path d="M17 2.8V7h-4.2" />`,
}

/** Where there is no room for an icon: five shapes that read without their colour at 10 px. */
const dots: Readonly<Record<Tone, Drawing>> = {
  positive: svg`<circle class="solid" cx="10" cy="10" r="9" />`,
  progress: svg`<path class="turning" d="M10 2a8 8 0 1 1-8 8" stroke-width="4" />`,
  warning: svg`<path class="solid" d="M10 2.5 18 17H2z" />`,
  negative: svg`<path class="solid" d="M2 2h16v16H2z" />`,
  neutral: svg`<circle cx="10" cy="10" r="7.5" stroke-width="4" />`,
}

// What was last known, seen through a clock: knocked out of the corner of any icon.
const CLOCK = svg`<circle class="halo" cx="15.5" cy="15.5" r="5.5" /><g class="clock"><circle cx="15.5" cy="15.5" r="3.6" /><path d="M15.5 13.9v1.7l1 .7" /></g>`

const OLD = svg`<circle cx="10" cy="10" r="8" /><path d="M10 5v5l3.5 2" />`

function icon(drawing: Drawing, overlay?: Drawing): TemplateResult {
  return html`<svg viewBox="0 0 20 20" aria-hidden="true" focusable="false">
    ${drawing}${overlay}
  </svg>`
}

/** The icon of a look; `stale` adds the small clock. */
export function lookIcon(look: Look, stale: boolean): TemplateResult {
  return icon(looks[look], stale ? CLOCK : undefined)
}

export function actionIcon(action: Action): TemplateResult {
  return icon(actions[action])
}

/** There is no room for two shapes: what is old is a clock. */
export function dotIcon(tone: Tone, stale: boolean): TemplateResult {
  return icon(stale ? OLD : dots[tone])
}

export function spinner(): TemplateResult {
  return icon(ARC)
}

export function check(): TemplateResult {
  return icon(CHECK)
}

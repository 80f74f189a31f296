import { css } from 'lit'
import type { CSSResult } from 'lit'

/**
 * The page's tokens with their defaults. A default set on `:host` under the public name would beat what the page
 * sets on `:root`, hence the private names. Contrast was measured on both surfaces: do not tint text further.
 */
export const tokens: CSSResult = css`
  :host {
    --_positive: var(--mqtt-status-positive, light-dark(#00704a, #3ecf8e));
    --_progress: var(--mqtt-status-progress, light-dark(#0b5fc0, #6cb6ff));
    --_warning: var(--mqtt-status-warning, light-dark(#946200, #f2c14e));
    --_negative: var(--mqtt-status-negative, light-dark(#b4232c, #ff6b72));
    --_neutral: var(--mqtt-status-neutral, light-dark(#57606a, #a3adb8));
    --_surface: var(--mqtt-status-surface, light-dark(#ffffff, #15191e));
    --_text: var(--mqtt-status-text, light-dark(#171b21, #e8ecf1));
    --_muted: var(--mqtt-status-muted, light-dark(#57606a, #a3adb8));
    --_border: var(--mqtt-status-border, light-dark(#e3e7eb, #2a3037));
    --_shadow: var(
      --mqtt-status-shadow,
      0 1px 2px light-dark(rgb(16 24 40 / 0.05), rgb(0 0 0 / 0))
    );
    --_focus: var(--mqtt-status-focus, light-dark(#0b5fc0, #6cb6ff));
    --_radius: var(--mqtt-status-radius, 12px);
    --_gap: var(--mqtt-status-gap, 12px);
    --_icon-size: var(--mqtt-status-icon-size, 20px);
    --_font-size: var(--mqtt-status-font-size, max(15px, 0.9375rem));
    --_transition: var(--mqtt-status-transition, 200ms);
    /* How large what can be pressed is at least. */
    --_target: 24px;
    color: var(--_text);
    font-weight: 400;
    font-size: max(13px, 0.8125rem);
    line-height: max(18px, 1.125rem);
    font-family: var(--mqtt-status-font, inherit);
    letter-spacing: normal;
  }
  @media (pointer: coarse) {
    :host {
      --_target: 44px;
    }
  }
  :host([theme='light']) {
    color-scheme: light;
  }
  :host([theme='dark']) {
    color-scheme: dark;
  }
  :host([density='dense']) {
    --_icon-size: var(--mqtt-status-icon-size, 16px);
    --_gap: var(--mqtt-status-gap, 8px);
    --_font-size: var(--mqtt-status-font-size, max(13px, 0.8125rem));
  }
  :host([hidden]) {
    display: none !important;
  }
  .tone-positive {
    --_tone: var(--_positive);
    --_on: var(--mqtt-status-positive-on, var(--_surface));
  }
  .tone-progress {
    --_tone: var(--_progress);
    --_on: var(--mqtt-status-progress-on, var(--_surface));
  }
  .tone-warning {
    --_tone: var(--_warning);
    --_on: var(--mqtt-status-warning-on, var(--_surface));
  }
  .tone-negative {
    --_tone: var(--_negative);
    --_on: var(--mqtt-status-negative-on, var(--_surface));
  }
  .tone-neutral {
    --_tone: var(--_neutral);
    --_on: var(--mqtt-status-neutral-on, var(--_surface));
  }
  .icon {
    display: block;
    flex: none;
    inline-size: var(--_icon-size);
    block-size: var(--_icon-size);
    color: var(--_tone);
    transition: color var(--_transition);
  }
  .word {
    color: var(--_tone);
    font-weight: 500;
    transition: color var(--_transition);
  }
  /* Words of one direction in a page of the other. */
  :is(.word, .label, time) {
    unicode-bidi: plaintext;
  }
  .tone-neutral .word {
    color: var(--_text);
  }
  .problem {
    color: var(--_negative);
  }
  /* What is shown is what was last known. */
  .dimmed :is(.icon, .word) {
    filter: saturate(0.4);
  }
  :focus-visible {
    outline: 2px solid var(--_focus);
    outline-offset: 2px;
  }
  .unseen,
  .iconic .label,
  .loading .word {
    display: block;
    position: absolute;
    /* At the start of the element: where it comes in the text, it would stick out of an edge. */
    inset-block: 0 auto;
    inset-inline: 0 auto;
    inline-size: 1px;
    block-size: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  /* Bones: what will be there, before anything is known. */
  .loading .icon,
  .loading :is(.status, .label)::before,
  .bone {
    border-radius: 4px;
    background: var(--_border);
    animation: breathe 1.8s ease-in-out infinite alternate;
  }
  .loading .icon {
    border-radius: 50%;
  }
  .loading :is(.status, .label)::before {
    content: '';
    /* In a line, so that it is as high as the words that come. */
    display: inline-block;
    inline-size: 64px;
    block-size: 10px;
  }
  .loading .icon svg {
    visibility: hidden;
  }
  @keyframes breathe {
    to {
      opacity: 0.45;
    }
  }
  @media (forced-colors: active) {
    .loading .icon,
    .loading :is(.status, .label)::before,
    .bone {
      background: GrayText;
      forced-color-adjust: none;
    }
  }
`

/** The strokes of every icon, and the only animation: an icon of progress turns. */
export const iconStyles: CSSResult = css`
  svg {
    display: block;
    inline-size: 100%;
    block-size: 100%;
    overflow: visible;
    fill: none;
    stroke: currentColor;
    stroke-width: 2;
    stroke-linecap: round;
    stroke-linejoin: round;
  }
  .solid path:first-of-type {
    fill: currentColor;
  }
  .solid path:nth-of-type(2) {
    stroke: var(--_on);
  }
  .bold {
    stroke-width: 4;
  }
  .dashed path:first-of-type {
    stroke-dasharray: 2.3 3.983;
  }
  .halo {
    fill: var(--_surface);
    stroke: none;
  }
  .clock {
    stroke-width: 1.5;
  }
  /* What is under way is a little smaller, and grows when it has arrived. */
  .icon svg {
    transition: scale 160ms;
  }
  .icon .turning {
    scale: 0.9;
  }
  .turning path:first-of-type {
    transform-origin: 10px 10px;
    animation: turn 1.2s linear infinite;
  }
  .back path:first-of-type {
    animation-direction: reverse;
  }
  @media (prefers-reduced-motion: reduce) {
    *,
    ::before {
      animation: none !important;
      transition: none !important;
    }
  }
  @keyframes turn {
    to {
      transform: rotate(360deg);
    }
  }
  @media (forced-colors: active) {
    svg {
      color: CanvasText;
    }
    .solid path:nth-of-type(2) {
      stroke: Canvas;
    }
    .halo {
      fill: Canvas;
    }
  }
`

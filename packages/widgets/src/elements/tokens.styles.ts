import { css } from 'lit'
import type { CSSResult } from 'lit'

/**
 * The page's tokens with their defaults. A default set on `:host` under the public name would beat what the page
 * says on `:root`, hence the private names. Contrast was measured on both surfaces: do not tint text further.
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
    --_padding: var(--mqtt-status-padding, 16px);
    --_icon-size: var(--mqtt-status-icon-size, 20px);
    --_font-size: var(--mqtt-status-font-size, 15px);
    --_transition: var(--mqtt-status-transition, 200ms);
    --_tone: var(--_neutral);
    color: var(--_text);
    font-family: var(--mqtt-status-font, inherit);
  }
  :host([theme='light']) {
    color-scheme: light;
  }
  :host([theme='dark']) {
    color-scheme: dark;
  }
  :host([density='compact']) {
    --_padding: var(--mqtt-status-padding, 12px);
  }
  :host([density='dense']) {
    --_padding: var(--mqtt-status-padding, 8px);
    --_icon-size: var(--mqtt-status-icon-size, 16px);
    --_gap: var(--mqtt-status-gap, 8px);
    --_font-size: var(--mqtt-status-font-size, 13px);
  }
  :host([hidden]) {
    display: none !important;
  }
  .tone-positive {
    --_tone: var(--_positive);
  }
  .tone-progress {
    --_tone: var(--_progress);
  }
  .tone-warning {
    --_tone: var(--_warning);
  }
  .tone-negative {
    --_tone: var(--_negative);
  }
`

/** How every icon is drawn, and the only motion there is: what is under way turns. */
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
  .solid {
    fill: currentColor;
    stroke: none;
  }
  path.solid {
    stroke: currentColor;
  }
  .knockout {
    stroke: var(--_surface);
  }
  .halo {
    fill: var(--_surface);
    stroke: none;
  }
  .clock {
    stroke-width: 1.5;
  }
  .dashed {
    stroke-dasharray: 2.3 3.983;
  }
  .turning {
    transform-origin: 10px 10px;
  }
  @media (prefers-reduced-motion: no-preference) {
    .turning {
      animation: turn 1.2s linear infinite;
    }
    .back {
      animation-direction: reverse;
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
    .knockout {
      stroke: Canvas;
    }
    .halo {
      fill: Canvas;
    }
  }
`

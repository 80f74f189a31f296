import { css } from 'lit'
import type { CSSResult } from 'lit'

/** The smallest size of a badge, before and after it renders. */
export const badgePlace: CSSResult = css`
  /* No line of its own around it: it is as high as it says. */
  :host(:not([hidden])) {
    display: inline-flex;
  }
  :host(:not([variant='dot'], [variant='text'])) {
    min-block-size: 16px;
    min-inline-size: 16px;
  }
`

/** A pill, aligned with the baseline of the text around it. */
export const badgeStyles: CSSResult = css`
  :host {
    max-inline-size: 100%;
    vertical-align: baseline;
    --_icon: 14px;
  }
  .badge {
    box-sizing: border-box;
    position: relative;
    display: flex;
    align-items: center;
    min-inline-size: 0;
    color: inherit;
    text-decoration: none;
    white-space: nowrap;
  }
  /* A line of text to stand on, whatever comes first. */
  .badge::before {
    content: '\\200b';
    content: '\\200b' / '';
  }
  .icon {
    margin-inline-end: var(--_space, 6px);
    inline-size: var(--mqtt-status-icon-size, var(--_icon));
    block-size: var(--mqtt-status-icon-size, var(--_icon));
  }
  .label {
    min-inline-size: 0;
    overflow: hidden;
    text-overflow: ellipsis;
  }
  .v-label {
    --_mix: color-mix(in oklab, var(--_tone) 10%, var(--_surface));
    min-block-size: 24px;
    padding: 0 10px 0 6px;
    padding-inline: 6px 10px;
    border: 1px solid var(--_tint);
    border-radius: var(--mqtt-status-radius, 999px);
    background: var(--_tint);
  }
  .v-label.tone-positive {
    --_tint: var(--mqtt-status-positive-tint, var(--_mix));
  }
  .v-label.tone-progress {
    --_tint: var(--mqtt-status-progress-tint, var(--_mix));
  }
  .v-label.tone-warning {
    --_tint: var(--mqtt-status-warning-tint, var(--_mix));
  }
  .v-label.tone-negative {
    --_tint: var(--mqtt-status-negative-tint, var(--_mix));
  }
  .v-label.tone-neutral {
    --_tint: var(--mqtt-status-neutral-tint, var(--_mix));
  }
  .size-s {
    --_icon: 12px;
    font-size: max(12px, 0.75rem);
    line-height: max(16px, 1rem);
    --_space: 4px;
  }
  .size-l {
    --_icon: 16px;
    font-size: max(15px, 0.9375rem);
    line-height: max(20px, 1.25rem);
  }
  .v-label.size-s {
    min-block-size: 20px;
    padding-inline: 4px 8px;
  }
  .v-label.size-l {
    min-block-size: 28px;
    padding-inline: 8px 12px;
  }
  :is(.v-dot, .v-text) {
    --_icon: 10px;
  }
  :is(.v-dot, .v-text).size-s {
    --_icon: 8px;
  }
  :is(.v-dot, .v-text).size-l {
    --_icon: 12px;
  }
  :is(.v-icon, .v-dot) {
    --_space: 0;
  }
  .v-icon {
    --_icon: 20px;
  }
  .v-icon.size-s {
    --_icon: 16px;
  }
  .v-icon.size-l {
    --_icon: 24px;
  }
  .as-of {
    color: var(--_muted);
  }
  a::after {
    content: '';
    position: absolute;
    inset: min(0px, (100% - var(--_target)) / 2);
  }
  a:hover .word {
    text-decoration: underline;
    text-underline-offset: 3px;
  }
  a:focus-visible {
    border-radius: var(--mqtt-status-radius, 999px);
  }
  @media (forced-colors: active) {
    .v-label {
      border-color: CanvasText;
    }
  }
`

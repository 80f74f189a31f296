import { css } from 'lit'
import type { CSSResult } from 'lit'

/** A dot and a word; more only when there is more to say. */
export const liveStyles: CSSResult = css`
  :host {
    display: inline-block;
    max-inline-size: 100%;
  }
  :host([hide-when-live]:state(link-live):not(:focus-within)) {
    display: none;
  }
  .live {
    display: inline-flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 4px 8px;
    min-block-size: 24px;
    outline: none;
  }
  .icon {
    --_icon-size: 8px;
  }
  .tone-warning .label,
  .tone-negative .label {
    font-weight: 500;
    color: var(--_tone);
  }
  .when {
    color: var(--_muted);
    font-variant-numeric: tabular-nums;
  }
`

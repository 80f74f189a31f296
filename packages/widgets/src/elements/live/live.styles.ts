import { css } from 'lit'
import type { CSSResult } from 'lit'

/** A dot and a word; countdown and button only while the feed is not live. */
export const liveStyles: CSSResult = css`
  :host {
    position: relative;
    display: inline-flex;
    max-inline-size: 100%;
  }
  :host(:state(hidden):not(:focus-within)) {
    display: none;
  }
  .live {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 4px 8px;
    min-block-size: 24px;
    outline: none;
  }
  .icon {
    --_icon-size: 8px;
  }
  /* As wide as the word that most likely comes. */
  .live[data-live]::after {
    content: attr(data-live);
    content: attr(data-live) / '';
    border-radius: 4px;
    background: var(--_border);
    color: transparent;
    animation: breathe 1.8s ease-in-out infinite alternate;
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

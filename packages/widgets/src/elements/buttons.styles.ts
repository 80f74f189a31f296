import { css } from 'lit'
import type { CSSResult } from 'lit'

/** The quiet button, its confirmation, and the small one for Retry and Copy. */
export const buttonStyles: CSSResult = css`
  .buttons,
  .ask {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    justify-content: flex-end;
    gap: 8px;
  }
  .why {
    color: var(--_muted);
  }
  button {
    position: relative;
    box-sizing: border-box;
    display: inline-flex;
    align-items: center;
    justify-content: center;
    min-block-size: 32px;
    margin: 0;
    padding: 0 10px;
    border: 1px solid var(--_border);
    border-radius: 8px;
    background: none;
    color: var(--_text);
    font: inherit;
    font-weight: 500;
    white-space: nowrap;
    cursor: pointer;
    transition:
      background-color var(--_transition),
      color var(--_transition),
      border-color var(--_transition);
    -webkit-tap-highlight-color: transparent;
  }
  button::after {
    content: '';
    position: absolute;
    /* The edge is outside of what it is measured by. */
    inset: min(-1px, (100% - var(--_target)) / 2);
    border-radius: inherit;
  }
  @media (hover: hover) {
    button:not([aria-disabled='true']):hover {
      border-color: color-mix(in oklab, var(--_text) 22%, var(--_border));
      background: color-mix(in oklab, var(--_text) 5%, transparent);
    }
  }
  button:not([aria-disabled='true']):active {
    background: color-mix(in oklab, var(--_text) 9%, transparent);
  }
  [aria-disabled='true'] {
    color: var(--_muted);
    cursor: default;
  }
  [aria-disabled='true']:not([aria-busy]) {
    border-style: dashed;
  }
  .second .glyph {
    display: none;
  }
  .buttons:empty {
    display: none;
  }
  .glyph {
    display: block;
    flex: none;
    inline-size: 14px;
    block-size: 14px;
    /* Quieter than the word, and of the colour that the page may have given to the button. */
    color: color-mix(in srgb, currentColor 72%, transparent);
  }
  [aria-disabled='true'] .glyph {
    color: inherit;
  }
  [aria-busy='true'] .glyph {
    color: var(--_progress);
  }
  .label {
    display: block;
  }
  .face {
    display: flex;
    align-items: center;
    gap: 7px;
  }
  /* Locked to the longest label, so that nothing moves when the word changes. */
  [data-longest] {
    flex-direction: column;
  }
  [data-longest]::before {
    content: attr(data-longest);
    block-size: 0;
    padding-inline-start: 21px;
    overflow: hidden;
    visibility: hidden;
  }
  .second::before {
    padding: 0;
  }
  .buttons .bone {
    display: flex;
    box-sizing: border-box;
    block-size: max(32px, 1lh + 2px);
    padding-inline: 11px;
    border-radius: 8px;
    font-weight: 500;
    opacity: 0.6;
  }
  .yes,
  .no {
    min-inline-size: 44px;
  }
  .yes {
    border-color: color-mix(in oklab, var(--_negative) 45%, var(--_border));
    color: var(--_negative);
  }
  .retry {
    min-block-size: 24px;
    padding: 0 8px;
    border-radius: 4px;
  }
  @media (forced-colors: active) {
    button {
      border-color: ButtonText;
      color: ButtonText;
    }
    [aria-disabled='true'] {
      border-color: GrayText;
      color: GrayText;
    }
    .glyph {
      color: inherit;
    }
  }
  @media print {
    button,
    .buttons {
      display: none !important;
    }
  }
`

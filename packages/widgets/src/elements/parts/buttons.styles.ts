import { css } from 'lit'
import type { CSSResult } from 'lit'

/** The command button, its confirmation, and the small button for Retry and Copy. */
export const buttonStyles: CSSResult = css`
  .buttons,
  .ask,
  .answers {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    justify-content: flex-end;
    gap: 8px;
    min-inline-size: 0;
    max-inline-size: 100%;
  }
  .answers {
    flex-wrap: nowrap;
  }
  /* As wide as their words where both fit on one line, as wide as the line where they don't. */
  .pair {
    flex: 1 1 auto;
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
    min-inline-size: 0;
    max-inline-size: 100%;
    min-block-size: 32px;
    margin: 0;
    padding: 0 10px;
    /* 3:1 against the surface, which it brings along: a page behind it may have any colour. */
    border: 1px solid color-mix(in oklab, var(--_muted) 66%, var(--_surface));
    border-radius: 8px;
    background: var(--_surface);
    color: var(--_text);
    font: inherit;
    font-weight: 500;
    white-space: nowrap;
    -webkit-user-select: none;
    user-select: none;
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
      border-color: var(--_muted);
      background: color-mix(in oklab, var(--_text) 5%, var(--_surface));
    }
  }
  button:not([aria-disabled='true']):active {
    background: color-mix(in oklab, var(--_text) 9%, var(--_surface));
  }
  [aria-disabled='true'] {
    color: var(--_muted);
    cursor: default;
  }
  [aria-disabled='true']:not([aria-busy]) {
    border-style: dashed;
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
    overflow: hidden;
    text-overflow: ellipsis;
  }
  .face {
    display: flex;
    align-items: center;
    gap: 7px;
    max-inline-size: 100%;
  }
  /* Locked to the longest label, so that nothing moves when the word changes. */
  [data-longest] {
    flex-direction: column;
  }
  [data-longest]::before {
    content: attr(data-longest);
    box-sizing: border-box;
    max-inline-size: 100%;
    block-size: 0;
    padding-inline-start: 21px;
    /* Not hidden: the first words of a button are the line that the text around goes by. */
    overflow: clip;
    visibility: hidden;
  }
  .buttons .bone {
    --_high: max(32px, 1lh + 2px);
    display: flex;
    align-items: center;
    box-sizing: border-box;
    block-size: var(--_high);
    /* Its line is where that of the words will be. */
    padding: calc((var(--_high) - 1lh) / 2) 11px 0;
    border-radius: 8px;
    font-weight: 500;
    opacity: 0.6;
  }
  .yes,
  .no {
    min-inline-size: 44px;
  }
  .yes {
    border-color: color-mix(in oklab, var(--_negative) 66%, var(--_surface));
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

import { css } from 'lit'
import type { CSSResult } from 'lit'

/** The size of a card, before and after it renders. */
export const place: CSSResult = css`
  :host(:not([hidden])) {
    display: block;
  }
  :host {
    min-inline-size: 200px;
    contain: inline-size layout style;
    contain-intrinsic-inline-size: 280px;
    /* Lines grow with the text size of the browser, the rest does not; preload.css keeps the same. */
    --_lines: max(58px, 3.625rem);
    --_content: calc(18px + var(--_lines) + max(32px, 1.125rem + 2px));
    --_padding: var(--mqtt-status-padding, 16px);
  }
  :host([controls='none']) {
    --_content: calc(6px + var(--_lines));
  }
  :host([density='compact']) {
    --_content: calc(2px + max(40px, 2.5rem));
    --_padding: var(--mqtt-status-padding, 12px);
  }
  :host([density='dense']) {
    --_content: max(24px, 1.5rem);
    --_padding: var(--mqtt-status-padding, 8px);
  }
`

/** A card that waits for its turn: its final height, and no content. */
export const emptyPlace: CSSResult = css`
  :host {
    contain: strict;
    contain-intrinsic-block-size: calc(2px + 2 * var(--_padding) + var(--_content));
  }
  /* Two lines where one does not fit. */
  :host([density='dense']) {
    padding-block-end: clamp(0px, (480px - 100%) * 99, max(16px, 1rem));
  }
`

/**
 * A 4 px grid; name, status and everything below share one left edge. In a card without a problem only the icon and the
 * status word are coloured. A problem adds a rounded edge, as a pseudo-element, because a border would shift the text.
 */
export const cardStyles: CSSResult = css`
  :host {
    text-align: start;
  }
  /*
   * The browser skips the rendering of cards out of view. Firefox ignores the intrinsic height of an element that also has
   * containment of its inline size, so the host has the one and the surface the other. Where overflow-clip-margin is
   * unknown (WebKit), content-visibility would clip focus rings, and slots that change would never be laid out again.
   */
  @supports (overflow-clip-margin: 8px) {
    .card {
      content-visibility: auto;
      contain-intrinsic-block-size: auto var(--_content);
      overflow-clip-margin: 8px;
    }
  }
  /* Only these two depend on their width; asking for it costs every card a style and a layout of its own. */
  :host(:is([density='compact'], [density='dense'])) {
    container-type: inline-size;
  }
  .card {
    position: relative;
    box-sizing: border-box;
    /* In a row of cards all are as high as the highest. */
    block-size: 100%;
    display: grid;
    grid-template:
      'icon header' auto
      '. status' auto
      '. message' 1fr
      'foot foot' auto
      / var(--_icon-size) minmax(0, 1fr);
    column-gap: var(--_gap);
    padding: var(--_padding);
    border: 1px solid var(--_border);
    border-radius: var(--_radius);
    background: var(--_surface);
    box-shadow: var(--_shadow);
  }
  .attention::before {
    content: '';
    position: absolute;
    inset-block: 12px;
    inset-inline-start: -1px;
    inline-size: 3px;
    border-radius: 3px;
    background: var(--_tone);
  }
  .header {
    grid-area: header;
    display: flex;
    gap: 8px;
    min-inline-size: 0;
  }
  .name {
    flex: 1;
    min-inline-size: 0;
    font-weight: 600;
    font-size: var(--_font-size);
    line-height: max(20px, 1.25rem);
    white-space: nowrap;
    outline: none;
  }
  .name slot {
    display: block;
    overflow: hidden;
    text-overflow: ellipsis;
  }
  /* Words of another direction than the page's begin where they begin, and stand where the others stand. */
  [dir] {
    text-align: -webkit-match-parent;
    text-align: match-parent;
  }
  /* With nothing to name there is no line for it. */
  .nameless .header {
    display: none;
  }
  .nameless .status {
    grid-area: header;
    margin: 0;
  }
  a {
    color: inherit;
    text-decoration: none;
  }
  a[href]::after {
    content: '';
    position: absolute;
    inset: 0;
    border-radius: var(--_radius);
  }
  @media (hover: hover) {
    .linked:hover {
      border-color: color-mix(in oklab, var(--_text) 22%, var(--_border));
    }
    .linked:hover .name {
      text-decoration: underline;
      text-underline-offset: 3px;
    }
  }
  /* The ring is the one around the card. */
  a:focus-visible {
    outline: none;
  }
  a:focus-visible::after {
    outline: 2px solid var(--_focus);
    outline-offset: -2px;
  }
  /* Above the link that covers the card. */
  .buttons,
  .details,
  .retry,
  ::slotted([slot]:not([slot='name'], [slot='icon'])) {
    position: relative;
    z-index: 1;
  }
  .status {
    grid-area: status;
    display: flex;
    flex-wrap: wrap;
    column-gap: 15px;
    /* Hides the dot before a time that has wrapped. */
    overflow-x: clip;
    min-block-size: 1lh;
    margin: 2px 0 0;
    line-height: max(20px, 1.25rem);
  }
  :is(.word, .time) {
    min-inline-size: 0;
    overflow-wrap: anywhere;
  }
  .word {
    font-size: max(14px, 0.875rem);
  }
  .time {
    position: relative;
    color: var(--_muted);
    font-variant-numeric: tabular-nums;
  }
  .time::before {
    content: '·';
    content: '·' / '';
    position: absolute;
    inset-inline-start: -10px;
  }
  .message {
    grid-area: message;
    min-block-size: 1lh;
    margin-block-start: 4px;
    color: var(--_muted);
    overflow-wrap: anywhere;
  }
  .message p {
    display: -webkit-box;
    margin: 0;
    overflow: hidden;
    -webkit-box-orient: vertical;
    -webkit-line-clamp: 4;
    text-wrap: pretty;
  }
  .message p span {
    display: inline-block;
  }
  .details,
  .message .retry {
    margin-block-start: 4px;
  }
  .details {
    display: flex;
    anchor-name: --details;
  }
  /* A quiet link, also under the mouse. */
  .details > button:not([aria-disabled]) {
    min-block-size: 0;
    padding: 0;
    border: 0;
    border-radius: 4px;
    background: none;
    color: inherit;
    font-weight: inherit;
    text-decoration: underline;
    text-underline-offset: 3px;
    text-decoration-color: var(--_border);
  }
  #detail {
    box-sizing: border-box;
    max-inline-size: min(480px, 100%);
    padding: 12px;
    border: 1px solid var(--_border);
    border-radius: 8px;
    background: var(--_surface);
    color: var(--_muted);
    overflow-wrap: anywhere;
  }
  #detail .retry {
    margin-block-start: 8px;
  }
  #detail:popover-open {
    box-shadow: 0 8px 24px rgb(16 24 40 / 0.2);
  }
  /* Older browsers show it in the middle of the window. */
  @supports (inset-block-start: anchor(outside)) {
    #detail:popover-open {
      position-anchor: --details;
      inset: auto;
      inset-block-start: anchor(outside);
      inset-inline-start: anchor(inside);
      position-try-fallbacks:
        flip-block,
        flip-inline,
        flip-block flip-inline;
      min-inline-size: anchor-size(inline);
      margin: 4px 0;
    }
  }
  code {
    display: block;
    font:
      12px/16px ui-monospace,
      monospace;
    -webkit-user-select: all;
    user-select: all;
  }
  .foot {
    grid-area: foot;
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    justify-content: flex-end;
    gap: 8px 12px;
    margin-block-start: 12px;
  }
  /*
   * The buttons of many cards would distract from their statuses: in a card without a problem the button has no edge until
   * the pointer or the focus is in the card. On touch screens and with forced colours it always has its edge.
   */
  @media (hover: hover) and (pointer: fine) and (forced-colors: none) {
    .card:not(.attention, :hover, :focus-within) .buttons > button {
      border-color: transparent;
      background: transparent;
      font-weight: 400;
    }
  }
  /* One below the other they are equally wide. */
  .foot :is(.second, button:has(+ .second)) {
    flex-grow: 1;
  }
  .kept .foot {
    min-block-size: max(32px, 1lh + 2px);
  }
  .comfortable.bare {
    --_content: calc(6px + var(--_lines));
  }
  .bare .foot,
  .timeless .time,
  .metaless .meta {
    display: none;
  }
  .meta {
    display: block;
    /* A fixed basis: whether the button wraps depends on the width of the card, and so is the same for all cards of a grid. */
    flex: 1 1 calc(var(--_icon-size) + var(--_gap) + 80px);
    min-inline-size: 0;
    padding-inline-start: calc(var(--_icon-size) + var(--_gap));
    color: var(--_muted);
    overflow-wrap: break-word;
  }

  .loading .status::before {
    inline-size: 132px;
    margin-block: auto;
  }
  .message .bone {
    inline-size: 72%;
    block-size: 10px;
    margin-block: 4px;
  }

  /* Compact: two lines, the button beside them, without its word where there is no room. */
  :is(.compact, .dense) {
    grid-template:
      'icon header control' auto
      '. status control' auto
      '. message message' auto
      '. meta meta' auto
      / var(--_icon-size) minmax(0, 1fr) auto;
    /* In a row of higher cards its lines stay together. */
    align-content: start;
  }
  :is(.compact, .dense) .message {
    min-block-size: 0;
    margin: 0;
  }
  /* It keeps no room for what most don't say. */
  :is(.compact, .dense) .message .bone {
    display: none;
  }
  :is(.compact, .dense) .foot {
    display: contents;
  }
  :is(.compact, .dense) .buttons {
    grid-area: control;
    align-self: center;
    margin-inline-start: 8px;
  }
  :is(.compact, .dense) .buttons:has(.ask, .why) {
    grid-area: auto / 1 / auto / -1;
    margin-block-start: 4px;
  }
  :is(.compact, .dense) .meta {
    grid-area: meta;
    padding: 0;
  }
  :is(.compact, .dense) ::slotted([slot='footer']) {
    grid-column: 1 / -1;
  }
  @container (max-width: 639px) {
    :is(.compact, .dense) [data-longest] {
      flex: none;
      inline-size: 32px;
      padding: 0;
    }
    :is(.compact, .dense) [data-longest]::before {
      content: none;
    }
    :is(.compact, .dense) .glyph {
      display: block;
    }
    :is(.compact, .dense) .label {
      position: absolute;
      inset-block: 0 auto;
      inset-inline: 0 auto;
      inline-size: 1px;
      block-size: 1px;
      clip-path: inset(50%);
    }
  }
  .dense :is(.name, .word) {
    font-size: max(13px, 0.8125rem);
  }
  .dense .icon {
    margin-block-start: 2px;
  }
  .dense .status {
    margin: 0;
  }
  .dense .buttons :is(button, .bone) {
    min-block-size: 24px;
    block-size: max(24px, 1.5rem);
    border-radius: 4px;
  }
  /* Dense: one line. */
  @container (max-width: 479px) {
    .dense {
      --_content: max(40px, 2.5rem);
    }
  }
  @container (min-width: 480px) {
    .dense {
      grid-template:
        'icon header status control' minmax(max(24px, 1.5rem), auto)
        '. message message message' auto
        '. meta meta meta' auto
        / var(--_icon-size) minmax(0, 1fr) auto auto;
      align-items: center;
    }
    .dense .icon {
      margin: 0;
    }
    /* Ends where buttons would. */
    .dense.alone .status {
      grid-column-end: -1;
    }
  }

  @media (forced-colors: active) {
    .card {
      border-color: CanvasText;
    }
    .attention::before {
      background: CanvasText;
      forced-color-adjust: none;
    }
    .attention .word {
      font-weight: 700;
      text-decoration: underline;
    }
  }
  @media print {
    .card {
      content-visibility: visible;
      break-inside: avoid;
      box-shadow: none;
    }
    .name {
      white-space: normal;
    }
    .message p {
      display: block;
    }
    .card .foot {
      min-block-size: 0;
    }
    .details {
      display: none;
    }
    /* "3 min ago" means nothing on paper. */
    time[title] {
      font-size: 0;
    }
    time::before,
    time::after {
      font-size: max(13px, 0.8125rem);
    }
    time::after {
      content: attr(title);
    }
  }
`

import { css } from 'lit'
import type { CSSResult } from 'lit'

/**
 * A 4 px grid; name, status and everything below share one left edge. Calm when all is well: only the icon and the
 * status word are coloured, a problem adds a rounded edge (drawn, not a border, which would shift the text).
 */
export const cardStyles: CSSResult = css`
  :host {
    display: block;
    min-inline-size: 200px;
    container-type: inline-size;
    content-visibility: auto;
    contain-intrinsic-size: auto 280px auto 142px;
    overflow-clip-margin: 8px;
    text-align: start;
  }
  :host([density='compact']) {
    contain-intrinsic-block-size: auto 68px;
  }
  :host([density='dense']) {
    contain-intrinsic-block-size: auto 42px;
  }
  .card {
    position: relative;
    box-sizing: border-box;
    /* In a row of cards all are as high as the highest. */
    block-size: 100%;
    display: grid;
    grid-template:
      'icon header header' auto
      '. status status' auto
      '. message message' 1fr
      '. foot foot' auto
      / var(--_icon-size) minmax(0, 1fr) auto;
    column-gap: var(--_gap);
    padding: var(--_padding);
    border: 1px solid var(--_border);
    border-radius: var(--_radius);
    background: var(--_surface);
    box-shadow: var(--_shadow);
    font-size: 13px;
    line-height: 18px;
    font-weight: 400;
    letter-spacing: normal;
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
  .icon {
    grid-area: icon;
    align-self: start;
    inline-size: var(--_icon-size);
    block-size: var(--_icon-size);
    color: var(--_tone);
    transition: color var(--_transition);
  }
  .header {
    grid-area: header;
    display: flex;
    align-items: flex-start;
    gap: 8px;
    min-inline-size: 0;
  }
  .name {
    flex: 1;
    min-inline-size: 0;
    margin: 0;
    overflow: hidden;
    font-weight: 600;
    font-size: var(--_font-size);
    line-height: 20px;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .name a {
    color: inherit;
    text-decoration: none;
  }
  .name a::after {
    content: '';
    position: absolute;
    inset: 0;
    border-radius: var(--_radius);
  }
  .name a:hover {
    text-decoration: underline;
    text-underline-offset: 3px;
  }
  .name a:focus-visible {
    outline: none;
  }
  .name a:focus-visible::after {
    outline: 2px solid var(--_focus);
    outline-offset: -2px;
  }
  .linked :is(button, details, ::slotted(*)) {
    z-index: 1;
  }
  ::slotted([slot='actions']),
  ::slotted([slot='meta']),
  ::slotted([slot='footer']) {
    position: relative;
  }
  .status {
    grid-area: status;
    display: flex;
    flex-wrap: wrap;
    column-gap: 6px;
    min-block-size: 20px;
    margin: 2px 0 0;
    line-height: 20px;
  }
  .word {
    color: var(--_tone);
    font-weight: 500;
    font-size: 14px;
    transition: color var(--_transition);
  }
  .tone-neutral .word {
    color: var(--_text);
  }
  .time {
    color: var(--_muted);
    font-variant-numeric: tabular-nums;
    white-space: nowrap;
  }
  .time::before {
    content: '·' / '';
    margin-inline-end: 6px;
  }
  .message {
    grid-area: message;
    min-block-size: 18px;
    margin: 4px 0 0;
    color: var(--_muted);
    overflow-wrap: anywhere;
  }
  .message p {
    display: -webkit-box;
    margin: 0;
    overflow: hidden;
    -webkit-box-orient: vertical;
    -webkit-line-clamp: 2;
  }
  .message .problem {
    color: var(--_negative);
  }
  .message .retry {
    margin-block-start: 4px;
  }
  details {
    position: relative;
  }
  summary {
    inline-size: fit-content;
    border-radius: 4px;
    color: var(--_muted);
    cursor: pointer;
    text-decoration: underline;
    text-decoration-color: var(--_border);
    text-underline-offset: 3px;
    list-style: none;
  }
  summary::-webkit-details-marker {
    display: none;
  }
  summary:focus-visible {
    outline: 2px solid var(--_focus);
    outline-offset: 2px;
  }
  code {
    display: block;
    margin-block-start: 4px;
    font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace;
    font-size: 12px;
    line-height: 16px;
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
  .meta {
    /* A line of its own rather than a word in pieces. */
    flex: 1 1 max-content;
    min-inline-size: 0;
    color: var(--_muted);
    overflow-wrap: break-word;
  }
  .bare .foot,
  .bare .meta {
    display: none;
  }

  /* What is shown is what was last known. */
  .dimmed .icon,
  .dimmed .word {
    filter: saturate(0.4);
  }

  .bone {
    display: inline-block;
    block-size: 10px;
    border-radius: 4px;
    background: var(--_border);
    vertical-align: middle;
  }
  .icon .bone {
    display: block;
    inline-size: 100%;
    block-size: 100%;
    border-radius: 50%;
  }
  .status .bone {
    inline-size: 132px;
    margin-block: 5px;
  }
  .message .bone {
    inline-size: 72%;
  }
  .foot .bone {
    inline-size: 108px;
    block-size: 32px;
    border-radius: 8px;
    opacity: 0.6;
  }
  @media (prefers-reduced-motion: no-preference) {
    .bone {
      animation: breathe 1.8s ease-in-out infinite alternate;
    }
    .entering .icon > svg {
      animation: settle 160ms ease-out;
    }
  }
  @keyframes breathe {
    to {
      opacity: 0.45;
    }
  }
  @keyframes settle {
    from {
      transform: scale(0.9);
    }
  }

  /* Compact: two lines, the button beside them. */
  .compact:not(.busy-text) .message,
  .dense .message {
    min-block-size: 0;
  }
  .compact .message:empty,
  .dense .message:empty {
    display: none;
  }
  @container (min-width: 300px) {
    .compact {
      grid-template-areas:
        'icon header control'
        '. status control'
        '. message message'
        '. meta meta';
      align-items: start;
    }
    .compact .foot {
      display: contents;
    }
    .compact .control,
    .compact .foot > .bone {
      grid-area: control;
      align-self: center;
    }
    .compact .meta {
      grid-area: meta;
      margin-block-start: 4px;
    }
    .compact .meta.empty {
      display: none;
    }
  }

  /* Dense: one line. */
  .dense .name,
  .dense .word {
    font-size: 13px;
  }
  .dense .header {
    align-items: center;
  }
  .dense .icon {
    margin-block-start: 2px;
  }
  .dense .status {
    margin: 0;
  }
  .dense .foot {
    margin-block-start: 4px;
  }
  .dense button {
    min-block-size: 24px;
    padding: 0 8px;
    border-radius: 4px;
  }
  @container (min-width: 420px) {
    .dense {
      grid-template:
        'icon header status control' auto
        '. message message message' auto
        '. meta meta meta' auto
        / var(--_icon-size) minmax(0, 1fr) auto auto;
      align-items: center;
    }
    .dense .icon {
      margin-block-start: 0;
      align-self: center;
    }
    .dense .foot {
      display: contents;
    }
    .dense .control,
    .dense .foot > .bone {
      grid-area: control;
    }
    .dense .meta {
      grid-area: meta;
    }
    .dense .meta.empty {
      display: none;
    }
  }

  @media (forced-colors: active) {
    .card {
      border-color: CanvasText;
      box-shadow: none;
    }
    .attention::before {
      background: Highlight;
      forced-color-adjust: none;
    }
    .attention .word {
      font-weight: 700;
      text-decoration: underline;
    }
    .bone {
      background: GrayText;
    }
  }
  @media print {
    :host {
      content-visibility: visible;
    }
    .card {
      break-inside: avoid;
      box-shadow: none;
    }
    /* "3 min ago" means nothing on paper. */
    .time time {
      font-size: 0;
    }
    .time time::after {
      content: attr(data-full);
      font-size: 13px;
    }
  }
`

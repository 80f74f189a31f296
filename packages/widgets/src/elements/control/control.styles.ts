import { css } from 'lit'
import type { CSSResult } from 'lit'

/** Nothing but the button, and below it what has to be said. */
export const controlStyles: CSSResult = css`
  :host {
    position: relative;
    display: inline-block;
    vertical-align: middle;
    max-inline-size: 100%;
  }
  .buttons,
  .ask {
    justify-content: flex-start;
  }
  .why {
    order: 1;
    flex-basis: 100%;
  }
  .iconic button[part] {
    inline-size: 32px;
    padding: 0;
  }
  .message {
    margin: 4px 0 0;
    color: var(--_muted);
  }
  .message.problem {
    color: var(--_negative);
  }
  .message[hidden] {
    display: none;
  }
  .bone {
    inline-size: 140px;
    block-size: 32px;
    border-radius: 8px;
    opacity: 0.6;
  }
  .square {
    inline-size: 32px;
  }
  :host(:is([density='compact'], [density='dense'])) button {
    min-block-size: 24px;
    padding-block: 0;
    border-radius: 4px;
  }
`

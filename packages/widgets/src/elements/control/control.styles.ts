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
  .iconic :is(button[part], .bone) {
    inline-size: 32px;
    padding: 0;
  }
  .iconic .bone {
    block-size: 32px;
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
  :host(:is([density='compact'], [density='dense'])) :is(button, .bone) {
    min-block-size: 24px;
    padding-block: 0;
    border-radius: 4px;
  }
  :host(:is([density='compact'], [density='dense'])) .bone {
    block-size: max(24px, 1lh + 2px);
  }
  :host(:is([density='compact'], [density='dense'])) .iconic .bone {
    block-size: 24px;
  }
`

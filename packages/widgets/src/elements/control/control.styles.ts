import { css } from 'lit'
import type { CSSResult } from 'lit'

/** The button, and the message below it. */
export const controlStyles: CSSResult = css`
  :host {
    position: relative;
    /* As wide as the wider of button and text, on the line of the words of the button. */
    display: inline-flex;
    flex-direction: column;
    align-items: flex-start;
    max-inline-size: 100%;
  }
  .buttons,
  .ask {
    justify-content: flex-start;
  }
  .iconic :is(.main, .second, .bone) {
    flex: none;
    inline-size: 32px;
    padding: 0;
  }
  /* What shows no words has the line that they would stand on. */
  .iconic :is(.main, .second, .bone)::before {
    content: '\\200b';
    content: '\\200b' / '';
    line-height: 0;
  }
  .iconic .bone {
    --_high: 32px;
  }
  .retry {
    margin-block-start: 4px;
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
  :host(:is([density='compact'], [density='dense'])) button {
    min-block-size: 24px;
    padding-block: 0;
    border-radius: 4px;
  }
  :host(:is([density='compact'], [density='dense'])) .bone {
    border-radius: 4px;
    --_high: max(24px, 1lh + 2px);
  }
  :host(:is([density='compact'], [density='dense'])) .iconic .bone {
    --_high: 24px;
  }
`

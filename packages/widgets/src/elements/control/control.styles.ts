import { css } from 'lit'
import type { CSSResult } from 'lit'

/** Nothing but the button, and below it what has to be said. */
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
  .iconic :is(.main, .second) {
    flex: none;
    inline-size: 32px;
    padding: 0;
  }
  /* A line to stand on for what shows no words. */
  .iconic :is(.main, .second)::before {
    content: '\\200b' / '';
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

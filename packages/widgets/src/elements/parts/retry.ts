import { html } from 'lit'
import type { TemplateResult } from 'lit'
import type { Locale } from '../../locales/locale.ts'

/** The button that tries to reach the server again. Expects the connection's name in `#name` of the same tree. */
export function retryButton(locale: Locale, retry: () => void): TemplateResult {
  return html`<button
    type="button"
    part="retry"
    class="retry"
    id="retry"
    aria-labelledby="retry name"
    .textContent=${locale.retry}
    @click=${retry}
  ></button>`
}

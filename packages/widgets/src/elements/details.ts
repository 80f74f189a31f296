import { html, nothing } from 'lit'
import type { TemplateResult } from 'lit'
import type { Connection } from '@mqtt-status/protocol'
import type { Locale } from '../locales/locale.ts'

/** What the broker said, word for word, and a button that copies what a person who helps will ask for. */
export function details(row: Connection, detail: string, locale: Locale): TemplateResult {
  return html`<details>
    <summary>${locale.details}</summary>
    <code translate="no">${detail}</code>
    ${
      // Only pages served over HTTPS have a clipboard.
      'clipboard' in navigator
        ? html`<button
            type="button"
            class="retry"
            @click=${({ currentTarget }: Event) => {
              void copy(row, currentTarget as HTMLElement, locale.copied)
            }}
          >
            ${locale.copy}
          </button>`
        : nothing
    }
  </details>`
}

async function copy(row: Connection, button: HTMLElement, copied: string): Promise<void> {
  const { id, siteId, status, reason, detail, since } = row
  await navigator.clipboard.writeText(
    JSON.stringify({ id, siteId, status, reason, detail, since }, null, 2),
  )
  button.title = copied
  button.dataset['copied'] = copied
}

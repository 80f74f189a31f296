import { html, nothing } from 'lit'
import type { ReactiveControllerHost, TemplateResult } from 'lit'
import type { Connection } from '@mqtt-status/protocol'
import { toJson } from '../../client/json.ts'
import { announcer } from '../../page/announcer.ts'
import { wakeIn } from '../../page/clock.ts'
import type { Locale } from '../../locales/locale.ts'

/** How long the button shows the result of the click. */
const SHOWN_MS = 2_000

type Host = ReactiveControllerHost & Element

interface Copy {
  /** The row that was copied: the button of a newer row shows no result. */
  readonly row: Connection
  readonly result: 'copied' | 'notCopied'
}

/** The last copy of each element. */
const copies = new WeakMap<Host, Copy>()

/**
 * The broker's own text, and a button that copies what a support engineer needs. They open as a popover over the page, so
 * that neither the card nor the row of cards around it grows. The browser closes it on Escape or a click outside of it.
 * Expects the name in `#name` of the same tree.
 */
export function brokerText(row: Connection, locale: Locale, host: Host): TemplateResult {
  const last = copies.get(host)
  return html`<div class="details">
    <button
      type="button"
      part="details"
      id="details"
      popovertarget="detail"
      aria-labelledby="details name"
      .textContent=${locale.details}
    ></button>
    <div popover id="detail" role="group" aria-labelledby="details name" @beforetoggle=${keepFocus}>
      <code translate="no">${row.detail}</code>
      ${
        // Browsers offer a clipboard only to pages from HTTPS or localhost.
        'clipboard' in navigator
          ? html`<button
              type="button"
              part="copy"
              class="retry"
              id="copy"
              aria-labelledby="copy name"
              @click=${() => {
                void copy(row, locale, host)
              }}
            >
              ${locale[last?.row === row ? last.result : 'copy']}
            </button>`
          : nothing
      }
    </div>
  </div>`
}

/** Chromium returns the focus to the button of a popover in a document, but not in a shadow tree. */
function keepFocus({ newState, currentTarget }: ToggleEvent): void {
  const panel = currentTarget as HTMLElement
  if (newState === 'closed' && panel.matches(':focus-within'))
    (panel.previousElementSibling as HTMLElement).focus()
}

async function copy(row: Connection, locale: Locale, host: Host): Promise<void> {
  const { id, siteId, status, reason, detail, since } = row
  const text = toJson({ id, siteId, status, reason, detail, since }, 2)
  // The page's policy, or the viewer, may forbid writing to the clipboard.
  const result = await written(text).then(
    () => 'copied' as const,
    () => 'notCopied' as const,
  )
  const last = { row, result }
  copies.set(host, last)
  host.requestUpdate()
  announcer().say(locale[result], locale.code, { from: host })
  wakeIn(SHOWN_MS, () => {
    if (copies.get(host) === last) copies.delete(host)
    host.requestUpdate()
  })
}

/** Rejects also where `writeText` throws. */
async function written(text: string): Promise<void> {
  await navigator.clipboard.writeText(text)
}

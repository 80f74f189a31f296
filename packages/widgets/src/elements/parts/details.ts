import { html, nothing } from 'lit'
import type { ReactiveControllerHost, TemplateResult } from 'lit'
import type { Connection } from '@mqtt-status/protocol'
import { toJson } from '../../client/json.ts'
import { announcer } from '../../page/announcer.ts'
import { wakeIn } from '../../page/clock.ts'
import type { Locale } from '../../locales/locale.ts'

/** How long the button says what has become of the click. */
const SHOWN_MS = 2_000

type Host = ReactiveControllerHost & Element

interface Copy {
  /** What was copied: of any newer row there is nothing to say. */
  readonly row: Connection
  readonly result: 'copied' | 'notCopied'
}

/** The last one, by the element that it was made in. */
const copies = new WeakMap<Host, Copy>()

/**
 * What the broker said, word for word, and a button that copies what a person who helps will ask for. It opens as a popover,
 * over the page, so that neither its card nor the row of cards around it grows. The browser closes it with Escape or a
 * click beside it. Expects the name in `#name` of the same tree.
 */
export function details(row: Connection, locale: Locale, host: Host): TemplateResult {
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
        // Only pages served over HTTPS have a clipboard.
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
  // The page, or the person, may have forbidden it.
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

/** Rejects also where the clipboard throws. */
async function written(text: string): Promise<void> {
  await navigator.clipboard.writeText(text)
}

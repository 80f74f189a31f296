import { html, nothing } from 'lit'
import type { TemplateResult } from 'lit'
import type { Locale } from '../locales/locale.ts'
import type { Scene } from './scene.ts'

/** The status word. */
export function word({ row, appearance }: Scene, locale: Locale): TemplateResult {
  const look = appearance?.look ?? 'unknown'
  // A status that only a newer server knows is told in its own word.
  const own = look === 'unknown' && row && row.status !== 'unknown' ? row.status : nothing
  return html`<span class="word" title=${own}>${locale.look[look]}</span>`
}

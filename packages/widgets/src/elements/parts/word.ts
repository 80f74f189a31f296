import { nothing } from 'lit'
import type { Locale } from '../../locales/locale.ts'
import type { Scene } from '../scene/scene.ts'

/** The status word, and its tooltip: for a status that only a newer server knows, the tooltip is the server's own word. */
export function word(
  { kind, row, appearance }: Scene,
  locale: Locale,
): readonly [text: string, title: string | typeof nothing] {
  if (kind === 'loading') return [locale.loading, nothing]
  const look = appearance?.look ?? 'unknown'
  return [
    locale.look[look],
    look === 'unknown' && row && row.status !== look ? row.status : nothing,
  ]
}

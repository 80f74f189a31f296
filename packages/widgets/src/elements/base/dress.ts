/**
 * The style sheets of a shadow root. A constructed sheet belongs to the document it was made in: in an iframe or a popup
 * a root takes sheets of that document. Where there are none, `<style>` elements do.
 */
import type { CSSResult, CSSResultOrNative } from 'lit'

const sheets = new WeakMap<Document, Map<CSSResultOrNative, CSSStyleSheet>>()
const tags = new WeakMap<ShadowRoot, readonly HTMLStyleElement[]>()
/** The sheet that could not be made is empty, and Lit keeps it: it is not asked for again. */
let isWithoutSheets = false

/** Gives a root these style sheets and no others. */
export function dress(root: ShadowRoot, styles: readonly CSSResultOrNative[]): void {
  for (const tag of tags.get(root) ?? []) tag.remove()
  tags.delete(root)
  const { ownerDocument } = root
  if (isAdopted(root, ownerDocument, styles)) return
  const made = styles.map((style) => tagIn(ownerDocument, style))
  tags.set(root, made)
  root.prepend(...made)
}

function isAdopted(
  root: ShadowRoot,
  owner: Document,
  styles: readonly CSSResultOrNative[],
): boolean {
  if (owner === document && isWithoutSheets) return false
  try {
    root.adoptedStyleSheets = styles.map((style) => sheetIn(owner, style))
    // Without support the assignment has made a property that means nothing.
    return 'adoptedStyleSheets' in owner
  } catch {
    // The document has no window, or its window makes no sheets.
    if (owner === document) isWithoutSheets = true
    return false
  }
}

function sheetIn(owner: Document, style: CSSResultOrNative): CSSStyleSheet {
  const own = owner === document ? (style as CSSResult).styleSheet : undefined
  if (own) return own
  const known = sheets.get(owner) ?? new Map<CSSResultOrNative, CSSStyleSheet>()
  sheets.set(owner, known)
  const found = known.get(style)
  if (found) return found
  const { CSSStyleSheet: Sheet } = owner.defaultView as Window & typeof globalThis
  const made = new Sheet()
  made.replaceSync((style as CSSResult).cssText)
  known.set(style, made)
  return made
}

function tagIn(owner: Document, style: CSSResultOrNative): HTMLStyleElement {
  const tag = owner.createElement('style')
  tag.textContent = (style as CSSResult).cssText
  return tag
}

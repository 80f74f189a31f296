/**
 * The style sheets of a shadow root. A constructed sheet belongs to the document that made it: in an iframe or a popup a
 * root adopts sheets of that document. Where sheets can't be constructed, `<style>` elements replace them.
 */
import type { CSSResult, CSSResultOrNative } from 'lit'

const sheets = new WeakMap<Document, Map<CSSResultOrNative, CSSStyleSheet>>()
const tags = new WeakMap<ShadowRoot, readonly HTMLStyleElement[]>()
/** Set once the document could not construct a sheet: Lit keeps the empty sheet, which must not be adopted. */
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
    // Without support the assignment has only made an ordinary property.
    return 'adoptedStyleSheets' in owner
  } catch {
    // The document has no window, or its window can't construct sheets.
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

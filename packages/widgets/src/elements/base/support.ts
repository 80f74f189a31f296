/** The browser features that elements need, and those that they can do without. */

/** The features without which elements can't be defined. On a server, without a document, nothing is missing. */
export function missingFeatures(): readonly string[] {
  if (typeof document === 'undefined') return []
  const { attachShadow } = Element.prototype as Partial<Element>
  return [
    attachShadow ? null : 'shadow roots',
    // jsdom and similar imitations have no `CSS.supports`: there the features count as present.
    styles('selector(:state(x))') ? null : ':state()',
    styles('(color: light-dark(red, red))') ? null : 'light-dark()',
  ].filter((name) => name !== null)
}

function styles(condition: string): boolean {
  try {
    const { CSS: known } = globalThis as { CSS?: Partial<typeof CSS> }
    return known?.supports?.(condition) ?? true
  } catch {
    return true
  }
}

/** The set behind `:state()`; an ordinary set where the browser has none. */
export function statesOf(element: HTMLElement): Set<string> {
  try {
    const { states } = element.attachInternals() as Partial<ElementInternals>
    return states ?? new Set()
  } catch {
    return new Set()
  }
}

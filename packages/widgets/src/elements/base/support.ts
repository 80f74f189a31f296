/** What elements need of a browser, and what they do without. */

/** What is missing for the elements to be defined. Where there is no page, and no style sheet, nothing is. */
export function missingFeatures(): readonly string[] {
  if (typeof document === 'undefined') return []
  const { attachShadow } = Element.prototype as Partial<Element>
  return [
    attachShadow ? null : 'shadow roots',
    // Not all that imitates a browser in tests knows style sheets; there nobody sees them.
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

/** The set that `:state()` reads, or one that nothing reads. */
export function statesOf(element: HTMLElement): Set<string> {
  try {
    const { states } = element.attachInternals() as Partial<ElementInternals>
    return states ?? new Set()
  } catch {
    return new Set()
  }
}

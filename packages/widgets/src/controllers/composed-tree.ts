const found = new Map<string, Element | null>()

/**
 * Like `document.querySelector`, but it looks only once for all elements that ask before anything else happens: where
 * there is nothing to find it has to look at the whole page.
 */
export function firstOnPage(selector: string): Element | null {
  if (found.size === 0) {
    queueMicrotask(() => {
      found.clear()
    })
  }
  if (!found.has(selector)) found.set(selector, document.querySelector(selector))
  return found.get(selector) ?? null
}

/** Like `Element.closest`, but it also looks outside of shadow roots. */
export function closest(from: Element, selector: string): Element | null {
  let element: Element | null = from
  while (element) {
    const nearest: Element | null = element.closest(selector)
    if (nearest) return nearest
    const root = element.getRootNode()
    element = root instanceof ShadowRoot ? root.host : null
  }
  return null
}

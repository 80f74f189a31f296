/** Like `Element.closest`, but it also looks outside of shadow roots. */
export function closest(from: Element, selector: string): Element | null {
  let element: Element | null = from
  while (element) {
    const found: Element | null = element.closest(selector)
    if (found) return found
    const root = element.getRootNode()
    element = root instanceof ShadowRoot ? root.host : null
  }
  return null
}

/** Like `Element.closest`, but it also searches outside of shadow roots. @param pass is called with each root it searches */
export function closest(
  from: Element,
  selector: string,
  pass?: (root: Node) => void,
): Element | null {
  let element: Element | null = from
  while (element) {
    const root = element.getRootNode()
    pass?.(root)
    const found: Element | null = element.closest(selector)
    if (found) return found
    element = hostOf(root)
  }
  return null
}

/** The element that a shadow root belongs to. Roots of an iframe or a popup are no instances of this window's class. */
export function hostOf(root: Node): Element | null {
  return (root as Partial<ShadowRoot>).host ?? null
}

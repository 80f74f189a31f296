import type { ReactiveControllerHost } from 'lit'

type Host = ReactiveControllerHost & HTMLElement

/** The text inside an element, which becomes its name if there is no other. */
export class OwnText {
  readonly #host: Host
  #observer: MutationObserver | null = null

  constructor(host: Host) {
    this.#host = host
  }

  /** The text that belongs to a slot, by default to the unnamed one. */
  of(slot: string = ''): string {
    let text = ''
    for (let node = this.#host.firstChild; node; node = node.nextSibling) {
      // By type, because nodes of an iframe or a popup are no instances of this window's classes.
      const isSlotted =
        node.nodeType === Node.ELEMENT_NODE ? (node as Element).slot === slot : !slot
      // Frameworks leave comments behind.
      if (isSlotted && node.nodeType !== Node.COMMENT_NODE) text += node.textContent ?? ''
    }
    return text.trim()
  }

  /**
   * Requests an update of the element whenever its text changes, as long as the element shows it. Frameworks change the
   * text of a node, for which browsers dispatch no `slotchange`.
   */
  observe(isShown: boolean): void {
    if (isShown === !!this.#observer) return
    this.#observer?.disconnect()
    this.#observer = null
    if (!isShown) return
    this.#observer = new MutationObserver(() => {
      this.#host.requestUpdate()
    })
    this.#observer.observe(this.#host, { characterData: true, childList: true, subtree: true })
  }
}

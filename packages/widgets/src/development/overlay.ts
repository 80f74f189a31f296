/** Shows mistakes inside the element that has them, in development builds only. */
import { StatusElement } from '../elements/base/element.ts'
import type { Inspected } from '../elements/base/element.ts'
import { mistakesOf } from './mistakes.ts'

/** Style properties pass a strict content security policy and work in every document. */
const BOX = {
  margin: '4px 0 0',
  padding: '8px 12px',
  border: '1px dashed #b4232c',
  borderRadius: '8px',
  background: 'Canvas',
  color: 'CanvasText',
  font: '12px/16px system-ui, sans-serif',
  whiteSpace: 'normal',
}
const LINE = { margin: '0 0 6px' }
const TITLE = { color: '#b4232c' }

const shown = new WeakMap<Element, string>()

/** Makes every element show its mistakes. */
export function installOverlay(): void {
  StatusElement.inspect = inspect
}

function inspect(element: StatusElement, inspected: Inspected): void {
  const mistakes = mistakesOf(element, inspected)
  const key = mistakes.map(({ what }) => what).join()
  if ((shown.get(element) ?? '') === key) return
  shown.set(element, key)
  const root = element.shadowRoot
  root?.querySelector('.mistakes')?.remove()
  if (!root || mistakes.length === 0) return
  const box = styled('div', BOX)
  box.className = 'mistakes'
  for (const { what, why, fix } of mistakes) {
    const line = styled('p', LINE)
    const title = styled('b', TITLE)
    title.textContent = what
    line.append(title, ` ${why} `, fix)
    box.append(line)
    // eslint-disable-next-line no-console -- the console is where developers look
    console.warn(`mqtt-status: ${what} ${why} ${fix}`, element)
  }
  root.append(box)
}

function styled(name: 'div' | 'p' | 'b', style: object): HTMLElement {
  const element = document.createElement(name)
  Object.assign(element.style, style)
  return element
}

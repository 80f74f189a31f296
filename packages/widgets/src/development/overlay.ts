/** Says in the element itself what is wrong with it. Only in development builds; never in what visitors load. */
import { StatusElement } from '../elements/element.ts'
import type { Inspected } from '../elements/element.ts'
import { mistakesOf } from './mistakes.ts'

const STYLE = `
  .mistakes { margin: 4px 0 0; padding: 8px 12px; border: 1px dashed #b4232c; border-radius: 8px;
    background: Canvas; color: CanvasText; font: 12px/16px system-ui, sans-serif; white-space: normal }
  .mistakes b { color: #b4232c }
  .mistakes p { margin: 0 }
  .mistakes p + p { margin-block-start: 6px }
`

let sheet: CSSStyleSheet | null = null
const shown = new WeakMap<Element, string>()

/** Lets every element say what is wrong with it. */
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
  const box = document.createElement('div')
  box.className = 'mistakes'
  for (const { what, why, fix } of mistakes) {
    const line = document.createElement('p')
    const title = document.createElement('b')
    title.textContent = what
    line.append(title, ` ${why} `, fix)
    box.append(line)
    // eslint-disable-next-line no-console -- the console is where developers look
    console.warn(`mqtt-status: ${what} ${why} ${fix}`, element)
  }
  root.append(box)
  sheet ??= makeSheet()
  if (!root.adoptedStyleSheets.includes(sheet)) root.adoptedStyleSheets.push(sheet)
}

function makeSheet(): CSSStyleSheet {
  const made = new CSSStyleSheet()
  made.replaceSync(STYLE)
  return made
}

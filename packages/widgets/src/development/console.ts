/** What the single file says to developers, who see no overlay: each mistake once per page, in the console. */
import { StatusElement } from '../elements/base/element.ts'
import { linkMistake } from './link-mistakes.ts'

const told = new Set<string>()

/** Lets the console say why a page gets nothing from its server. */
export function installWarnings(): void {
  StatusElement.inspect = (_element, inspected) => {
    const mistake = linkMistake(inspected)
    if (!mistake || told.has(mistake.what)) return
    told.add(mistake.what)
    // eslint-disable-next-line no-console -- the console is where developers look
    console.warn(`mqtt-status: ${mistake.what} ${mistake.why} ${mistake.fix}`)
  }
}

/** The warnings of the single file, which has no overlay: each mistake once per page, in the console. */
import { StatusElement } from '../elements/base/element.ts'
import { linkMistake } from './link-mistakes.ts'

const warned = new Set<string>()

/** Makes the elements warn in the console when a page gets no rows from its server. */
export function installWarnings(): void {
  StatusElement.inspect = (_element, inspected) => {
    const mistake = linkMistake(inspected)
    if (!mistake || warned.has(mistake.what)) return
    warned.add(mistake.what)
    // eslint-disable-next-line no-console -- the console is where developers look
    console.warn(`mqtt-status: ${mistake.what} ${mistake.why} ${mistake.fix}`)
  }
}

/** Reads `--desired-map`: what a program writes into the column of `--desired` for each of the two wishes. */
import { DESIRED } from '@mqtt-status/protocol'
import type { Desired } from '@mqtt-status/protocol'

export type DesiredWords = Readonly<Record<Desired, string>>

const EXAMPLE = '--desired-map connected=true --desired-map disconnected=false'

/** @returns `null` where there is a fault, which is added to `faults` */
export function parseDesiredMap(texts: readonly string[], faults: string[]): DesiredWords | null {
  const before = faults.length
  const words: Partial<Record<Desired, string>> = {}
  for (const text of texts) {
    const at = text.indexOf('=')
    const [name, word] = [text.slice(0, Math.max(0, at)).trim(), text.slice(at + 1)]
    const wish = DESIRED.find((known) => known === name)
    if (wish === undefined)
      faults.push(
        `--desired-map: found "${text}", expected connected=word or disconnected=word, like ${EXAMPLE}.`,
      )
    else if (words[wish] !== undefined && words[wish] !== word)
      faults.push(`--desired-map: ${wish} is "${words[wish]}" and "${word}"; leave one out.`)
    else words[wish] = word
  }
  const { connected, disconnected } = words
  if (connected === undefined || disconnected === undefined) {
    const missing = DESIRED.filter((wish) => words[wish] === undefined).join(' and ')
    faults.push(
      `--desired-map: ${missing} is missing. Name what your program writes for both wishes, like ${EXAMPLE}.`,
    )
    return null
  }
  faults.push(...sameWords({ connected, disconnected }))
  return faults.length > before ? null : { connected, disconnected }
}

/** The fault of two wishes with the same word. */
export function sameWords({ connected, disconnected }: DesiredWords): string[] {
  if (connected !== disconnected) return []
  return [
    `--desired-map: connected and disconnected are both "${connected}", so no value would say which is meant. Name two values.`,
  ]
}

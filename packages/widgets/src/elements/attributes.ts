/** Attributes are text that anybody may have written: what is not understood means the default. */

/** Reads one of a few words. */
export function oneOf<T extends string>(
  words: readonly [T, ...T[]],
  text: string | null,
  attribute: string,
): T {
  const found = words.find((word) => word === text)
  if (found === undefined && text) warn(`${attribute}="${text}" is none of ${words.join(', ')}`)
  return found ?? words[0]
}

/** Reads a list separated by commas or spaces. */
export function words(text: string | null): readonly string[] {
  return text?.split(/[\s,]+/).filter(Boolean) ?? []
}

const warned = new Set<string>()

/** Warns once, and only where the page runs Lit's development build. */
function warn(message: string): void {
  if (!('litIssuedWarnings' in globalThis) || warned.has(message)) return
  warned.add(message)
  // eslint-disable-next-line no-console -- the console is where developers look
  console.warn(`mqtt-status: ${message}. See the documentation of the element.`)
}

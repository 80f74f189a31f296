/** Languages of the page's own may lack what came later: an element without a word must not break. */

type Texts = Readonly<Record<string, unknown>>

/** The same texts, with those of the other language where there are none, or none of the kind. */
export interface Completed<T> {
  readonly texts: T
  /** What was taken from the other language, by its path: `link.stale`. */
  readonly missing: readonly string[]
}

/** Fills up what is missing, also inside of groups. The same object comes back if nothing is. */
export function complete<T extends object>(given: object, base: T): Completed<T> {
  const missing: string[] = []
  const texts = filled({ given: given as Texts, base: base as Texts, path: '' }, missing)
  return { texts: (missing.length === 0 ? given : texts) as T, missing }
}

/** The keys that no language knows, by their path. */
export function unknownKeys(given: object, known: object, path = ''): readonly string[] {
  return Object.entries(given).flatMap(([key, text]) => {
    const counterpart = (known as Texts)[key]
    if (counterpart === undefined) return [path + key]
    return isGroup(text) && isGroup(counterpart)
      ? unknownKeys(text, counterpart, `${path}${key}.`)
      : []
  })
}

interface Pair {
  readonly given: Texts
  readonly base: Texts
  readonly path: string
}

function filled({ given, base, path }: Pair, missing: string[]): Texts {
  const result: Record<string, unknown> = { ...given }
  for (const [key, fallback] of Object.entries(base)) {
    const text = given[key]
    if (isGroup(fallback) && isGroup(text))
      result[key] = filled({ given: text, base: fallback, path: `${path}${key}.` }, missing)
    else if (!fits(text, fallback)) {
      result[key] = fallback
      missing.push(path + key)
    }
  }
  return result
}

/** Forms of one word by number are one text, not a group of them. */
function isGroup(text: unknown): text is Texts {
  return typeof text === 'object' && text !== null && !('other' in text)
}

function fits(text: unknown, fallback: unknown): boolean {
  if (isGroup(fallback)) return false
  if (typeof fallback === 'function') return typeof text === 'function'
  return typeof text === 'string' || (typeof text === 'object' && text !== null && !isGroup(text))
}

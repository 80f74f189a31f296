/** Completes a language of the page, which may lack texts that later versions added. */

type Texts = Readonly<Record<string, unknown>>

/** The texts, with those of the other language where they are missing or of another type. */
export interface Completed<T> {
  readonly texts: T
  /** The texts of the other language that were added, by their path: `link.stale`. */
  readonly missing: readonly string[]
}

/** Adds missing texts, also inside of groups. Returns the same object if none is missing. */
export function complete<T extends object>(given: object, base: T): Completed<T> {
  const missing: string[] = []
  const texts = filled({ given: given as Texts, base: base as Texts, path: '' }, missing)
  return { texts: (missing.length === 0 ? given : texts) as T, missing }
}

/** The keys that the other language lacks, by their path. */
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

/** The plural forms of one word count as one text. */
function isGroup(text: unknown): text is Texts {
  return typeof text === 'object' && text !== null && !('other' in text)
}

function fits(text: unknown, fallback: unknown): boolean {
  if (isGroup(fallback)) return false
  if (typeof fallback === 'function') return typeof text === 'function'
  return typeof text === 'string' || (typeof text === 'object' && text !== null && !isGroup(text))
}

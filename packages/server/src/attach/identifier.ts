/** Names of tables and columns as people write them at a prompt: `shop.sites`, `"Site Id"`, `s.title`. */

/** One part of a name. Postgres folds a part without quotes to lower case. */
export interface NamePart {
  readonly text: string
  readonly isQuoted: boolean
}

const PART = /(?:"((?:[^"]|"")+)"|([^\s".]+))(?:\.|$)/y

/** @returns `null` where the text is no name */
export function parseName(text: string): readonly NamePart[] | null {
  const parts: NamePart[] = []
  const given = text.trim()
  PART.lastIndex = 0
  let end = 0
  while (end < given.length) {
    const found = PART.exec(given)
    if (found === null) return null
    const [, quoted, plain = ''] = found
    const isQuoted = quoted !== undefined
    parts.push({ text: isQuoted ? quoted.replaceAll('""', '"') : plain, isQuoted })
    end = PART.lastIndex
  }
  return parts.length === 0 || given.endsWith('.') ? null : parts
}

/**
 * The one of the known names that the part means: the same letters, or for a part without quotes the same letters in lower
 * case.
 */
export function findName({ text, isQuoted }: NamePart, known: readonly string[]): string | null {
  if (known.includes(text)) return text
  const folded = text.toLowerCase()
  return !isQuoted && known.includes(folded) ? folded : null
}

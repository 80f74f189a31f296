/** Settings and labels have at most four levels. */
const MAX_DEPTH = 8

/**
 * Finds what Postgres can't store or a recursive function can't walk through: NUL characters, halves of surrogate pairs,
 * deep nesting. They are a fault of the body, not of a field.
 *
 * @returns what is wrong, `null` if nothing is
 */
export function unstorable(body: unknown): string | null {
  const waiting: { value: unknown; depth: number }[] = [{ value: body, depth: 0 }]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { value, depth } = next
    if (depth > MAX_DEPTH) return `expected ${MAX_DEPTH} levels at most`
    if (typeof value === 'string' && !isStorable(value)) return UNSTORABLE_TEXT
    if (typeof value !== 'object' || value === null) continue
    if (!Object.keys(value).every(isStorable)) return UNSTORABLE_TEXT
    for (const part of Object.values(value) as unknown[])
      waiting.push({ value: part, depth: depth + 1 })
  }
  return null
}

const UNSTORABLE_TEXT = 'expected texts without NUL characters and halves of surrogate pairs'

function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0')
}

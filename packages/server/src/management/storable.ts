/** The settings and labels have few levels; what has more is meant to break something. */
const MAX_DEPTH = 8

/**
 * What is in a body that the database could not store, or nobody could walk through: NUL characters, halves of surrogate
 * pairs, endless nesting. Those are told apart from other faults because they concern no field in particular.
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

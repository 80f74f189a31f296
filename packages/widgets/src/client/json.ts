/**
 * The JSON of a value, without calling `toJSON`: Prototype.js 1.6 and others define it for arrays and
 * strings, and `JSON.stringify` would send text in the place of a list.
 */
export function toJson(value: unknown, indent?: number): string {
  return JSON.stringify(bare(value), null, indent)
}

/** A copy in which nothing has a prototype, and so no method either. */
function bare(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  const copy: unknown[] | Record<string, unknown> = Array.isArray(value) ? [] : {}
  Object.setPrototypeOf(copy, null)
  for (const [key, inner] of Object.entries(value))
    (copy as Record<string, unknown>)[key] = bare(inner)
  return copy
}

/** A property as text: frameworks set properties to any value of a template, for example a number. */
export function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
}

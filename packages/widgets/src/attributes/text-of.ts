/** A property as text: frameworks set properties to whatever a template has, numbers for example. */
export function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
}

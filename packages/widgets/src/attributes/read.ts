/** Reads attributes that hold something else than one of a few words (see words.ts). */

/** Reads a flag. Frameworks and templates write the text `false` where they mean that an attribute is absent. */
export function isOn(value: unknown): boolean {
  return typeof value === 'string' ? value.trim().toLowerCase() !== 'false' : Boolean(value)
}

/** Reads a list separated by commas or spaces. */
export function words(text: string | null | undefined): readonly string[] {
  return text?.split(/[\s,]+/).filter(Boolean) ?? []
}

/** Returns an address of http or https; `null` for `javascript:` and other schemes, and for what can't be parsed. */
export function safeHref(href: string | null | undefined): string | null {
  try {
    const { protocol } = new URL(href ?? '', document.baseURI)
    return href && (protocol === 'http:' || protocol === 'https:') ? href : null
  } catch {
    return null
  }
}

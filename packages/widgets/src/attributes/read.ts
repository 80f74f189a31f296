/** Reads attributes that hold something else than one of a few words (see words.ts). */

/** Frameworks and templates also write `false` where they mean that an attribute is absent; so may a property. */
export function isOn(value: unknown): boolean {
  return typeof value === 'string' ? value.trim().toLowerCase() !== 'false' : Boolean(value)
}

/** Reads a list separated by commas or spaces. */
export function words(text: string | null | undefined): readonly string[] {
  return text?.split(/[\s,]+/).filter(Boolean) ?? []
}

/** A link that runs script instead of leading somewhere is left out, and so is what is no address. */
export function safeHref(href: string | null | undefined): string | null {
  try {
    const { protocol } = new URL(href ?? '', document.baseURI)
    return href && (protocol === 'http:' || protocol === 'https:') ? href : null
  } catch {
    return null
  }
}

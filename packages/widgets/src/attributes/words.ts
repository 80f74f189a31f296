/**
 * The attributes whose value is one of a few words. From this table come the types of properties and templates, the
 * manifest, the warnings of development builds and the lists of the catalogue.
 */

/** The words of each attribute. The first one is the default: every other text means the same as it does. */
export const WORDS = {
  theme: ['auto', 'light', 'dark'],
  density: ['comfortable', 'compact', 'dense'],
  announce: ['problems', 'all', 'off'],
  time: ['relative', 'absolute', 'both'],
  controls: ['auto', 'show', 'none'],
  confirm: ['none', 'disconnect', 'all'],
  variant: ['label', 'icon', 'dot', 'text'],
  size: ['m', 's', 'l'],
  action: ['auto', 'connect', 'disconnect', 'reconnect'],
  transport: ['auto', 'ws', 'sse', 'poll'],
  share: ['page', 'tabs'],
} as const

/** An attribute that takes one of a few words. */
export type WordAttribute = keyof typeof WORDS

/** The words that an attribute takes. */
export type Word<Name extends WordAttribute> = (typeof WORDS)[Name][number]

/** A property of the same name: `null` and `undefined` mean that it is not set. */
export type WordProperty<Name extends WordAttribute> = Word<Name> | null | undefined

/** What `hide` may list. */
export const HIDDEN = ['time', 'reason', 'meta'] as const

/** The levels that make the name of a card a heading. */
export const HEADING_LEVELS = [2, 3, 4, 5, 6] as const

export type HeadingLevel = (typeof HEADING_LEVELS)[number]

/** @param text what a page has written, which may be anything */
export function wordOf<Name extends WordAttribute>(name: Name, text: unknown): Word<Name> {
  const words: readonly Word<Name>[] = WORDS[name]
  return words.find((word) => word === text) ?? WORDS[name][0]
}

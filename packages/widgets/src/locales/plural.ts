/** Which form of a word follows a number. */
import type { Counted } from './locale.ts'

const rules = new Map<string, Intl.PluralRules>()

/** A number with its word: `1 connessa`, `3 connesse`. */
export function count(number: number, word: Counted, tag: string): string {
  if (typeof word === 'string') return `${number} ${word}`
  let rule = rules.get(tag)
  if (!rule) rules.set(tag, (rule = new Intl.PluralRules(tag)))
  return `${number} ${word[rule.select(number)] ?? word.other}`
}

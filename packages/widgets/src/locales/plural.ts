/** Which form of a word follows a number. */
import type { Counted } from './locale.ts'

const rules = new Map<string, Intl.PluralRules>()

/** A number with its word: `1 connessa`, `3 connesse`. */
export function count(number: number, word: Counted, tag: string): string {
  if (typeof word === 'string') return `${number} ${word}`
  return `${number} ${word[categoryOf(number, tag)] ?? word.other}`
}

/** Where the browser lacks the plural rules, 1 is `one`, and every other number is `other`. */
function categoryOf(number: number, tag: string): Intl.LDMLPluralRule {
  try {
    let rule = rules.get(tag)
    if (!rule) rules.set(tag, (rule = new Intl.PluralRules(tag)))
    return rule.select(number)
  } catch {
    return number === 1 ? 'one' : 'other'
  }
}

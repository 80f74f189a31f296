import { complete, unknownKeys } from './fill-missing.ts'
import { en } from './en.ts'
import type { Locale } from './locale.ts'

/** Built-in languages that pages load on demand; until one has loaded, the next wanted language is used. */
const BUILT_IN: Readonly<Record<string, () => Promise<Locale>>> = {
  it: () => import('./it.ts').then(({ it }) => it),
}

const ENGLISH: Language = { locale: en, tag: en.code }
const locales = new Map([[en.code, en]])
const loading = new Set<string>()
const listeners = new Set<() => void>()
const chosen = new Map<string, Language>()

/**
 * Makes a language available to all elements, also to those on the page; English and Italian are built in. A text that the
 * language lacks is shown in English, and the console names it.
 */
export function registerLocale(locale: Locale): void {
  const { texts, missing } = complete(locale, en)
  if (missing.length > 0) {
    // eslint-disable-next-line no-console -- the author of the language has to learn of it
    console.warn(
      `mqtt-status: the locale ${locale.code} lacks ${missing.join(', ')}; English is said instead.`,
    )
  }
  locales.set(locale.code.toLowerCase(), texts)
  chosen.clear()
  for (const listener of [...listeners]) listener()
}

/** The keys of these texts that `Locale` lacks, by their path. */
export function unknownStrings(strings: Strings): readonly string[] {
  return unknownKeys(strings, en)
}

/** Calls the listener after each registration of a language. */
export function onLocale(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** A language and the tag that numbers and dates are formatted for. */
export interface Language {
  readonly locale: Locale
  /** The wanted tag with its region, for example `it-CH`, with the words of `it`. */
  readonly tag: string
}

/** Texts of the page, each of which replaces a built-in one. */
export type Strings = SomeStrings<Locale>

/** Any of the texts, in groups of any depth; the forms of one word by number stay together. */
export type SomeStrings<T> = T extends
  string | ((...args: never[]) => string) | { readonly other: string }
  ? T
  : { readonly [K in keyof T]?: SomeStrings<T[K]> }

/** The same language with some of its texts replaced. */
export function withStrings({ locale, tag }: Language, strings: Strings): Language {
  return { locale: complete(strings, locale).texts, tag }
}

/** Languages with a text that has thrown; the console gets the first error of each. */
const failing = new WeakSet<Locale>()

/** The result of `say` in a language, or in English where a text of the page throws. */
export function inWordsOf<T>(language: Language, say: (language: Language) => T): T {
  try {
    return say(language)
  } catch (error) {
    if (!failing.has(language.locale)) {
      failing.add(language.locale)
      queueMicrotask(() => {
        throw error
      })
    }
    return say(ENGLISH)
  }
}

/** The first of the wanted tags that is registered, or English. */
export function chooseLanguage(wanted: Iterable<string | null | undefined>): Language {
  for (const tag of wanted) {
    const language = tag ? languageOf(tag) : null
    if (language) return language
  }
  return ENGLISH
}

/** The same object for the same tag. */
function languageOf(tag: string): Language | null {
  const known = chosen.get(tag)
  if (known) return known
  const locale = find(tag)
  if (!locale) return null
  const language = { locale, tag: valid(tag) ?? locale.code }
  chosen.set(tag, language)
  return language
}

function find(tag: string): Locale | undefined {
  const lower = tag.trim().toLowerCase()
  const [code = ''] = lower.split(/[-_]/, 1)
  const found = locales.get(lower) ?? locales.get(code)
  if (!found) void load(code)
  return found
}

async function load(code: string): Promise<void> {
  if (!Object.hasOwn(BUILT_IN, code) || loading.has(code)) return
  loading.add(code)
  try {
    const locale = await BUILT_IN[code]?.()
    // The page may have registered its own words while the module loaded.
    if (locale && !locales.has(code)) registerLocale(locale)
  } catch {
    // The next element that needs the language tries again.
    loading.delete(code)
  }
}

// A page may set `lang` to any text, and `Intl` throws a RangeError unless it is a BCP 47 tag.
function valid(tag: string): string | undefined {
  try {
    return Intl.getCanonicalLocales(tag.trim())[0]
  } catch {
    return undefined
  }
}

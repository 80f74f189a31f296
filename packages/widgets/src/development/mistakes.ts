/** Finds mistakes of developers in the attributes of an element and in the page around it. */
import { words } from '../attributes/read.ts'
import { HEADING_LEVELS, HIDDEN, WORDS } from '../attributes/words.ts'
import type { Inspected, StatusElement } from '../elements/base/element.ts'
import { unknownStrings } from '../locales/registry.ts'
import { isDarkBehind } from './backdrop.ts'
import { linkMistake } from './link-mistakes.ts'
import type { Mistake } from './link-mistakes.ts'

/** Attributes whose value is not one of a few words. */
const OTHERS: readonly Attribute[] = [
  {
    name: 'heading-level',
    isWrong: (text) => !isKnown(HEADING_LEVELS.map(String), text),
    why: `It may be ${HEADING_LEVELS.join(', ')}.`,
    fix: 'The name is no heading; correct the number.',
  },
  {
    name: 'hide',
    isWrong: (text) => !words(text).every((word) => isKnown(HIDDEN, word)),
    why: `It may be any of ${HIDDEN.join(', ')}.`,
    fix: 'An unknown word hides nothing; correct it.',
  },
  {
    name: 'pause-hidden',
    isWrong: (text) => !(Number(text) >= 0),
    why: 'It is a number of seconds, 0 for never.',
    fix: 'The element behaves as with pause-hidden="300"; correct the number.',
  },
]

interface Attribute {
  readonly name: string
  readonly isWrong: (text: string) => boolean
  readonly why: string
  readonly fix: string
}

const PROVIDER = 'mqtt-status-provider'

const TROUBLES: Readonly<Record<string, Mistake>> = {
  unnamed: {
    what: 'No connection is chosen.',
    why: 'The element has neither connection-id nor site-id.',
    fix: 'Add connection-id="…" with the id of a row of the table connections.',
  },
  unconfigured: {
    what: 'No server is set.',
    why: 'Neither the element, a provider, a script tag with data-mqtt-status nor a meta tag names one, and no server has served the script.',
    fix: 'Put the element into <mqtt-status-provider src="https://…">, or give it src="https://…".',
  },
  malformed: {
    what: 'What is set as the server is no address.',
    why: 'src (data-src, content of the meta tag) has to be absolute, or to begin with / or . as a path of the page’s own server.',
    fix: 'Write it with its scheme, as in src="https://status.example.com".',
  },
  ambiguous: {
    what: 'The site has several connections.',
    why: 'site-id means the only connection of a site.',
    fix: 'Use connection-id="…" instead.',
  },
  missing: {
    what: 'The server knows no such connection.',
    why: 'There is no row with this id, or the token does not cover it.',
    fix: 'Compare the id with the table connections, and the scope of the token with the row’s site.',
  },
  limit_watch: {
    what: 'The page watches more connections and sites than the server accepts.',
    why: 'The server accepts 1,000 ids and sites for each page; the elements that came last wait until others leave.',
    fix: 'Remove elements that are out of view.',
  },
  unauthorized: {
    what: 'The server accepts no token of this page.',
    why: 'The token has expired or is signed with another key, or token-src has answered 401 or 403.',
    fix: 'Let token-src answer {"token": "…", "expiresIn": 600}, signed with a key that the server knows.',
  },
  incompatible: {
    what: 'The versions of server and script do not fit.',
    why: 'One of them is older than the other accepts.',
    fix: 'Load the script from the server itself, or update the older one.',
  },
}

export function mistakesOf(element: StatusElement, inspected: Inspected): readonly Mistake[] {
  const { trouble } = inspected
  return [
    linkMistake(inspected) ?? (trouble === null ? undefined : TROUBLES[trouble]),
    unprovided(inspected),
    ...wrongWords(element),
    unknownTexts(element),
    mixedContent(element),
    lightOnDark(element),
  ].filter((mistake) => mistake !== undefined)
}

/** An element inside an undefined provider waits, and shows no message of its own. */
function unprovided({ trouble, src }: Inspected): Mistake | undefined {
  if (trouble !== null || src !== null || customElements.get(PROVIDER)) return undefined
  return {
    what: 'The element waits for the provider around it.',
    why: `No script has defined <${PROVIDER}> yet.`,
    fix: "Add import '@mqtt-status/widgets/define/provider'.",
  }
}

function isKnown(words: readonly string[], text: string): boolean {
  return words.includes(text)
}

function wrongWords(element: Element): (Mistake | undefined)[] {
  const plain = Object.entries(WORDS).map(([name, known]): Attribute => {
    return {
      name,
      isWrong: (text) => !isKnown(known, text),
      why: `It may be ${known.join(', ')}.`,
      fix: `The element behaves as with ${name}="${known[0]}"; correct the word.`,
    }
  })
  return [...plain, ...OTHERS].map(({ name, isWrong, why, fix }) => {
    const text = element.getAttribute(name)
    return text && isWrong(text)
      ? { what: `${name}="${text}" is not understood.`, why, fix }
      : undefined
  })
}

function unknownTexts({ strings }: StatusElement): Mistake | undefined {
  const unknown = strings ? unknownStrings(strings) : []
  if (unknown.length === 0) return undefined
  return {
    what: `strings has keys that name no text: ${unknown.join(', ')}.`,
    why: 'Its keys are those of the type Locale.',
    fix: 'Correct or remove them.',
  }
}

function mixedContent(element: Element): Mistake | undefined {
  const src = element.getAttribute('src') ?? ''
  if (location.protocol !== 'https:' || !src.startsWith('http:')) return undefined
  return {
    what: 'The browser blocks requests to the server.',
    why: 'A page on https may not send requests to a server on http.',
    fix: `Serve it over https and write src="${src.replace('http:', 'https:')}".`,
  }
}

/** The page is dark by its own colours or classes, and does not set `color-scheme`. */
function lightOnDark(element: Element): Mistake | undefined {
  const { colorScheme, display } = getComputedStyle(element)
  // A provider is invisible, and a page that sets `theme` has chosen it.
  if (display === 'contents' || element.matches('[theme=light], [theme=dark]')) return undefined
  if (colorScheme.includes('dark') || !(isDarkBehind(element) ?? isCalledDark())) return undefined
  return {
    what: 'The page is dark, this element is not.',
    why: 'It follows color-scheme, and the page’s is light.',
    fix: 'Add color-scheme: dark to the rule of the dark page, or theme="dark" to the element.',
  }
}

function isCalledDark(): boolean {
  const { classList, dataset } = document.documentElement
  return classList.contains('dark') || dataset['theme'] === 'dark'
}

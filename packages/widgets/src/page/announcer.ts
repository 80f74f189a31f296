/**
 * The page's one voice for screen readers. Regions inside shadow roots are not read reliably, and many at once are
 * noise: what happens within a second is told in one sentence. All copies of this package on a page share it.
 */
import type { Look } from '@mqtt-status/protocol'
import { attempt, reportOnce } from '../client/report.ts'
import { inWordsOf } from '../locales/registry.ts'
import type { Language } from '../locales/registry.ts'
import { count } from '../locales/plural.ts'
import { hostOf } from './composed-tree.ts'

/** One connection that looks different now. */
export interface Change {
  /** Elements that show the same connection tell the same news. */
  readonly key: string
  readonly name: string
  readonly look: Look
  /** Why, in words. */
  readonly reason: string | null
  readonly language: Language
  /** The element that tells it. */
  readonly from: Element
}

/** What there is to tell by the time it is asked for; `null` = nothing any more. */
type News = () => Change | null

/** How, and for whom, something is said. */
interface Saying {
  readonly from?: Element
  readonly urgent?: boolean
  /** What the message has told already, so that it is not told again as a change. */
  readonly told?: Change | null
}

interface Voice {
  change(news: News): void
  say(message: string, lang: string, saying?: Saying): void
}

const BATCH_MS = 1_000
/** Long enough for every screen reader to have picked a message up. */
const KEEP_MS = 10_000
const SETTLE_MS = 100

class Announcer implements Voice {
  readonly #news = new Set<News>()
  /** Words, and until when they are not said again. */
  readonly #said = new Map<string, number>()
  #timer: ReturnType<typeof setTimeout> | null = null

  /** Told with all others of the same second, as it is at its end: who comes back within it has no news. */
  change(news: News): void {
    this.#news.add(news)
    this.#timer ??= setTimeout(() => {
      this.#flush()
    }, BATCH_MS)
  }

  /** Told at once; the same words from many elements only once, however long it takes until the last one has drawn. */
  say(message: string, lang: string, saying: Saying = {}): void {
    const isNew = !this.#isSaid(message)
    this.#remember(message, BATCH_MS)
    if (!isNew) return
    // The row that it is about may be drawn, and be news, a little later.
    if (saying.told) this.#remember(inWords(saying.told), 2 * BATCH_MS)
    speak(message, lang, saying)
  }

  #isSaid(words: string): boolean {
    return (this.#said.get(words) ?? 0) > performance.now()
  }

  #remember(words: string, ms: number): void {
    this.#said.set(words, performance.now() + ms)
    setTimeout(() => {
      if (!this.#isSaid(words)) this.#said.delete(words)
    }, ms + 1)
  }

  #flush(): void {
    this.#timer = null
    const changes = new Map<string, Change>()
    const all = [...this.#news]
    this.#news.clear()
    for (const news of all) {
      // Words of the page's own may fail: the others are told all the same.
      attempt(() => {
        const change = news()
        if (change && !this.#isSaid(inWords(change))) changes.set(change.key, change)
      })
    }
    // A screen reader reads the document that has the focus, so each document has its own sentence.
    for (const here of Map.groupBy(changes.values(), ({ from }) => from.ownerDocument).values())
      for (const [lang, told] of Map.groupBy(here, ({ language }) => language.tag)) {
        const [{ from }] = told as [Change]
        attempt(() => {
          speak(sentence(told), lang, { from })
        })
      }
  }
}

/** A change that is told by itself. */
export function inWords({ name, look, reason, language }: Change): string {
  const words = `${name}: ${language.locale.look[look]}`
  return reason === null ? words : `${words}. ${reason}`
}

function sentence(changes: readonly Change[]): string {
  const [first] = changes
  if (!first) return ''
  if (changes.length === 1) return inWords(first)
  const looks = Map.groupBy(changes, ({ look }) => look)
  return inWordsOf(first.language, ({ locale, tag }) => {
    const counts = [...looks].map(([look, { length }]) => count(length, locale.counted[look], tag))
    return locale.changes(changes.length, counts.join(', '))
  })
}

/** Where nobody can be told, the page goes on. */
function speak(message: string, lang: string, saying: Saying): void {
  try {
    tell(message, lang, saying)
  } catch (error) {
    reportOnce(error)
  }
}

/**
 * Only live regions speak. `document.ariaNotify` reaches no screen reader on some systems that have it (Debian 12, in
 * Chromium and in Firefox), no script can find that out, and a screen reader that hears both would say everything twice.
 */
function tell(message: string, lang: string, { from, urgent = false }: Saying): void {
  const page = from?.ownerDocument ?? document
  const region = findRegion(page, from, urgent)
  const line = page.createElement('p')
  line.lang = lang
  line.textContent = message
  // A region that is new with its text in it is not read; and a fresh node per message, because the same words twice
  // in a row are news too.
  setTimeout(() => {
    region.append(line)
  }, SETTLE_MS)
  setTimeout(() => {
    line.remove()
  }, KEEP_MS)
}

function findRegion(page: Document, from: Element | undefined, urgent: boolean): Element {
  // Whatever is behind a modal dialog is mute, also if that is a dialog itself; where the focus is, nothing is.
  const home =
    modalAround(focused(page)) ??
    modalAround(from) ??
    [...page.querySelectorAll(MODAL)].at(-1) ??
    page.body
  const role = urgent ? 'alert' : 'status'
  const known = home.querySelector(`:scope > [data-mqtt-status-announcer][role=${role}]`)
  if (known) return known
  const region = page.createElement('div')
  region.dataset['mqttStatusAnnouncer'] = ''
  region.role = role
  // Both roles are atomic by default: screen readers would read the earlier lines again with each new one.
  region.ariaAtomic = 'false'
  // Properties, not a style attribute: those pass a strict content security policy. A fixed box never makes the page
  // scroll, whatever its body is like.
  Object.assign(region.style, {
    position: 'fixed',
    insetBlockStart: '0',
    insetInlineStart: '0',
    inlineSize: '1px',
    blockSize: '1px',
    overflow: 'hidden',
    clipPath: 'inset(50%)',
    whiteSpace: 'nowrap',
  })
  home.append(region)
  return region
}

const MODAL = 'dialog:modal'

/** The dialog that an element is seen in, also across slots and shadow roots. */
function modalAround(element: Element | null | undefined): Element | null {
  let around = element ?? null
  while (around && !around.matches(MODAL)) {
    around = around.assignedSlot ?? around.parentElement ?? hostOf(around.getRootNode())
  }
  return around
}

function focused(page: Document): Element | null {
  let element = page.activeElement
  while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement
  return element
}

const KEY = Symbol.for('mqtt-status.announcer.v1')

/** The voice that the whole page shares. */
export function announcer(): Voice {
  const place = globalThis as Partial<Record<symbol, Voice>>
  return (place[KEY] ??= new Announcer())
}

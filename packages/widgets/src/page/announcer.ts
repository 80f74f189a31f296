/**
 * The page's live regions for screen readers. Screen readers do not announce regions inside shadow roots reliably, so the
 * regions are in the document, and changes within one second make one announcement. All copies of this package on a page
 * share one announcer.
 */
import type { Look } from '@mqtt-status/protocol'
import { attempt, reportOnce } from '../client/report.ts'
import { inWordsOf } from '../locales/registry.ts'
import type { Language } from '../locales/registry.ts'
import { count } from '../locales/plural.ts'
import { hostOf } from './composed-tree.ts'

/** One connection that looks different now. */
export interface Change {
  /** Changes with the same key are announced once: several elements may show one connection. */
  readonly key: string
  readonly name: string
  readonly look: Look
  /** Why, in words. */
  readonly reason: string | null
  readonly language: Language
  /** The element that reports the change. */
  readonly from: Element
}

/** Returns the change at the end of the batch; `null` = the row looks as before again. */
type News = () => Change | null

/** Options of one announcement. */
interface Saying {
  readonly from?: Element
  readonly urgent?: boolean
  /** The change that the message describes already: it is not announced again. */
  readonly covers?: Change | null
}

interface Voice {
  change(news: News): void
  say(message: string, lang: string, saying?: Saying): void
}

const BATCH_MS = 1_000
/** How long a message stays in its region, so that every screen reader has read it. */
const KEEP_MS = 10_000
const SETTLE_MS = 100

class Announcer implements Voice {
  readonly #news = new Set<News>()
  /** Texts, and until when the same text is not announced again. */
  readonly #said = new Map<string, number>()
  #timer: ReturnType<typeof setTimeout> | null = null

  /** Announces a change together with all others of the same second. */
  change(news: News): void {
    this.#news.add(news)
    this.#timer ??= setTimeout(() => {
      this.#flush()
    }, BATCH_MS)
  }

  /** Announces a text at once. The same text from other elements is dropped until none has repeated it for `BATCH_MS`. */
  say(message: string, lang: string, saying: Saying = {}): void {
    const isNew = !this.#isSaid(message)
    this.#remember(message, BATCH_MS)
    if (!isNew) return
    // The element may render the row, and report its change, a little later.
    if (saying.covers) this.#remember(inWords(saying.covers), 2 * BATCH_MS)
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
      // The page's own texts may throw: the other changes are announced all the same.
      attempt(() => {
        const change = news()
        if (change && !this.#isSaid(inWords(change))) changes.set(change.key, change)
      })
    }
    // A screen reader reads the document with the focus, so each document gets its own announcement.
    for (const here of Map.groupBy(changes.values(), ({ from }) => from.ownerDocument).values())
      for (const [lang, changed] of Map.groupBy(here, ({ language }) => language.tag)) {
        const [{ from }] = changed as [Change]
        attempt(() => {
          speak(sentence(changed), lang, { from })
        })
      }
  }
}

/** The announcement of a single change. */
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

/** A failed announcement is reported in the console and stops nothing else. */
function speak(message: string, lang: string, saying: Saying): void {
  try {
    append(message, lang, saying)
  } catch (error) {
    reportOnce(error)
  }
}

/**
 * Uses live regions only. `document.ariaNotify` reaches no screen reader on some systems that have it (Debian 12, in
 * Chromium and in Firefox), scripts can't detect that, and with both a screen reader would read every text twice.
 */
function append(message: string, lang: string, { from, urgent = false }: Saying): void {
  const page = from?.ownerDocument ?? document
  const region = findRegion(page, from, urgent)
  const line = page.createElement('p')
  line.lang = lang
  line.textContent = message
  // Screen readers skip the text of a region that is added together with it. Each message gets a new node, so that the
  // same text twice in a row is read twice.
  setTimeout(() => {
    region.append(line)
  }, SETTLE_MS)
  setTimeout(() => {
    line.remove()
  }, KEEP_MS)
}

function findRegion(page: Document, from: Element | undefined, urgent: boolean): Element {
  // Regions behind a modal dialog are inert, also inside another dialog. The dialog with the focus never is.
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
  // Properties instead of a style attribute pass a strict content security policy. A fixed box never makes the page
  // scroll.
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

/** The modal dialog around an element, also across slots and shadow roots. */
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

/** The announcer that the whole page shares. */
export function announcer(): Voice {
  const place = globalThis as Partial<Record<symbol, Voice>>
  return (place[KEY] ??= new Announcer())
}

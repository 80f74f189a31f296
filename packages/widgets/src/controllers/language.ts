import type { ReactiveController, ReactiveControllerHost } from 'lit'
import { chooseLanguage, onLocale } from '../locales/registry.ts'
import type { Language } from '../locales/registry.ts'
import { closest } from './composed-tree.ts'
import { scriptSetting } from './page-settings.ts'

const hosts = new Set<LanguageController>()

/** Chooses the words of its host: nearest `lang`, the page's script tag, the browser's language, English. */
export class LanguageController implements ReactiveController {
  readonly #host: ReactiveControllerHost & Element
  #current: Language | null = null

  constructor(host: ReactiveControllerHost & Element) {
    this.#host = host
    host.addController(this)
  }

  get current(): Language {
    return (this.#current ??= chooseLanguage(this.#wanted()))
  }

  hostConnected(): void {
    watchPage()
    hosts.add(this)
    this.changed()
  }

  hostDisconnected(): void {
    hosts.delete(this)
  }

  changed(): void {
    this.#current = null
    this.#host.requestUpdate()
  }

  *#wanted(): Iterable<string | null | undefined> {
    const nearest = closest(this.#host, '[lang]')
    // The script tag speaks for this product alone, <html lang> for the whole page.
    if (nearest !== document.documentElement) yield nearest?.getAttribute('lang')
    yield scriptSetting('lang')
    yield document.documentElement.lang
    yield* navigator.languages
  }
}

let watched = false

function watchPage(): void {
  if (watched) return
  watched = true
  const changed = (): void => {
    for (const host of [...hosts]) host.changed()
  }
  new MutationObserver(changed).observe(document, { subtree: true, attributeFilter: ['lang'] })
  addEventListener('languagechange', changed)
  onLocale(changed)
}

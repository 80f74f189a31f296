import type { ReactiveController, ReactiveControllerHost } from 'lit'
import { Listeners } from '../client/listeners.ts'
import { chooseLanguage, onLocale } from '../locales/registry.ts'
import type { Language } from '../locales/registry.ts'
import { closest } from '../page/composed-tree.ts'
import { scriptSetting } from '../page/settings.ts'

const hosts = new Listeners()

/** Chooses the language of its host: nearest `lang`, the page's script tag, the browser's languages, English. */
export class LanguageController implements ReactiveController {
  readonly #host: ReactiveControllerHost & Element
  #current: Language | null = null
  #leave: (() => void) | null = null

  constructor(host: ReactiveControllerHost & Element) {
    this.#host = host
    host.addController(this)
  }

  get current(): Language {
    return (this.#current ??= chooseLanguage(this.#wanted()))
  }

  hostConnected(): void {
    this.#leave?.()
    this.#leave = hosts.add(() => {
      this.changed()
    })
    this.changed()
  }

  hostDisconnected(): void {
    this.#leave?.()
    this.#leave = null
  }

  changed(): void {
    this.#current = null
    this.#host.requestUpdate()
  }

  *#wanted(): Iterable<string | null | undefined> {
    const nearest = closest(this.#host, '[lang]', watch)
    // The script tag's setting is for this product alone, so it takes precedence over <html lang>.
    const { documentElement } = this.#host.ownerDocument
    if (nearest !== documentElement) yield nearest?.getAttribute('lang')
    yield scriptSetting('lang')
    yield documentElement.lang
    yield document.documentElement.lang
    yield* (navigator as Partial<Navigator>).languages ?? []
  }
}

const watched = new WeakSet<Node>()
let observer: MutationObserver | undefined

/** Observes `lang` in each tree that was searched for it. */
function watch(root: Node): void {
  if (watched.has(root)) return
  watched.add(root)
  observer ??= watchPage()
  observer.observe(root, { subtree: true, attributeFilter: ['lang'] })
}

function watchPage(): MutationObserver {
  const changed = (): void => {
    hosts.notify()
  }
  addEventListener('languagechange', changed)
  onLocale(changed)
  return new MutationObserver(changed)
}

import { LitElement } from 'lit'
import type { CSSResultGroup } from 'lit'
import type { Link } from '../client/index.ts'
import { LanguageController } from '../controllers/language.ts'
import { withStrings } from '../locales/registry.ts'
import type { Language, Strings } from '../locales/registry.ts'
import { oneOf } from './attributes.ts'
import { iconStyles, tokens } from './tokens.styles.ts'

/** Which release an element belongs to; told when two meet on one page. */
const VERSION = '0.1.0'

/** What an element knows of its own situation, for whoever looks for mistakes. */
export interface Inspected {
  /** What keeps it from showing a row, as a code; `null` = nothing. */
  readonly trouble: string | null
  readonly link: Link | null
  /** The server it asks; `null` while none is known. */
  readonly src: string | null
}

/**
 * What all elements share: registration, language, look, and the states that style sheets can ask for.
 *
 * @attr {string} lang - the language of its words; the nearest one on the page counts
 * @attr {auto|light|dark} theme - overrides the page's color scheme
 * @attr {comfortable|compact|dense} density - how much room it takes
 *
 * @cssprop --mqtt-status-positive - connected
 * @cssprop --mqtt-status-progress - under way
 * @cssprop --mqtt-status-warning - lost, or not as it should be
 * @cssprop --mqtt-status-negative - failed
 * @cssprop --mqtt-status-neutral - off on purpose, or unknown
 * @cssprop --mqtt-status-positive-on - the marks on this tone
 * @cssprop --mqtt-status-progress-on - the marks on this tone
 * @cssprop --mqtt-status-warning-on - the marks on this tone
 * @cssprop --mqtt-status-negative-on - the marks on this tone
 * @cssprop --mqtt-status-neutral-on - the marks on this tone
 * @cssprop --mqtt-status-surface - the background
 * @cssprop --mqtt-status-text - names and words
 * @cssprop --mqtt-status-muted - everything that explains
 * @cssprop --mqtt-status-border - edges
 * @cssprop --mqtt-status-focus - the ring around what has the focus
 * @cssprop --mqtt-status-font - the font family; the page's by default
 * @cssprop --mqtt-status-icon-size - width and height of the status icon
 * @cssprop --mqtt-status-transition - how long colours take to change
 */
export abstract class StatusElement extends LitElement {
  static readonly version: string = VERSION
  /** The name it is registered under unless another one is given. */
  static readonly tag: string
  /**
   * Looks for mistakes after each update; only development builds have one.
   *
   * @internal
   */
  static inspect: ((element: StatusElement, inspected: Inspected) => void) | null = null
  static override styles: CSSResultGroup = [tokens, iconStyles]

  /** Texts of the page's own instead of ours, by the names of `Locale`. */
  declare strings: Strings | null | undefined
  protected readonly language: LanguageController = new LanguageController(this)
  /** WebKit forgets what a set contains once no script holds the set, so the element holds it. */
  readonly #states: CustomStateSet = this.attachInternals().states
  #shownStates = ''
  #merged: {
    readonly from: Language
    readonly strings: Strings
    readonly language: Language
  } | null = null

  /**
   * Registers the class, unless the name is taken already; says so if another version took it. In browsers that are too
   * old the text inside the element stays.
   */
  static define(
    tag: string = this.tag,
    registry: CustomElementRegistry | undefined = globalThis.customElements,
  ): void {
    const known = registry.get(tag) as { version?: string } | undefined
    if (!known) {
      if (isSupported()) registry.define(tag, nameable(this, registry))
    } else if (known.version !== VERSION) {
      // eslint-disable-next-line no-console -- whoever put two versions on a page has to know
      console.warn(
        `mqtt-status: <${tag}> is already defined by version ${known.version ?? 'unknown'}; version ${VERSION} stays unused. Load one version only.`,
      )
    }
  }

  // `lang` belongs to HTMLElement; declared as a property of ours it would shadow the browser's.
  static override get observedAttributes(): string[] {
    return [...super.observedAttributes, 'lang', 'density']
  }

  override attributeChangedCallback(name: string, old: string | null, value: string | null): void {
    super.attributeChangedCallback(name, old, value)
    if (name === 'lang') this.language.changed()
    if (name === 'density') this.requestUpdate()
  }

  protected get density(): 'comfortable' | 'compact' | 'dense' {
    return oneOf(['comfortable', 'compact', 'dense'], this.getAttribute('density'))
  }

  /** The language it speaks now. */
  protected get speech(): Language {
    const { strings } = this
    const from = this.language.current
    if (!strings) return from
    if (this.#merged?.from !== from || this.#merged.strings !== strings)
      this.#merged = { from, strings, language: withStrings(from, strings) }
    return this.#merged.language
  }

  /** Makes exactly these `:state()`s true; what is no text is left out. */
  protected showStates(wanted: readonly unknown[]): void {
    const names = wanted.filter((name) => typeof name === 'string')
    const key = names.join()
    if (key === this.#shownStates) return
    this.#shownStates = key
    for (const name of [...this.#states]) if (!names.includes(name)) this.#states.delete(name)
    for (const name of names) this.#states.add(name)
  }

  protected hasFocusInside(): boolean {
    return this.shadowRoot?.activeElement != null
  }
}

/** A registry takes a class under one name only: another one needs a class of its own. */
function nameable(
  element: typeof StatusElement,
  registry: CustomElementRegistry,
): CustomElementConstructor {
  const own = element as unknown as CustomElementConstructor
  return registry.getName(own) ? class extends own {} : own
}

// Without these an element would throw, or be unreadable. Where there is no page there is nothing to look at.
function isSupported(): boolean {
  return (
    typeof document === 'undefined' ||
    (CSS.supports('selector(:state(x))') && CSS.supports('color', 'light-dark(red, red)'))
  )
}

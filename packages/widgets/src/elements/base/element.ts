import { LitElement } from 'lit'
import type { CSSResultGroup, CSSResultOrNative } from 'lit'
import type { Link } from '../../client/index.ts'
import { reportOnce } from '../../client/report.ts'
import { LanguageController } from '../../controllers/language.ts'
import { withStrings } from '../../locales/registry.ts'
import type { Language, Strings } from '../../locales/registry.ts'
import { wordOf } from '../../attributes/words.ts'
import type { Word } from '../../attributes/words.ts'
import { dress } from './dress.ts'
import { missingFeatures, statesOf } from './support.ts'
import { iconStyles, tokens } from './tokens.styles.ts'

/** The release of this package, for the warning about two releases on one page. */
const VERSION = '0.1.0'

/** What an element passes to `inspect`. */
export interface Inspected {
  /** Why the element shows no row, as a code; `null` = it shows one, or waits for it. */
  readonly trouble: string | null
  readonly link: Link | null
  /** The address of its server; `null` while none is known. */
  readonly src: string | null
}

/**
 * The base class of all elements: registration, language, style sheets, and `:state()`s for the style sheets of a page.
 *
 * @attr {string} lang - the language of its words; the nearest `lang` around it applies
 * @attr theme - overrides the page's color scheme
 * @attr density - how much room the element takes
 *
 * @cssprop --mqtt-status-positive - connected
 * @cssprop --mqtt-status-progress - connecting, or a command is pending
 * @cssprop --mqtt-status-warning - lost, or not as desired
 * @cssprop --mqtt-status-negative - failed
 * @cssprop --mqtt-status-neutral - disconnected on purpose, or unknown
 * @cssprop --mqtt-status-positive-on - the marks on this tone
 * @cssprop --mqtt-status-progress-on - the marks on this tone
 * @cssprop --mqtt-status-warning-on - the marks on this tone
 * @cssprop --mqtt-status-negative-on - the marks on this tone
 * @cssprop --mqtt-status-neutral-on - the marks on this tone
 * @cssprop --mqtt-status-surface - the background
 * @cssprop --mqtt-status-text - names and words
 * @cssprop --mqtt-status-muted - explanations
 * @cssprop --mqtt-status-border - edges
 * @cssprop --mqtt-status-focus - the focus ring
 * @cssprop --mqtt-status-font - the font family; the page's by default
 * @cssprop --mqtt-status-icon-size - width and height of the status icon
 * @cssprop --mqtt-status-transition - the duration of colour transitions
 */
export abstract class StatusElement extends LitElement {
  static readonly version: string = VERSION
  /** The default name for `define`. */
  static readonly tag: string
  /**
   * Looks for mistakes after each update; only development builds set it.
   *
   * @internal
   */
  static inspect: ((element: StatusElement, inspected: Inspected) => void) | null = null
  static override styles: CSSResultGroup = [tokens, iconStyles]

  /** The page's own texts, by the names of `Locale`; they replace the built-in ones. */
  declare strings: Strings | null | undefined
  protected readonly language: LanguageController = new LanguageController(this)
  /** WebKit drops the content of a state set that no script references, so the element references it. */
  readonly #states: Set<string> = statesOf(this)
  #shownStates = ''
  #look: readonly CSSResultOrNative[] | null = null
  /** Shows the text inside an element that could not render. */
  #fallback: HTMLSlotElement | null = null
  #merged: {
    readonly from: Language
    readonly strings: Strings
    readonly language: Language
  } | null = null

  /**
   * Registers the class, unless the name is taken already; warns if another version has taken it. In browsers that are too
   * old the text inside the element stays.
   */
  static define(
    tag: string = this.tag,
    registry: CustomElementRegistry | undefined = globalThis.customElements,
  ): void {
    const known = registry.get(tag) as { version?: string } | undefined
    if (!known) {
      const missing = missingFeatures()
      if (missing.length > 0) sayMissing(missing)
      else registry.define(tag, nameable(this, registry))
    } else if (known.version !== VERSION) {
      // eslint-disable-next-line no-console -- a developer has to learn of two versions on a page
      console.warn(
        `mqtt-status: <${tag}> is already defined by version ${known.version ?? 'unknown'}; version ${VERSION} stays unused. Load one version only.`,
      )
    }
  }

  override connectedCallback(): void {
    this.guard(() => {
      super.connectedCallback()
    })
  }

  /** A moved shadow root loses its adopted style sheets, which belong to the old document. */
  adoptedCallback(): void {
    if (this.#look && this.shadowRoot) dress(this.shadowRoot, this.#look)
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

  protected get density(): Word<'density'> {
    return wordOf('density', this.getAttribute('density'))
  }

  /** The language with the page's own texts merged into it. */
  protected get speech(): Language {
    const { strings } = this
    const from = this.language.current
    if (!strings) return from
    if (this.#merged?.from !== from || this.#merged.strings !== strings)
      this.#merged = { from, strings, language: withStrings(from, strings) }
    return this.#merged.language
  }

  /** Makes exactly these `:state()`s true; ignores values that are no text. */
  protected showStates(wanted: readonly unknown[]): void {
    const names = wanted.filter((name) => typeof name === 'string')
    const key = names.join()
    if (key === this.#shownStates) return
    this.#shownStates = key
    try {
      for (const name of [...this.#states]) if (!names.includes(name)) this.#states.delete(name)
      for (const name of names) this.#states.add(name)
    } catch {
      // Only style sheets of the page use states: where the browser refuses one, the element renders without it.
    }
  }

  protected override createRenderRoot(): ShadowRoot {
    const root = this.attachShadow({ mode: 'open' })
    this.wear(root, (this.constructor as typeof StatusElement).elementStyles)
    return root
  }

  protected wear(root: ShadowRoot, look: readonly CSSResultOrNative[]): void {
    this.#look = look
    dress(root, look)
  }

  protected override performUpdate(): void {
    this.guard(() => {
      super.performUpdate()
      this.#fallback?.remove()
      this.#fallback = null
    })
  }

  /** Runs a step of the rendering. If it throws, the element shows the text inside it, and the console has the cause. */
  protected guard<T>(work: () => T): T | undefined {
    try {
      return work()
    } catch (cause) {
      const { message } = cause as Error
      reportOnce(
        new Error(`mqtt-status: <${this.localName}> can't be rendered in this page: ${message}`, {
          cause,
        }),
      )
      if (this.hasUpdated || this.#fallback || !this.shadowRoot) return undefined
      this.#fallback = this.ownerDocument.createElement('slot')
      this.shadowRoot.append(this.#fallback)
      return undefined
    }
  }

  protected hasFocusInside(): boolean {
    return this.shadowRoot?.activeElement != null
  }
}

/** A registry accepts a class under one name only, so a second name needs a subclass. */
function nameable(
  element: typeof StatusElement,
  registry: CustomElementRegistry,
): CustomElementConstructor {
  const own = element as unknown as CustomElementConstructor
  try {
    if (!registry.getName(own)) return own
  } catch {
    // Polyfills of registries lack `getName`: there, a subclass for each name does no harm.
  }
  return class extends own {}
}

function sayMissing(missing: readonly string[]): void {
  reportOnce(
    new Error(
      `mqtt-status: this browser lacks ${missing.join(', ')}, so the elements stay undefined and show the text inside them.`,
    ),
  )
}

import { LitElement } from 'lit'
import type { CSSResultGroup } from 'lit'
import { LanguageController } from '../controllers/language.ts'
import { iconStyles, tokens } from './tokens.styles.ts'

/** Which release an element belongs to; told when two meet on one page. */
const VERSION = '0.1.0'

/** What all elements share: registration, language, look, and the states that style sheets can ask for. */
export abstract class StatusElement extends LitElement {
  static readonly version: string = VERSION
  static override styles: CSSResultGroup = [tokens, iconStyles]

  protected readonly language: LanguageController = new LanguageController(this)
  readonly #internals = this.attachInternals()

  /** Registers the class, unless the name is taken already; says so if another version took it. */
  static define(tag: string, registry: CustomElementRegistry = customElements): void {
    const known = registry.get(tag) as { version?: string } | undefined
    if (!known) registry.define(tag, this as unknown as CustomElementConstructor)
    else if (known.version !== VERSION) {
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

  /** Makes exactly these `:state()`s true. */
  protected showStates(wanted: ReadonlySet<string>): void {
    const { states } = this.#internals
    for (const state of [...states]) if (!wanted.has(state)) states.delete(state)
    for (const state of wanted) states.add(state)
  }
}

/** What the shared tests have to know about each example. */
export interface Traits {
  /**
   * What the page shows without any script: `state`: the name and the last known status of each connection, `name`: the
   * name, `nothing`: the browser renders the page.
   */
  readonly withoutScript: 'state' | 'name' | 'nothing'
  /** What follows a link: `client`: the page's own script, `document`: the browser loads another document. */
  readonly navigation: 'client' | 'document'
  /** A page registers the class of an element when it renders the first one. */
  readonly registersLate?: boolean
  /** The example signs tokens, so the server requires them. */
  readonly signs?: boolean
  /** The dataloggers are rows of a table of the example in the database of the server, which is attached. */
  readonly attached?: boolean
  /** A part of the layout uses the client on every page. */
  readonly keepsSocket?: boolean
  /** Where else the example has the same two pages. */
  readonly bases?: readonly string[]
  /** Pages that render connections without elements. */
  readonly ownMarkup?: readonly string[]
}

export const EXAMPLE_TRAITS: Readonly<Record<string, Traits>> = {
  html: { withoutScript: 'name', navigation: 'document' },
  htmx: { withoutScript: 'state', navigation: 'client', bases: ['/turbo'] },
  react: { withoutScript: 'nothing', navigation: 'client', registersLate: true },
  nextjs: {
    withoutScript: 'state',
    navigation: 'client',
    registersLate: true,
    signs: true,
    keepsSocket: true,
    ownMarkup: ['/dataloggers'],
  },
  vue: { withoutScript: 'nothing', navigation: 'client' },
  svelte: { withoutScript: 'state', navigation: 'client' },
  angular: { withoutScript: 'nothing', navigation: 'client' },
  django: { withoutScript: 'state', navigation: 'document', signs: true, attached: true },
}

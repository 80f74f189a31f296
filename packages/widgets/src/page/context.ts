/**
 * How an element finds the provider around it: the context protocol of the web components community, by `@lit/context`.
 * The context's value is the client itself, never its state, so that one change renders one card. Every copy of this
 * package on a page uses the same key, and so can any other implementation of the protocol.
 */
import { ContextConsumer, ContextRoot, createContext } from '@lit/context'
import type { Context } from '@lit/context'
import type { ReactiveControllerHost } from 'lit'
import type { StatusClient } from '../client/index.ts'

/** `null` = the provider has found no server; `undefined` = there is no provider. */
type Provided = StatusClient | null | undefined

/** The key of the client in the context protocol. */
export const clientContext: Context<symbol, Provided> = createContext<Provided, symbol>(
  Symbol.for('mqtt-status.client'),
)

type Host = ReactiveControllerHost & HTMLElement

let root: ContextRoot | undefined
/** The document that the root was attached to last; nearly every element is in the same one. */
let attachedTo: Document | undefined

/** Subscribes its host to the client of the nearest provider, through shadow roots and slots. */
export class NearestClient extends ContextConsumer<typeof clientContext, Host> {
  #isRequested = false

  /** @param changed is called whenever the provider or its client has changed */
  constructor(host: Host, changed: () => void) {
    super(host, { context: clientContext, callback: changed, subscribe: true })
  }

  /** The provided client. The first call after the host has come to a place dispatches the request. */
  get(): Provided {
    if (!this.#isRequested) {
      this.#isRequested = true
      attachRoot(this.host.ownerDocument)
      super.hostConnected()
    }
    return this.value
  }

  override hostConnected(): void {
    // Without a provider around the new place nothing answers, and the client of the old place would stay.
    this.value = undefined
    this.#isRequested = false
  }
}

/**
 * A provider that is defined or added later answers the requests that the root of its document has kept. Attaching a root
 * twice has no effect, and it only adds listeners, which a document takes as any element does.
 */
function attachRoot(page: Document): void {
  if (page === attachedTo || !hasWeakReferences()) return
  attachedTo = page
  root ??= new ContextRoot()
  root.attach(page as unknown as HTMLElement)
}

/** `ContextRoot` keeps requests by weak references; without them an element finds only providers that come before it. */
function hasWeakReferences(): boolean {
  try {
    return new WeakRef({}).deref() !== undefined
  } catch {
    return false
  }
}

const CHANGE = 'mqtt-status-provider-change'

/**
 * Notifies the elements outside of a provider that it has come, changed or gone: the first one on a page is their default.
 * Elements in an iframe or a popup subscribe to the document that has loaded them.
 */
export function announceProvider({ ownerDocument }: Element): void {
  for (const page of new Set([ownerDocument, document])) page.dispatchEvent(new Event(CHANGE))
}

/** Calls back whenever a provider has come, changed or gone. */
export function onProvider(listener: () => void): void {
  document.addEventListener(CHANGE, listener)
}

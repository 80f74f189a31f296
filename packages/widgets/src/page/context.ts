/**
 * How an element finds the provider around it: the web components community's context protocol, as far as it is
 * needed here. What is handed down is the client itself, never its state, so that one change renders one card. The
 * symbol is shared by every copy of this package on a page, and by `@lit/context`.
 */
import type { StatusClient } from '../client/index.ts'

const CONTEXT = Symbol.for('mqtt-status.client')

type Take = (client: StatusClient | null) => void

/** What both events of the protocol carry. */
export interface ContextEvent extends Event {
  readonly context: unknown
  readonly contextTarget: Element
  readonly callback?: Take
}

function contextEvent(type: string, target: Element, callback?: Take): Event {
  const event = new Event(type, { bubbles: true, composed: true })
  return Object.assign(event, { context: CONTEXT, contextTarget: target, callback })
}

/** Asks the nearest provider, through shadow roots and slots; `undefined` if there is none. */
export function requestClient(from: Element): StatusClient | null | undefined {
  let found: StatusClient | null | undefined
  from.dispatchEvent(
    contextEvent('context-request', from, (client) => {
      found = client
    }),
  )
  return found
}

/** Answers the elements inside a provider. */
export function answerRequests(provider: Element, client: () => StatusClient | null): void {
  provider.addEventListener('context-request', (event) => {
    const { context, contextTarget, callback } = event as ContextEvent
    if (context !== CONTEXT || contextTarget === provider) return
    event.stopImmediatePropagation()
    callback?.(client())
  })
}

/**
 * Lets every element on the page ask again; a provider that has left speaks from the document. Elements listen to the
 * document that loaded them, also those in an iframe or a popup.
 */
export function announceProvider(provider: Element): void {
  const { isConnected, ownerDocument } = provider
  const speaker = isConnected ? provider : ownerDocument
  speaker.dispatchEvent(contextEvent('context-provider', provider))
  if (ownerDocument !== document) document.dispatchEvent(contextEvent('context-provider', provider))
}

/** Calls back whenever a provider has come, changed or gone. Returns the undo function. */
export function onProvider(listener: () => void): () => void {
  const hear = (event: Event): void => {
    if ((event as ContextEvent).context === CONTEXT) listener()
  }
  document.addEventListener('context-provider', hear)
  return () => {
    document.removeEventListener('context-provider', hear)
  }
}

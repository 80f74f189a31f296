/** The health of the feed, for the elements that show it or depend on it. */
import type { ReactiveController, ReactiveControllerHost } from 'lit'
import type { Link, LinkState, StatusClient } from '../client/index.ts'
import type { NamedLink } from '../locales/locale.ts'
import type { ClientController } from './client.ts'

type Host = ReactiveControllerHost & { readonly isConnected: boolean }

/** Subscribes its host to the link of its client. */
export class LinkController implements ReactiveController {
  readonly #host: Host
  readonly #clients: ClientController
  readonly #subscribe: (client: StatusClient) => readonly (() => void)[]
  #client: StatusClient | null = null
  #unsubscribe: readonly (() => void)[] = []

  /** @param keepsOpen whether the client connects for this host alone, although the host watches no row */
  constructor(host: Host, clients: ClientController, keepsOpen: boolean) {
    this.#host = host
    this.#clients = clients
    const update = (): void => {
      host.requestUpdate()
    }
    this.#subscribe = (client) => [
      ...(keepsOpen ? [client.watch({}, () => undefined)] : []),
      client.onLink(update),
    ]
    host.addController(this)
  }

  /** `null` while no server is known. */
  get current(): Link | null {
    return this.#clients.current?.link ?? null
  }

  hostUpdate(): void {
    const { current } = this.#clients
    if (!this.#host.isConnected || current === this.#client) return
    this.#leave()
    this.#client = current
    this.#unsubscribe = current ? this.#subscribe(current) : []
  }

  hostDisconnected(): void {
    this.#leave()
  }

  #leave(): void {
    for (const undo of this.#unsubscribe) undo()
    this.#unsubscribe = []
    this.#client = null
  }
}

type Terminal = Extract<LinkState, 'unauthorized' | 'forbidden' | 'incompatible' | 'unavailable'>

/** The link takes minutes to recover, or recovers only after a person has acted. */
function isTerminal(link: LinkState): link is Terminal {
  return (
    link === 'unauthorized' ||
    link === 'forbidden' ||
    link === 'incompatible' ||
    link === 'unavailable'
  )
}

/** What keeps the feed from coming; `null` also while an element shows rows that are older. */
export function blockedBy({ state, cause }: Link): NamedLink | null {
  if (isTerminal(state)) return cause ?? state
  return state === 'connecting' ? cause : null
}

/** The same as the code of an event: the page gets the state, viewers read its cause. */
export function linkTrouble({ state, cause }: Link): string | null {
  if (isTerminal(state)) return state
  return state === 'connecting' ? cause : null
}

/** The name of the link's state in the tables of words; `null` = the first attempt is under way. */
export function namedLink({ state, cause }: Link): NamedLink | null {
  return cause ?? (state === 'connecting' ? null : state)
}

/** Whether the announcer reads a change out. It reads neither the first `live` nor another cause of `stale`. */
export function isLinkNews(before: Link, now: Link): boolean {
  const [was, is] = [namedLink(before), namedLink(now)]
  if (before.state === 'stale' && now.state === 'stale') return false
  return is !== null && is !== was && (is !== 'live' || was !== null)
}

/** The `:state()`s that every element with a link has. */
export function linkStates(link: Link | null): readonly (string | false)[] {
  if (!link) return []
  const { state } = link
  return [`link-${state}`, (state === 'offline' || state === 'unauthorized') && state]
}

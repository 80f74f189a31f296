/**
 * A page has one client per server and identity, although it may have several bundles, versions and frameworks. They
 * share it under a global symbol. Everything that the symbol leads to is part of the public contract.
 */
import { createClient } from './client.ts'
import type { ClientSettings, StatusClient } from './client.ts'
import { toJson } from './json.ts'
import { absolute } from './server-address.ts'

const KEY = Symbol.for('mqtt-status.client.v1')

interface Registry {
  readonly clients: Map<string, StatusClient>
  readonly functions: unknown[]
}

/** The client that the whole page shares for these settings; the first call makes it. */
export function clientFor(settings: ClientSettings): StatusClient {
  const place = globalThis as Partial<Record<symbol, Registry>>
  const registry: Registry = (place[KEY] ??= { clients: new Map(), functions: [] })
  const { clients, functions } = registry
  const key = toJson([
    absolute(settings.src),
    settings.tokenSrc === undefined ? null : identity(settings.tokenSrc),
    settings.token ?? null,
    settings.getToken === undefined ? null : numberOf(functions, settings.getToken),
  ])
  let client = clients.get(key)
  if (client === undefined) {
    client = createClient(settings)
    clients.set(key, client)
  }
  return client
}

/** Without a page, as during server rendering, there is no base address, and no client requests a token. */
function identity(tokenSrc: string): string {
  return typeof document === 'undefined' ? tokenSrc : absolute(tokenSrc)
}

/** The same function means the same identity. */
function numberOf(known: unknown[], value: unknown): number {
  const index = known.indexOf(value)
  return index >= 0 ? index : known.push(value) - 1
}

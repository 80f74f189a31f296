/**
 * One client per server and identity on a page, however many bundles, versions and frameworks it has: they meet under a
 * global symbol. Everything that is reached through it is part of the public contract.
 */
import { createClient } from './client.ts'
import type { ClientSettings, StatusClient } from './client.ts'

const KEY: unique symbol = Symbol.for('mqtt-status.client.v1') as never

interface Registry {
  readonly clients: Map<string, StatusClient>
  readonly functions: unknown[]
}

/** The client that the whole page shares for these settings; made when the first one asks. */
export function clientFor(settings: ClientSettings): StatusClient {
  const place = globalThis as { [KEY]?: Registry }
  const { clients, functions } = (place[KEY] ??= { clients: new Map(), functions: [] })
  const base = typeof document === 'undefined' ? undefined : document.baseURI
  const key = JSON.stringify([
    new URL(settings.src, base).href.replace(/\/?$/, '/'),
    settings.tokenSrc === undefined ? null : new URL(settings.tokenSrc, base).href,
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

/** The same function is the same identity. */
function numberOf(known: unknown[], value: unknown): number {
  const index = known.indexOf(value)
  return index >= 0 ? index : known.push(value) - 1
}

/** Chooses the transport: a WebSocket, until it fails three times while the server answers at `/healthz`. */
import type { Fallback, Finding } from './fallback.ts'
import { toJson } from '../json.ts'
import type { OpenTransport } from './transport.ts'
import { remembered } from './settings.ts'
import type { TransportSettings } from './settings.ts'
import { openWebSocket } from './websocket.ts'

/** Loads the other transports when it chooses them, because most pages never need them. */
export class Transports {
  readonly #settings: TransportSettings
  #fallback: Fallback | null = null

  constructor(settings: TransportSettings) {
    this.#settings = settings
  }

  async open(): Promise<OpenTransport> {
    const { src, open, transport = 'auto', share, getToken, tokenSrc, token } = this.#settings
    if (open) return open
    if (transport === 'auto' ? remembered(src) : transport !== 'ws') await this.#load()
    const other = await this.#fallback?.open()
    if (other) return other
    // A function may answer with another visitor's token in another tab.
    if (share !== 'tabs' || getToken || !('locks' in navigator)) return openWebSocket
    const { openAmongTabs } = await import('./tabs.ts')
    const name = toJson(['mqtt-status.tabs.2', src, tokenSrc, token])
    return openAmongTabs(name, openWebSocket)
  }

  /** The current transport has delivered such a message. */
  received(type: 'welcome' | 'ping'): void {
    this.#fallback?.received(type)
  }

  /**
   * The current transport could not be opened, or went silent.
   *
   * @returns the reason, after a request to `/healthz`; `null` where the caller has given the transport
   */
  failed(): Promise<Finding | null> | null {
    return this.#settings.open ? null : this.#load().then((fallback) => fallback.failed())
  }

  async #load(): Promise<Fallback> {
    return (this.#fallback ??= new (await import('./fallback.ts')).Fallback(this.#settings))
  }
}

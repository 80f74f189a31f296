/** The settings of a transport, and the transport that this visit remembers. */
import type { OpenTransport } from './transport.ts'

export type TransportName = 'ws' | 'sse' | 'poll'

export interface TransportSettings {
  /** Ends with a slash. */
  readonly src: string
  readonly transport?: TransportName | 'auto'
  readonly share?: 'page' | 'tabs'
  /** Opens the only transport, in tests. */
  readonly open?: OpenTransport | undefined
  /** Tabs with the same address and token belong to one visitor. */
  readonly tokenSrc?: string
  readonly token?: string
  /** A function may give a token of another visitor in each tab. */
  readonly getToken?: unknown
  readonly now: () => number
}

/** Reads, or writes, the transport in session storage. Node has none, and browsers deny it to some pages. */
export function remembered(src: string, value?: string): string | null {
  try {
    if (value) sessionStorage.setItem(`mqtt-status:${src}`, value)
    return sessionStorage.getItem(`mqtt-status:${src}`)
  } catch {
    return null
  }
}

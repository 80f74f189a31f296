/** The ways to the server, and what is remembered of them. */
import type { OpenTransport } from './transport.ts'

export type TransportName = 'ws' | 'sse' | 'poll'

export interface TransportSettings {
  /** Ends with a slash. */
  readonly src: string
  readonly transport?: TransportName | 'auto'
  readonly share?: 'page' | 'tabs'
  /** A transport of the caller's own, and no other. */
  readonly open?: OpenTransport | undefined
  /** Tabs with the same address and token are one visitor. */
  readonly tokenSrc?: string
  readonly token?: string
  /** A function may answer with another visitor in each tab. */
  readonly getToken?: unknown
  readonly now: () => number
}

/** For the rest of the visit. There is no such place in Node, and some pages may not use it. */
export function remembered(src: string, value?: string): string | null {
  try {
    if (value) sessionStorage.setItem(`mqtt-status:${src}`, value)
    return sessionStorage.getItem(`mqtt-status:${src}`)
  } catch {
    return null
  }
}

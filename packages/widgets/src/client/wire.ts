/** The ways to the server, and what is remembered of them. */
import type { TokenSettings } from './tokens.ts'
import type { OpenTransport } from './transport.ts'

export type Wire = 'ws' | 'sse' | 'poll'

export interface WireSettings extends TokenSettings {
  /** Ends with a slash. */
  readonly src: string
  readonly transport?: Wire | 'auto'
  readonly share?: 'page' | 'tabs'
  /** A wire of the caller's own, and no other. */
  readonly open?: OpenTransport | undefined
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

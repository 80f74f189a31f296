/** Where tokens come from: a fixed one, a function of the page, or an address on the page's own origin. */
import { DENIED } from './token-error.ts'
import type { TokenSettings } from './token-settings.ts'

/** The server sends `expiring` this long before a token ends. From then on the client requests another one. */
const EARLY_MS = 60_000

export class Tokens {
  readonly #settings: TokenSettings
  readonly #now: () => number
  #freshUntil = 0
  /** The last one, `null` where none is configured. */
  current: string | null
  /** Whether the server has accepted one. */
  accepted: boolean = false

  constructor(settings: TokenSettings, now: () => number) {
    this.#settings = settings
    this.#now = now
    this.current = settings.token ?? null
  }

  /** Whether the client can request another token. */
  get renewable(): boolean {
    return !!(this.#settings.tokenSrc || this.#settings.getToken)
  }

  /** Whether the page has no token, and names no source of one. */
  get none(): boolean {
    return this.current === null && !this.renewable
  }

  /** Whether the page has or had a token. */
  get held(): boolean {
    return this.current !== null
  }

  /** Uses this one until it ends. */
  set(token: string): void {
    this.current = token
    this.#freshUntil = Infinity
  }

  /** The next `get` requests another one. */
  expire(): void {
    this.#freshUntil = 0
  }

  /** @throws DENIED where there is none for this visitor; anything else may be tried again */
  async get(): Promise<string | null> {
    if (!this.renewable || this.#now() < this.#freshUntil) return this.current
    const { askForToken } = await import('./token-source.ts')
    const answer = await askForToken(this.#settings)
    if (!answer) throw DENIED
    this.current = answer.token
    this.#freshUntil = this.#now() + (answer.expiresIn ?? 0) * 1_000 - EARLY_MS
    return answer.token
  }
}

/** The settings for the tokens of a page. */

/** The answer of a token source. With `expiresIn`, in seconds, the client reuses the token until shortly before its end. */
export interface TokenAnswer {
  readonly token: string
  readonly expiresIn?: number
}

/** The result of `getToken`: a token, a token with its lifetime, or none. */
export type TokenGiven = string | TokenAnswer | null

export interface TokenSettings {
  /** Visible to everybody who sees the page: publishable keys only. */
  readonly token?: string
  /** An address on the page's own origin that answers `{"token": "…", "expiresIn": 600}`. */
  readonly tokenSrc?: string
  /** The client calls it before an attempt and before a token ends; times out after 10 s. `null`: none for this visitor. */
  readonly getToken?: () => Promise<TokenGiven> | TokenGiven
}

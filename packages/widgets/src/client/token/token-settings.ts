/** From where a page takes its tokens. */

/** What a token provider answers; `expiresIn` in seconds spares asking again before each attempt. */
export interface TokenAnswer {
  readonly token: string
  readonly expiresIn?: number
}

/** What `getToken` may give: a token, or one with its time, or none. */
export type TokenGiven = string | TokenAnswer | null

export interface TokenSettings {
  /** Visible to everybody who sees the page: publishable keys only. */
  readonly token?: string
  /** An address on the page's own origin that answers `{"token": "…", "expiresIn": 600}`. */
  readonly tokenSrc?: string
  /** Asked before an attempt and before a token ends; may take 10 s. `null`: none for this visitor. */
  readonly getToken?: () => Promise<TokenGiven> | TokenGiven
}

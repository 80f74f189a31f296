/** Where tokens come from: a fixed one, a function of the page, or an address on the page's own origin. */

export interface TokenSettings {
  /** Visible to everybody who sees the page: publishable keys only. */
  readonly token?: string
  /** An address on the page's own origin that answers `{"token": "…"}`. */
  readonly tokenSrc?: string
  readonly getToken?: () => Promise<string> | string
}

/** The page's own server says that this visitor gets no token. */
export class Denied extends Error {}

const PATIENCE_MS = 10_000

/** Whether another token can be had when one is refused. */
export function isRenewable({ tokenSrc, getToken }: TokenSettings): boolean {
  return tokenSrc !== undefined || getToken !== undefined
}

/**
 * @returns `null` where no token is configured
 * @throws Denied on 401 and 403; anything else may be tried again
 */
export async function fetchToken({
  token,
  tokenSrc,
  getToken,
}: TokenSettings): Promise<string | null> {
  if (getToken !== undefined) return patiently(Promise.resolve().then(getToken))
  if (tokenSrc === undefined) return token ?? null
  const response = await fetch(tokenSrc, {
    credentials: 'same-origin',
    cache: 'no-store',
    signal: AbortSignal.timeout(PATIENCE_MS),
  })
  if (response.status === 401 || response.status === 403) throw new Denied()
  const body = (await response.json()) as { token?: unknown }
  if (!response.ok || typeof body.token !== 'string')
    throw new Error('No token in the answer of token-src')
  return body.token
}

function patiently<T>(work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Error('getToken did not answer'))
    }, PATIENCE_MS)
    work.then(resolve, reject).finally(() => {
      clearTimeout(timer)
    })
  })
}

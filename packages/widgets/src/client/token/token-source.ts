/** Requests a token from `token-src`, or calls `getToken`. Pages without either do not load this file. */
import { TokenError } from './token-error.ts'
import type { TokenAnswer, TokenSettings } from './token-settings.ts'

const PATIENCE_MS = 10_000

/** Sources whose last answer was no token. The client warns about the first of several such answers only. */
const failing = new WeakSet<TokenSettings>()

/**
 * The client aborts a request that takes longer than 10 s, because a browser has few sockets for each host.
 *
 * @returns `null` when the page's own server answers 401 or 403, or its function `null`: there is none for this visitor
 * @throws when there is no answer, or one without a token
 */
export async function askForToken(settings: TokenSettings): Promise<TokenAnswer | null> {
  const { tokenSrc = '', getToken } = settings
  const patience = new AbortController()
  const { promise: impatience, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    reject(new TokenError('did not answer within 10 s'))
  }, PATIENCE_MS)
  try {
    const asking = getToken ? answerOf(getToken) : read(tokenSrc, patience.signal)
    const answer = await Promise.race([asking, impatience])
    failing.delete(settings)
    return answer
  } catch (error) {
    if (!failing.has(settings)) tell(getToken ? 'getToken' : tokenSrc, error)
    failing.add(settings)
    throw error
  } finally {
    clearTimeout(timer)
    patience.abort()
  }
}

async function answerOf(
  getToken: NonNullable<TokenSettings['getToken']>,
): Promise<TokenAnswer | null> {
  let answer: unknown
  try {
    answer = await getToken()
  } catch (cause) {
    throw new TokenError(`threw: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    })
  }
  if (answer === null) return null
  return withToken(typeof answer === 'string' ? { token: answer } : answer)
}

async function read(tokenSrc: string, signal: AbortSignal): Promise<TokenAnswer | null> {
  const request = { credentials: 'same-origin', cache: 'no-store', signal } as const
  const response = await fetch(tokenSrc, request).catch((cause: unknown) => {
    throw new TokenError('can not be reached', { cause })
  })
  const { ok, status, redirected } = response
  if (status === 401 || status === 403) return null
  if (!ok) throw new TokenError(`answered with status ${status}`)
  // The message of the parser may quote the token, so it is dropped.
  const answer: unknown = await response.json().catch(() => {
    throw new TokenError(`did not answer with JSON${redirected ? ', but led to another page' : ''}`)
  })
  return withToken(answer)
}

function withToken(answer: unknown): TokenAnswer {
  const { token } = (answer ?? {}) as Partial<TokenAnswer>
  if (typeof token !== 'string' || !token) throw new TokenError('answered without a token')
  return answer as TokenAnswer
}

function tell(source: string, error: unknown): void {
  const { message } = error as Error
  const wanted =
    source === 'getToken'
      ? 'It has to resolve to a token, or to {token, expiresIn}'
      : 'It has to answer {"token": "…", "expiresIn": 600}, or 401 for a visitor who is not signed in'
  // eslint-disable-next-line no-console -- elements show that they are loading; only the console shows the developer why
  console.warn(
    `mqtt-status: ${source} ${message}. ${wanted}. The client retries with growing waits.`,
  )
}

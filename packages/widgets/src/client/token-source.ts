/** Asks for a token; loaded by pages that have somebody to ask. */
import type { TokenAnswer, TokenSettings } from './tokens.ts'

const PATIENCE_MS = 10_000

/**
 * Whoever does not answer is not waited for, nor left waiting: pages have few sockets.
 *
 * @returns `null` when the page's own server answers 401 or 403: there is none for this visitor
 * @throws when there is no answer, or one without a token
 */
export async function askForToken(settings: TokenSettings): Promise<TokenAnswer | null> {
  const { tokenSrc = '', getToken } = settings
  const patience = new AbortController()
  const { promise: impatience, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    reject(new Error('No answer in time'))
  }, PATIENCE_MS)
  try {
    const asking = getToken ? answerOf(getToken) : read(tokenSrc, patience.signal)
    return await Promise.race([asking, impatience])
  } finally {
    clearTimeout(timer)
    patience.abort()
  }
}

async function answerOf(getToken: NonNullable<TokenSettings['getToken']>): Promise<TokenAnswer> {
  const answer = await getToken()
  return typeof answer === 'string' ? { token: answer } : answer
}

async function read(tokenSrc: string, signal: AbortSignal): Promise<TokenAnswer | null> {
  const response = await fetch(tokenSrc, { credentials: 'same-origin', cache: 'no-store', signal })
  if (response.status === 401 || response.status === 403) return null
  const answer = (await response.json()) as TokenAnswer
  if (!response.ok || typeof answer.token !== 'string') throw new Error('No token in the answer')
  return answer
}

/** What only the log can say about tokens: a page shows nothing but rows, and a socket closes with a code. */
import { RateLimiterMemory } from 'rate-limiter-flexible'
import { StatusError } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Verify } from './tokens.ts'

/** The log names a subject, or a cause of a refusal, once in this time. */
const EVERY_S = 3_600
/** All of them together. */
const LINES_PER_MINUTE = 10

/** Verifies in the same way, and logs what an operator has to mend: refused tokens, and tokens that permit nothing. */
export function withNotices(verify: Verify, log: Log): Verify {
  const notices = new Notices()
  return async (token) => {
    try {
      const scope = await verify(token)
      const { subject, can, unknownScope: unknown } = scope
      const isPowerless = can.length === 0 && unknown.length > 0
      if (isPowerless && (await notices.isDue(`subject ${subject ?? ''}`)))
        log.warn({ subject, unknown }, 'a token permits nothing: its scope has no known word')
      return scope
    } catch (error) {
      // Visitors who are not signed in bring no token: the operator has nothing to mend.
      if (token && error instanceof StatusError) {
        // Refusals with the same cause differ in their numbers only.
        const cause = error.message.replace(/\d+/g, '#')
        if (await notices.isDue(`refused ${cause}`))
          log.info({ why: error.message }, 'a token was refused')
      }
      throw error
    }
  }
}

class Notices {
  readonly #each = new RateLimiterMemory({ points: 1, duration: EVERY_S })
  readonly #all = new RateLimiterMemory({ points: LINES_PER_MINUTE, duration: 60 })

  async isDue(key: string): Promise<boolean> {
    if (!(await spend(this.#each, key))) return false
    if (await spend(this.#all, 'all')) return true
    await this.#each.delete(key)
    return false
  }
}

async function spend(limiter: RateLimiterMemory, key: string): Promise<boolean> {
  return limiter.consume(key).then(
    () => true,
    () => false,
  )
}

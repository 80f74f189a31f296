/** Logs problems with tokens and origins that an operator has to solve: pages show rows only, and sockets close with a code. */
import { RateLimiterMemory } from 'rate-limiter-flexible'
import { StatusError } from '../errors.ts'
import type { Log } from '../log.ts'
import type { OnRefused } from './origins.ts'
import type { Verify } from './tokens.ts'

/** The log names a subject, or a cause of a refusal, at most once in this time. */
const EVERY_S = 3_600
/** For all lines of one `Notices` together. */
const LINES_PER_MINUTE = 10

/** Verifies with `verify`, and logs refused tokens and tokens that permit nothing. */
export function withNotices(verify: Verify, log: Log): Verify {
  const notices = new Notices()
  return async (token) => {
    try {
      const scope = await verify(token)
      const { subject, can, unknownScope: unknown } = scope
      if (!can.includes('view') && (await notices.isDue(`subject ${subject ?? ''}`)))
        log.warn({ subject, unknown }, 'a token permits nothing: its scope lacks the word view')
      return scope
    } catch (error) {
      // Pages of visitors who are not signed in send no token; the operator has nothing to change.
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

/** An origin is a text of the page; the log repeats so many characters of it. */
const ORIGIN_LENGTH = 200

/** Logs origins and hosts that the server refuses: a page without development warnings does not name the setting. */
export function refusalNotices(log: Log): OnRefused {
  const notices = new Notices()
  return (code, { origin = '', host = '' }) => {
    const caller = { origin: origin.slice(0, ORIGIN_LENGTH), host: host.slice(0, ORIGIN_LENGTH) }
    const [key, text] =
      code === 'origin_not_allowed'
        ? [caller.origin, 'the origin of a page is not in ALLOWED_ORIGINS']
        : [caller.host, 'without AUTH_JWT_SECRET the server answers loopback names only']
    void notices.isDue(`${code} ${key}`).then((isDue) => {
      if (isDue) log.warn(caller, text)
    })
  }
}

class Notices {
  readonly #each = new RateLimiterMemory({ points: 1, duration: EVERY_S })
  readonly #all = new RateLimiterMemory({ points: LINES_PER_MINUTE, duration: 60 })

  async isDue(key: string): Promise<boolean> {
    // Looks first: a key that is never logged takes no memory, however many keys clients make up.
    if ((await this.#each.get(key)) !== null) return false
    return (await spend(this.#all, 'all')) && spend(this.#each, key)
  }
}

async function spend(limiter: RateLimiterMemory, key: string): Promise<boolean> {
  return limiter.consume(key).then(
    () => true,
    () => false,
  )
}

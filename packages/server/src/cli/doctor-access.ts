import type { AuthConfig } from '../config/config.ts'
import { formatDuration } from '../config/duration.ts'
import type { Answer } from './finding.ts'

/** A leaked token is valid until it expires. */
const LONG_S = 90 * 86_400

/** Whether clients need a token, and how long a token may be valid. */
export function access(auth: AuthConfig): Answer {
  if (auth.kind === 'open')
    return {
      state: 'ok',
      found: 'can be read; without AUTH_JWT_SECRET everybody on this machine may do everything',
    }
  const most = formatDuration(auth.maxTtlS)
  const found = `can be read; tokens are accepted that are valid for ${most} at most`
  if (auth.maxTtlS <= LONG_S) return { state: 'ok', found }
  return {
    state: 'warning',
    found,
    cure: `A token can not be taken back before it ends. Set AUTH_MAX_TTL to ${formatDuration(LONG_S)} or less, and let pages renew their tokens (token-src).`,
  }
}

/** Common to the transports over HTTP: close codes by status, and the header of the token. */
import { CLOSE_CODES, LOST } from '@mqtt-status/protocol'

/** Close codes by status; any other status comes from a proxy, and counts as a broken transport. */
const BY_STATUS: Readonly<Record<number, number>> = {
  400: CLOSE_CODES.bad_request,
  401: CLOSE_CODES.unauthorized,
  403: CLOSE_CODES.forbidden,
  413: CLOSE_CODES.bad_request,
  422: CLOSE_CODES.bad_request,
  429: CLOSE_CODES.rate_limited,
  503: CLOSE_CODES.server_error,
}

/** The close code that a socket would have had for this answer. The `code` of the problem (RFC 9457) is more precise than its status. */
export async function closeCode(answer: Response): Promise<number> {
  const byStatus = BY_STATUS[answer.status] ?? LOST
  if (answer.ok) return byStatus
  try {
    const { code } = (await answer.json()) as { code?: unknown }
    const byCode = Object.entries(CLOSE_CODES).find(([name]) => name === code)
    return byCode?.[1] ?? byStatus
  } catch {
    return byStatus
  }
}

export function bearer(token: string | null | undefined): Record<string, string> {
  return token ? { authorization: `Bearer ${token}` } : {}
}

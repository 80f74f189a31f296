/**
 * Why a socket was closed, as a number and a code. 40xx: a client that changes nothing will be closed again, so it tries
 * again after minutes. 41xx: it tries again with back-off. 42xx: it tries again as `bye.reconnectAfterMs` says.
 */
export const CLOSE_CODES = {
  bad_request: 4000,
  unauthorized: 4001,
  forbidden: 4003,
  version: 4006,
  too_many_connections: 4009,
  abuse: 4029,
  token_expired: 4101,
  too_slow: 4108,
  no_pong: 4109,
  rate_limited: 4113,
  server_error: 4150,
  hello_timeout: 4151,
  shutdown: 4200,
  rebalance: 4201,
  resync: 4202,
} as const

export type CloseName = keyof typeof CLOSE_CODES
export type CloseCode = (typeof CLOSE_CODES)[CloseName]

/** The code of a socket that ended without a close frame (RFC 6455, 7.1.5). */
export const LOST = 1006

/** Whether the server closes again a client that changes nothing: 40xx, also a code that this version does not know. */
export function isRefusal(code: number): boolean {
  return code >= 4000 && code < 4100
}

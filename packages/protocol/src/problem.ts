/** Every code an HTTP problem or a socket `error` may carry; each has a heading in docs/errors.md. */
export const PROBLEMS = {
  bad_request: 400,
  validation: 422,
  unauthorized: 401,
  forbidden: 403,
  origin_not_allowed: 403,
  host_not_allowed: 403,
  not_found: 404,
  already_exists: 409,
  conflict: 409,
  not_controllable: 409,
  no_reconnect: 409,
  idempotency_conflict: 409,
  payload_too_large: 413,
  limit_watch: 400,
  rate_limited: 429,
  too_many_connections: 429,
  internal: 500,
  database_unavailable: 503,
  secret_key_missing: 503,
  shutting_down: 503,
} as const

export type ProblemCode = keyof typeof PROBLEMS

export interface FieldError {
  readonly field: string
  readonly code: string
  readonly message: string
}

/** `application/problem+json` (RFC 9457) with a stable string `code`. */
export interface Problem {
  readonly type: 'about:blank'
  readonly title: string
  readonly status: number
  readonly code: ProblemCode
  readonly detail?: string
  readonly errors?: readonly FieldError[]
  /** Whether the server may have made the change; absent if it has changed nothing. */
  readonly outcome?: 'unknown'
}

import { PROBLEMS } from '@mqtt-status/protocol'
import type { FieldError, ProblemCode } from '@mqtt-status/protocol'

export interface StatusErrorOptions {
  readonly cause?: unknown
  readonly fields?: readonly FieldError[]
  readonly retryAfterS?: number | null
  readonly outcome?: 'none' | 'unknown'
  /** The HTTP status, where it differs from that of the code. */
  readonly status?: number
}

/**
 * A refusal that the server sends to the caller: a stable code and a message that says what, why and what to do. The server
 * writes all other errors to the log, and sends no part of them.
 */
export class StatusError extends Error {
  override readonly name = 'StatusError'
  readonly code: ProblemCode
  /** The HTTP status of the answer. */
  readonly status: number
  readonly fields: readonly FieldError[]
  /** The time after which the caller may try again, in seconds; `null` where waiting does not help. */
  readonly retryAfterS: number | null
  /** `unknown`: the server may have made the requested change. */
  readonly outcome: 'none' | 'unknown'

  constructor(
    code: ProblemCode,
    message: string,
    {
      cause,
      fields = [],
      retryAfterS = null,
      outcome = 'none',
      status = PROBLEMS[code],
    }: StatusErrorOptions = {},
  ) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.status = status
    this.fields = fields
    this.retryAfterS = retryAfterS
    this.outcome = outcome
  }
}

/** The process can't start with its settings; it prints the message for the operator, without a stack. */
export class SetupError extends Error {
  override readonly name = 'SetupError'
}

import { PROBLEMS } from '@mqtt-status/protocol'
import type { FieldError, ProblemCode } from '@mqtt-status/protocol'

export interface StatusErrorOptions {
  readonly cause?: unknown
  readonly fields?: readonly FieldError[]
  readonly retryAfterS?: number | null
  readonly outcome?: 'none' | 'unknown'
  /** Where HTTP has a more exact one than that of the code. */
  readonly status?: number
}

/**
 * A refusal that a caller may be shown: a stable code and a message that says what, why and what to do. Whatever
 * else is thrown is a fault of ours and reaches nobody but the log.
 */
export class StatusError extends Error {
  override readonly name = 'StatusError'
  readonly code: ProblemCode
  /** How it is answered over HTTP. */
  readonly status: number
  readonly fields: readonly FieldError[]
  /** When it is worth trying again, in seconds; `null` where waiting does not help. */
  readonly retryAfterS: number | null
  /** `unknown`: what was asked for may have been done. */
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

/** The process can't start as it is set up; the message is for the operator and is printed without a stack. */
export class SetupError extends Error {
  override readonly name = 'SetupError'
}

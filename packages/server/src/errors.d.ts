import type { FieldError, ProblemCode } from '@mqtt-status/protocol'
/**
 * A refusal that a caller may be shown: a stable code and a message that says what, why and what to do. Whatever
 * else is thrown is a fault of ours and reaches nobody but the log.
 */
export declare class StatusError extends Error {
  readonly name = 'StatusError'
  readonly code: ProblemCode
  readonly fields: readonly FieldError[]
  constructor(
    code: ProblemCode,
    message: string,
    {
      cause,
      fields,
    }?: {
      cause?: unknown
      fields?: readonly FieldError[]
    },
  )
}
/** The process can't start as it is set up; the message is for the operator and is printed without a stack. */
export declare class SetupError extends Error {
  readonly name = 'SetupError'
}

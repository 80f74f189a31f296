export type FaultCode =
  | 'required'
  | 'type'
  | 'choice'
  | 'range'
  | 'format'
  | 'too_long'
  | 'too_many'
  | 'unknown_field'
  | 'expired'
  /** It does not go together with another field. */
  | 'conflict'

/** What is wrong with one field. */
export interface FieldFault {
  /** The place as `tls.ca` or `topics.0`. */
  readonly field: string
  readonly code: FaultCode
  /** What is expected; never the value that was found. */
  readonly message: string
}

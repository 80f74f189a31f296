/** Faults of settings, with codes that stay stable for programs. */
import type * as v from 'valibot'

/** The codes of faults. The first ones depend on the settings only. */
type FaultCode =
  | 'required'
  | 'type'
  | 'choice'
  | 'range'
  | 'format'
  | 'too_long'
  | 'too_many'
  | 'unknown_field'
  | 'expired'
  /** The field contradicts another field. */
  | 'conflict'
  /** These depend on the stored row, the token or the dial guard. */
  | 'required_anew'
  | 'immutable'
  | 'taken'
  | 'reference'
  | 'reference_forbidden'
  | 'address_blocked'

/** What is wrong with one field. */
export interface FieldFault {
  /** The place as `tls.ca` or `topics.0`. */
  readonly field: string
  readonly code: FaultCode
  /** Says what is expected. It never repeats the value that was found, which may be a secret in the wrong place. */
  readonly message: string
}

/** The code for each kind of valibot issue; any other kind is `format`. */
const CODES: Readonly<Record<string, FaultCode>> = {
  picklist: 'choice',
  number: 'type',
  string: 'type',
  boolean: 'type',
  array: 'type',
  custom: 'type',
  integer: 'range',
  min_value: 'range',
  max_value: 'range',
  max_bytes: 'too_long',
  max_length: 'too_long',
  max_entries: 'too_many',
}

/** The code of a valibot issue. */
export function codeOf({ type, input }: v.BaseIssue<unknown>): FaultCode {
  return type === 'max_length' && Array.isArray(input) ? 'too_many' : (CODES[type] ?? 'format')
}

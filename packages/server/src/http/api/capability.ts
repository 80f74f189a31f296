/** What the caller may do, as opposed to see: what may not be seen is not there (404), what may not be done is refused (403). */
import type { Capability } from '@mqtt-status/protocol'
import type { Scope } from '../../auth/scope.ts'
import { StatusError } from '../../errors.ts'

/** @throws StatusError `forbidden` */
export function requireCapability({ can }: Scope, capability: Capability): void {
  if (can.includes(capability)) return
  throw new StatusError(
    'forbidden',
    `This needs the capability "${capability}", which the token, or a page of this origin, does not have.`,
  )
}

export function notFound(): StatusError {
  return new StatusError('not_found', 'There is no such connection, or it may not be seen.')
}

/** Combines the failed attempts at the addresses of one host into one failure. */
import type { Reason } from '@mqtt-status/protocol'
import { fromError } from './classify-failure.ts'
import { clean } from './detail.ts'
import type { Failure } from './failure.ts'

export interface Attempt {
  readonly address: string
  /** `null`: the address did not answer in time. */
  readonly error: Error | null
}

/**
 * The reason of the host is the first of these that an attempt has. A fault of this server comes first, because without it the
 * address might have answered. A refusal comes before a time-out, and a time-out before a missing route, because many machines
 * only lack a route for IPv6.
 */
const BY_WEIGHT: readonly Reason[] = [
  'local_resources',
  'local_ports_exhausted',
  'connection_refused',
  'connection_reset',
  'network_error',
  'connect_timeout',
  'host_unreachable',
]

/** @param attempts at least one */
export function fromAttempts(attempts: readonly Attempt[]): Failure {
  const failures = attempts.map(({ error }) => (error === null ? SILENT : fromError(error, false)))
  const [only] = failures
  if (failures.length === 1 && only !== undefined) return only
  const worst = failures.toSorted((a, b) => rank(a.reason) - rank(b.reason))[0] ?? SILENT
  const each = attempts.map(({ address, error }) => `${address} ${codeOf(error)}`).join(', ')
  return { ...worst, detail: clean(`No address of the broker could be reached: ${each}.`) }
}

const SILENT: Failure = { reason: 'connect_timeout', detail: null, code: null }

function rank(reason: Reason): number {
  const at = BY_WEIGHT.indexOf(reason)
  return at < 0 ? BY_WEIGHT.length : at
}

function codeOf(error: Error | null): string {
  if (error === null) return 'no answer'
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message
}

/** From what became of each address of a host to one failure. */
import type { Reason } from '@mqtt-status/protocol'
import { clean, fromError } from './reasons.ts'
import type { Failure } from './failure.ts'

export interface Attempt {
  readonly address: string
  /** `null`: no answer in time. */
  readonly error: Error | null
}

/**
 * The first of these that an address has met is the reason: with a fault of this server the address might have answered,
 * a refusal says more than silence, and silence more than a missing route, which is often one of IPv6 only.
 */
const TELLING: readonly Reason[] = [
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
  const at = TELLING.indexOf(reason)
  return at < 0 ? TELLING.length : at
}

function codeOf(error: Error | null): string {
  if (error === null) return 'no answer'
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message
}

/**
 * Whose fault a failed dial is. A gate stands before a host and port that many connections share, so it learns from
 * failures of the broker and of its host alone; a failure of one row, or of this machine, says nothing to the others.
 */
import type { Reason } from '@mqtt-status/protocol'
import type { Failure } from './failure.ts'

/** How far a dial had come when it failed; `up`: the broker had accepted the connection and its subscriptions. */
export type Step = 'settings' | 'lookup' | 'tcp' | 'tls' | 'websocket' | 'connack' | 'suback' | 'up'

/**
 * - `row`: settings, credentials, certificates, client id, rights at the broker
 * - `broker`: what answers at the port, but does not get as far as CONNACK with any client
 * - `host`: nothing answers at the address and port
 * - `names`: the name servers
 * - `network`: the way to a broker that was reached before
 * - `machine`: this server
 */
export type Party = 'row' | 'broker' | 'host' | 'names' | 'network' | 'machine'

/** What the gate of a broker knows when a dial fails. */
export interface Circumstances {
  readonly step: Step
  readonly reason: Reason
  /** Whether the broker keeps a connection at this moment, or has accepted one recently, of whichever row. */
  readonly answered: boolean
}

/**
 * What a reason is about, whatever the step. `step`: the reason does not say it, for example a connection that is closed
 * without a word.
 */
const ABOUT: Readonly<Record<Reason, Party | 'step'>> = {
  dns_not_found: 'names',
  dns_temporary: 'names',
  connection_refused: 'host',
  host_unreachable: 'host',
  connect_timeout: 'step',
  connection_reset: 'step',
  network_error: 'step',
  local_resources: 'machine',
  local_ports_exhausted: 'machine',
  keepalive_timeout: 'network',
  closed_by_broker: 'step',
  // A broker that many rows do not trust is seen by each of them at its first dial; the next row may trust it.
  tls_untrusted: 'row',
  tls_expired: 'row',
  tls_not_yet_valid: 'row',
  tls_revoked: 'row',
  tls_hostname: 'row',
  tls_unknown_name: 'row',
  tls_client_cert: 'row',
  tls_version: 'row',
  tls_weak: 'row',
  tls_handshake: 'step',
  websocket_refused: 'step',
  not_mqtt: 'step',
  protocol_error: 'row',
  bad_credentials: 'row',
  not_authorized: 'row',
  client_id_rejected: 'row',
  protocol_version: 'row',
  banned: 'row',
  auth_method: 'row',
  will_rejected: 'row',
  server_unavailable: 'step',
  server_busy: 'step',
  server_shutting_down: 'step',
  session_taken_over: 'row',
  server_keepalive: 'row',
  quota: 'row',
  admin_action: 'row',
  use_another_server: 'row',
  server_moved: 'row',
  rate_exceeded: 'step',
  max_connect_time: 'row',
  subscription_denied: 'row',
  config_invalid: 'row',
  address_blocked: 'row',
  secret_unreadable: 'row',
  command: 'row',
  startup: 'row',
  config_changed: 'row',
  owner_lost: 'row',
  supervisor_lost: 'row',
  handover: 'row',
  flapping: 'row',
  client_id_conflict: 'row',
}

export function partyOf({ step, reason, answered }: Circumstances): Party {
  const about = ABOUT[reason]
  return about === 'step' ? partyAt(step, answered) : about
}

function partyAt(step: Step, answered: boolean): Party {
  switch (step) {
    case 'settings':
      return 'row'
    case 'lookup':
      return 'names'
    case 'tcp':
      return 'host'
    case 'tls':
    case 'websocket':
    case 'connack':
      return answered ? 'row' : 'broker'
    case 'suback':
    case 'up':
      // The broker has accepted this very connection before.
      return 'row'
  }
}

/** Whether a refusal shows that the broker works: it has answered in MQTT, and its answer is about the row. */
export function isAnswer({ reason, code }: Pick<Failure, 'reason' | 'code'>): boolean {
  return code !== null && ABOUT[reason] === 'row'
}

/** Whether the failure shows that something listens at the port. */
export function reachesHost(step: Step): boolean {
  return step !== 'settings' && step !== 'lookup' && step !== 'tcp'
}

/**
 * Decides which party a failed dial is attributed to. Many connections share the gate of a host and port, so only failures of
 * the broker or of its host close the gate. A failure of one row or of this machine does not affect other connections.
 */
import type { Reason } from '@mqtt-status/protocol'
import type { Failure } from './failure.ts'

/** The step at which a dial failed; `up`: the broker had accepted the connection and its subscriptions. */
export type Step = 'settings' | 'lookup' | 'tcp' | 'tls' | 'websocket' | 'connack' | 'suback' | 'up'

/**
 * - `row`: settings, credentials, certificates, client id, rights at the broker
 * - `broker`: a program listens at the port, but sends no client a CONNACK
 * - `host`: no program answers at the address and port
 * - `names`: the name servers
 * - `network`: the network between this server and a broker that has accepted clients before
 * - `machine`: the machine that this server runs on
 */
export type Party = 'row' | 'broker' | 'host' | 'names' | 'network' | 'machine'

/** What the gate of a broker knows when a dial fails. */
export interface Circumstances {
  readonly step: Step
  readonly reason: Reason
  /** Whether the broker keeps a connection of any row at this moment, or has accepted one recently. */
  readonly answered: boolean
}

/**
 * The party of each reason. `step`: the party depends on the step of the dial, for example when the broker closes the
 * connection without a reason code.
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
  // Whether a certificate is trusted depends on the `tls` settings of the row: the next row may trust it.
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
      // The broker has sent this client a CONNACK, so it works.
      return 'row'
  }
}

/** Whether a refusal shows that the broker works: the broker has sent an MQTT code, and the code concerns the row. */
export function isAnswer({ reason, code }: Pick<Failure, 'reason' | 'code'>): boolean {
  return code !== null && ABOUT[reason] === 'row'
}

/** Whether a dial that failed at this step had an open TCP connection. */
export function reachesHost(step: Step): boolean {
  return step !== 'settings' && step !== 'lookup' && step !== 'tcp'
}

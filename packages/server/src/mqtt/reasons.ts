/** From what the network, TLS or the broker say to one reason code. */
import type { Reason } from '@mqtt-status/protocol'
import type { Failure } from './session-state.ts'

const NETWORK: Readonly<Record<string, Reason>> = {
  ENOTFOUND: 'dns_not_found',
  EAI_AGAIN: 'dns_temporary',
  ECONNREFUSED: 'connection_refused',
  EHOSTUNREACH: 'host_unreachable',
  ENETUNREACH: 'host_unreachable',
  EADDRNOTAVAIL: 'host_unreachable',
  ETIMEDOUT: 'connect_timeout',
  ECONNRESET: 'connection_reset',
  EPIPE: 'connection_reset',
  SELF_SIGNED_CERT_IN_CHAIN: 'tls_untrusted',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'tls_untrusted',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'tls_untrusted',
  UNABLE_TO_GET_ISSUER_CERT: 'tls_untrusted',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'tls_untrusted',
  CERT_UNTRUSTED: 'tls_untrusted',
  INVALID_CA: 'tls_untrusted',
  INVALID_PURPOSE: 'tls_untrusted',
  HOSTNAME_MISMATCH: 'tls_hostname',
  CERT_HAS_EXPIRED: 'tls_expired',
  CERT_NOT_YET_VALID: 'tls_expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'tls_hostname',
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: 'tls_client_cert',
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: 'tls_client_cert',
  'ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE': 'tls_client_cert',
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: 'tls_client_cert',
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: 'tls_client_cert',
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: 'tls_client_cert',
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_REVOKED: 'tls_client_cert',
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: 'tls_client_cert',
  // A plain server behind a TLS dial, or the other way round.
  ERR_SSL_WRONG_VERSION_NUMBER: 'connection_reset',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'connection_reset',
  EPROTO: 'connection_reset',
}

/** Answers of a web server that is asked for a WebSocket; any other means that it does not serve MQTT there. */
const HTTP: Readonly<Record<number, Reason>> = {
  401: 'bad_credentials',
  403: 'not_authorized',
  429: 'rate_exceeded',
  500: 'server_unavailable',
  502: 'server_unavailable',
  503: 'server_unavailable',
  504: 'server_unavailable',
}

/** Return codes of CONNACK in MQTT 3.1.1 (3.2.2.3). */
const CONNACK_3: Readonly<Record<number, Reason>> = {
  1: 'protocol_version',
  2: 'client_id_rejected',
  3: 'server_unavailable',
  4: 'bad_credentials',
  5: 'not_authorized',
}

/** Reason codes of CONNACK and DISCONNECT in MQTT 5 (2.4). */
const MQTT_5: Readonly<Record<number, Reason>> = {
  129: 'not_mqtt',
  130: 'not_mqtt',
  132: 'protocol_version',
  133: 'client_id_rejected',
  134: 'bad_credentials',
  135: 'not_authorized',
  136: 'server_unavailable',
  137: 'server_busy',
  138: 'banned',
  139: 'server_shutting_down',
  140: 'auth_method',
  141: 'server_keepalive',
  142: 'session_taken_over',
  144: 'will_rejected',
  150: 'rate_exceeded',
  151: 'quota',
  152: 'admin_action',
  153: 'will_rejected',
  154: 'will_rejected',
  155: 'will_rejected',
  156: 'use_another_server',
  157: 'server_moved',
  159: 'rate_exceeded',
  160: 'max_connect_time',
}

const MIX_UP =
  'The connection was reset before the broker answered: are TLS and plain ports mixed up?'
const DETAIL_LENGTH = 300

/** An `error` of the client or of its stream. */
export function fromError(error: unknown, accepted: boolean): Failure {
  const message = error instanceof Error ? error.message : 'unknown failure'
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined
  if (typeof code === 'number') return fromCode(code, clean(message))
  if (typeof code === 'string') {
    const reason = NETWORK[code]
    if (reason !== undefined) return networkFailure(reason, clean(message), accepted)
    if (code.startsWith('ERR_SSL_') || code.startsWith('CERT_')) {
      return { reason: 'tls_untrusted', detail: clean(message), code: null }
    }
  }
  return fromMessage(message)
}

/** Failures that have no code. */
function fromMessage(message: string): Failure {
  const refused = /^Unexpected server response: (\d+)$/.exec(message)?.[1]
  if (refused !== undefined) return fromHttp(Number(refused))
  if (/connack timeout|handshake has timed out/i.test(message))
    return { reason: 'connect_timeout', detail: null, code: null }
  if (/keepalive timeout/i.test(message))
    return { reason: 'keepalive_timeout', detail: null, code: null }
  // What is left comes from the parser: the other side speaks something else.
  return { reason: 'not_mqtt', detail: clean(message), code: null }
}

/** A return or reason code of the broker. */
export function fromCode(code: number, detail: string | null): Failure {
  const reason = code < 128 ? CONNACK_3[code] : MQTT_5[code]
  return { reason: reason ?? 'closed_by_broker', detail, code }
}

function fromHttp(status: number): Failure {
  return {
    reason: HTTP[status] ?? 'not_mqtt',
    detail: `The web server answered ${status} instead of opening a WebSocket.`,
    code: null,
  }
}

/** The end of a connection that nothing was said about. */
export function fromSilence(accepted: boolean): Failure {
  const detail = accepted ? null : 'The broker closed the connection before it was accepted.'
  return { reason: 'closed_by_broker', detail, code: null }
}

/** Text of strangers: one line, no control characters, no credentials, not too long; `null` if nothing is left. */
export function clean(text: string | undefined): string | null {
  const line = (text ?? '')
    .replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ')
    .replace(/\/\/[^\s/@]*@/g, '//')
    .replace(/ {2,}/g, ' ')
    .trim()
  return line === '' ? null : line.slice(0, DETAIL_LENGTH)
}

/** A broker may repeat what it was told, and what it says is shown to people. */
export function withoutSecret(failure: Failure, secret: string | null): Failure {
  const { detail } = failure
  if (detail === null || secret === null || secret === '') return failure
  return detail.includes(secret) ? { ...failure, detail: detail.replaceAll(secret, '…') } : failure
}

function networkFailure(reason: Reason, detail: string | null, accepted: boolean): Failure {
  return {
    reason,
    detail: reason === 'connection_reset' && !accepted ? MIX_UP : detail,
    code: null,
  }
}

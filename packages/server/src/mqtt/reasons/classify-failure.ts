/**
 * Classifies failures: maps an error of the network, of TLS or of a web server, or a code of the broker, to one reason code. A
 * code that no table here lists is transient: only a listed code can make a connection `failed`, and only an error of a parser
 * becomes `not_mqtt`.
 */
import type { Reason } from '@mqtt-status/protocol'
import { BrokerFault } from './broker-fault.ts'
import { clean } from './detail.ts'
import { lookupReason, networkReason } from './network-reasons.ts'
import type { Failure } from './failure.ts'
import { tlsError } from './tls-reasons.ts'

/**
 * HTTP status codes with which a web server refuses the upgrade. Any other 5xx is `server_unavailable`; every other code is
 * `websocket_refused`, which the server retries slowly, because a proxy also answers 404 while its broker starts.
 */
const HTTP: Readonly<Record<number, Reason>> = {
  401: 'bad_credentials',
  403: 'not_authorized',
  408: 'server_unavailable',
  425: 'server_unavailable',
  429: 'rate_exceeded',
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
  129: 'protocol_error',
  130: 'protocol_error',
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
  147: 'protocol_error',
  148: 'protocol_error',
  149: 'protocol_error',
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

/**
 * An error of the stream: the network, TLS, or the web server of a WebSocket.
 *
 * @param accepted whether the broker has sent CONNACK
 */
export function fromError(error: unknown, accepted: boolean): Failure {
  if (error instanceof BrokerFault) return fromFault(error, accepted)
  const { code, message } = partsOf(error)
  if (typeof code === 'number') return fromCode(code, clean(message))
  if (code === null) return fromMessage(message)
  if (isParserError(code)) return unparsable(message, accepted)
  const tls = tlsError(code, message)
  if (tls?.reason === 'tls_not_yet_valid') return notYetValid(error)
  if (tls !== null) return dialFailure(tls.reason, tls.words ?? named(code, message), accepted)
  const address = error instanceof Error && 'address' in error ? error.address : null
  const reason = networkReason(code, address) ?? 'network_error'
  return dialFailure(reason, named(code, message), accepted)
}

/** A peer that has not sent a valid CONNACK is no broker, and the length of its first packet means nothing. */
function fromFault({ reason, message }: BrokerFault, accepted: boolean): Failure {
  if (reason === 'protocol_error') return unparsable(message, accepted)
  return { reason, detail: clean(message), code: null }
}

/** An error of the MQTT client. An error without a code comes from the parser: the peer speaks another protocol. */
export function fromClient(error: unknown, accepted: boolean): Failure {
  const { code, message } = partsOf(error)
  if (code !== null) return fromError(error, accepted)
  // MQTT.js rejects a subscription with this text when the broker has closed the connection.
  if (/^connection closed$/i.test(message)) return fromSilence(accepted)
  return timeout(message) ?? unparsable(message, accepted)
}

/**
 * An error that Node throws before it dials. Some settings turn out to be impossible only here, for example a host that makes
 * no valid URL: the reason is `config_invalid`. Every other error is classified like an error of the stream.
 */
export function fromThrown(error: unknown): Failure {
  const { code, message } = partsOf(error)
  const isSetting =
    error instanceof SyntaxError ||
    (typeof code === 'string' && /^ERR_(INVALID|SOCKET_BAD|OSSL|SSL|TLS|CRYPTO)/.test(code))
  if (isSetting && !/malloc/i.test(message))
    return { reason: 'config_invalid', detail: clean(message), code: null }
  return fromError(error, false)
}

/** An error of a DNS lookup. */
export function fromLookup(error: unknown): Failure {
  const { code, message } = partsOf(error)
  const reason = typeof code === 'string' ? lookupReason(code) : 'dns_temporary'
  return { reason, detail: clean(message), code: null }
}

/** The stream adds `validFrom`, from which on every certificate of the chain is valid, if Node has handed the chain out. */
function notYetValid(error: unknown): Failure {
  const reason = 'tls_not_yet_valid'
  const validFrom = error instanceof Error && 'validFrom' in error ? error.validFrom : null
  if (!(validFrom instanceof Date))
    return { reason, detail: 'The certificate is not valid yet.', code: null }
  const detail = `The certificate is valid from ${validFrom.toISOString()}.`
  return { reason, detail, code: null, overInMs: Math.max(0, validFrom.getTime() - Date.now()) }
}

/** Failures of the stream that have no code. */
function fromMessage(message: string): Failure {
  const refused = /^Unexpected server response: (\d+)$/.exec(message)?.[1]
  if (refused !== undefined) return fromHttp(Number(refused))
  // Errors of `ws` for an answer that is not a valid WebSocket handshake.
  if (/^(Invalid (Upgrade|Sec-WebSocket)|Server sent (an invalid|no) subprotocol)/.test(message))
    return { reason: 'websocket_refused', detail: clean(message), code: null }
  return timeout(message) ?? { reason: 'network_error', detail: clean(message), code: null }
}

function timeout(message: string): Failure | null {
  if (/connack timeout|handshake has timed out/i.test(message))
    return { reason: 'connect_timeout', detail: null, code: null }
  if (/keepalive timeout/i.test(message))
    return { reason: 'keepalive_timeout', detail: null, code: null }
  return null
}

/** The parsers of HTTP and of WebSocket frames. */
function isParserError(code: string): boolean {
  return code.startsWith('HPE_') || code.startsWith('WS_ERR_')
}

/** A peer that has sent a valid CONNACK is a broker, so its later garbage is `protocol_error`. */
function unparsable(message: string, accepted: boolean): Failure {
  return { reason: accepted ? 'protocol_error' : 'not_mqtt', detail: clean(message), code: null }
}

interface ErrorParts {
  readonly code: string | number | null
  readonly message: string
}

function partsOf(error: unknown): ErrorParts {
  if (!(error instanceof Error)) return { code: null, message: 'unknown failure' }
  const code: unknown = 'code' in error ? error.code : null
  return {
    code: typeof code === 'string' || typeof code === 'number' ? code : null,
    message: error.message,
  }
}

function named(code: string, message: string): string {
  return message.includes(code) ? message : `${message} (${code})`
}

/** A reason code of the broker in DISCONNECT. Unlike CONNACK, DISCONNECT exists in MQTT 5 only, so it has no return codes of 3.1.1. */
export function fromDisconnect(code: number, detail: string | null): Failure {
  return { reason: MQTT_5[code] ?? 'closed_by_broker', detail, code }
}

/** A return or reason code of the broker in CONNACK. */
export function fromCode(code: number, detail: string | null): Failure {
  const reason = code < 128 ? CONNACK_3[code] : MQTT_5[code]
  return { reason: reason ?? 'closed_by_broker', detail, code }
}

function fromHttp(status: number): Failure {
  return {
    reason: HTTP[status] ?? (status >= 500 ? 'server_unavailable' : 'websocket_refused'),
    detail: `The web server answered ${status} instead of opening a WebSocket.`,
    code: null,
  }
}

/** The broker closed the connection without a packet and without an error. */
export function fromSilence(accepted: boolean): Failure {
  const detail = accepted ? null : 'The broker closed the connection before it was accepted.'
  return { reason: 'closed_by_broker', detail, code: null }
}

function dialFailure(reason: Reason, detail: string, accepted: boolean): Failure {
  const mixedUp = reason === 'connection_reset' && !accepted
  return { reason, detail: mixedUp ? MIX_UP : clean(detail), code: null }
}

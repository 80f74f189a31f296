/**
 * From what the network, TLS, a web server or the broker say to one reason code. What is unknown is temporary: only a
 * code that is listed can make a connection `failed`, and only a parser says `not_mqtt`.
 */
import type { Reason } from '@mqtt-status/protocol'
import { lookupReason, networkReason } from './network-reasons.ts'
import type { Failure } from './failure.ts'
import { tlsError } from './tls-reasons.ts'

/**
 * Answers of a web server to the upgrade. Any other 5xx is `server_unavailable`; the rest is `websocket_refused`, and is
 * tried again slowly, because a proxy answers 404 too while what is behind it starts.
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
const DETAIL_LENGTH = 300

/**
 * An error of the stream: the network, TLS, or the web server of a WebSocket.
 *
 * @param accepted whether the broker has sent CONNACK
 */
export function fromError(error: unknown, accepted: boolean): Failure {
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

/** An error of the MQTT client. Without a code it comes from the parser: the other side speaks something else. */
export function fromClient(error: unknown, accepted: boolean): Failure {
  const { code, message } = partsOf(error)
  if (code !== null) return fromError(error, accepted)
  // What MQTT.js says to a subscription that the broker has closed the connection on.
  if (/^connection closed$/i.test(message)) return fromSilence(accepted)
  return timeout(message) ?? unparsable(message, accepted)
}

/**
 * What is thrown before anything is dialled: settings that only show that they are impossible when they are used, for
 * example a name that makes no address of a web server. Anything else may be over at the next try.
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

/** An error of the lookup of a name. */
export function fromLookup(error: unknown): Failure {
  const { code, message } = partsOf(error)
  const reason = typeof code === 'string' ? lookupReason(code) : 'dns_temporary'
  return { reason, detail: clean(message), code: null }
}

/** The stream adds the first moment at which every certificate of the broker is valid, where it knows it. */
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
  // What `ws` says of a web server whose answer opens no WebSocket.
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

/** A peer that has spoken MQTT before is still a broker. */
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

/** The reason code of a DISCONNECT, which has none of CONNACK's return codes. */
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

/** A broker can repeat the password in its text, and that text is shown to viewers. */
export function withoutSecret(failure: Failure, secret: string | null): Failure {
  const { detail } = failure
  if (detail === null || secret === null || secret === '') return failure
  return detail.includes(secret) ? { ...failure, detail: detail.replaceAll(secret, '…') } : failure
}

function dialFailure(reason: Reason, detail: string, accepted: boolean): Failure {
  const mixedUp = reason === 'connection_reset' && !accepted
  return { reason, detail: mixedUp ? MIX_UP : clean(detail), code: null }
}

/**
 * The reasons of what TLS says: the verification of the broker's certificate (X509_V_ERR_…), OpenSSL's errors (SSL_R_…),
 * alerts of the broker, and Node's own errors. What is not listed is `tls_handshake`, which is retried like an outage.
 */
import type { Reason } from '@mqtt-status/protocol'

/** Verdicts about the broker's certificate, as Node names them. */
const VERDICTS: Readonly<Record<string, Reason>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: 'tls_untrusted',
  SELF_SIGNED_CERT_IN_CHAIN: 'tls_untrusted',
  UNABLE_TO_GET_ISSUER_CERT: 'tls_untrusted',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'tls_untrusted',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'tls_untrusted',
  UNABLE_TO_DECRYPT_CERT_SIGNATURE: 'tls_untrusted',
  UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY: 'tls_untrusted',
  CERT_SIGNATURE_FAILURE: 'tls_untrusted',
  CERT_CHAIN_TOO_LONG: 'tls_untrusted',
  CERT_UNTRUSTED: 'tls_untrusted',
  CERT_REJECTED: 'tls_untrusted',
  INVALID_CA: 'tls_untrusted',
  INVALID_PURPOSE: 'tls_untrusted',
  PATH_LENGTH_EXCEEDED: 'tls_untrusted',
  ERROR_IN_CERT_NOT_BEFORE_FIELD: 'tls_untrusted',
  ERROR_IN_CERT_NOT_AFTER_FIELD: 'tls_untrusted',
  // Verdicts that Node has no name for; `tooWeak` tells those about keys from the others.
  UNSPECIFIED: 'tls_untrusted',
  CERT_HAS_EXPIRED: 'tls_expired',
  CERT_NOT_YET_VALID: 'tls_not_yet_valid',
  CERT_REVOKED: 'tls_revoked',
  // No usable list says whether the certificate was revoked.
  UNABLE_TO_GET_CRL: 'tls_untrusted',
  UNABLE_TO_DECRYPT_CRL_SIGNATURE: 'tls_untrusted',
  CRL_SIGNATURE_FAILURE: 'tls_untrusted',
  CRL_NOT_YET_VALID: 'tls_untrusted',
  CRL_HAS_EXPIRED: 'tls_untrusted',
  ERROR_IN_CRL_LAST_UPDATE_FIELD: 'tls_untrusted',
  ERROR_IN_CRL_NEXT_UPDATE_FIELD: 'tls_untrusted',
  HOSTNAME_MISMATCH: 'tls_hostname',
  EMAIL_MISMATCH: 'tls_hostname',
  IP_ADDRESS_MISMATCH: 'tls_hostname',
  ERR_TLS_CERT_ALTNAME_INVALID: 'tls_hostname',
  ERR_TLS_CERT_ALTNAME_FORMAT: 'tls_hostname',
  ERR_TLS_DH_PARAM_SIZE: 'tls_weak',
  ERR_TLS_HANDSHAKE_TIMEOUT: 'connect_timeout',
  OUT_OF_MEM: 'local_resources',
}

/** Errors of OpenSSL, without `ERR_SSL_`. */
const ERRORS: Readonly<Record<string, Reason>> = {
  CERTIFICATE_VERIFY_FAILED: 'tls_untrusted',
  UNSUPPORTED_PROTOCOL: 'tls_version',
  UNSUPPORTED_SSL_VERSION: 'tls_version',
  UNKNOWN_SSL_VERSION: 'tls_version',
  WRONG_SSL_VERSION: 'tls_version',
  VERSION_TOO_LOW: 'tls_version',
  VERSION_TOO_HIGH: 'tls_version',
  NO_PROTOCOLS_AVAILABLE: 'tls_version',
  BAD_LEGACY_VERSION: 'tls_version',
  BAD_PROTOCOL_VERSION_NUMBER: 'tls_version',
  INAPPROPRIATE_FALLBACK: 'tls_version',
  DH_KEY_TOO_SMALL: 'tls_weak',
  EE_KEY_TOO_SMALL: 'tls_weak',
  CA_KEY_TOO_SMALL: 'tls_weak',
  CA_MD_TOO_WEAK: 'tls_weak',
  LEGACY_SIGALG_DISALLOWED_OR_UNSUPPORTED: 'tls_weak',
  UNSAFE_LEGACY_RENEGOTIATION_DISABLED: 'tls_weak',
  TLSV1_UNRECOGNIZED_NAME: 'tls_unknown_name',
  TLSV1_CERTIFICATE_UNOBTAINABLE: 'tls_client_cert',
  TLSV1_BAD_CERTIFICATE_STATUS_RESPONSE: 'tls_client_cert',
  TLSV1_BAD_CERTIFICATE_HASH_VALUE: 'tls_client_cert',
  // A plain server behind a TLS dial, or the other way round.
  WRONG_VERSION_NUMBER: 'connection_reset',
  PACKET_LENGTH_TOO_LONG: 'connection_reset',
  BAD_RECORD_TYPE: 'connection_reset',
  HTTP_REQUEST: 'connection_reset',
  HTTPS_PROXY_REQUEST: 'connection_reset',
  UNKNOWN_PROTOCOL: 'connection_reset',
  // The broker closed the socket without closing TLS.
  UNEXPECTED_EOF_WHILE_READING: 'connection_reset',
  MALLOC_FAILURE: 'local_resources',
}

/** Alerts of the broker; those about a certificate are about the one that this server has shown, or has not. */
const ALERTS: Readonly<Record<string, Reason>> = {
  BAD_CERTIFICATE: 'tls_client_cert',
  NO_CERTIFICATE: 'tls_client_cert',
  UNSUPPORTED_CERTIFICATE: 'tls_client_cert',
  CERTIFICATE_REVOKED: 'tls_client_cert',
  CERTIFICATE_EXPIRED: 'tls_client_cert',
  CERTIFICATE_UNKNOWN: 'tls_client_cert',
  CERTIFICATE_REQUIRED: 'tls_client_cert',
  UNKNOWN_CA: 'tls_client_cert',
  ACCESS_DENIED: 'tls_client_cert',
  PROTOCOL_VERSION: 'tls_version',
  INAPPROPRIATE_FALLBACK: 'tls_version',
  INSUFFICIENT_SECURITY: 'tls_weak',
  EXPORT_RESTRICTION: 'tls_weak',
  UNRECOGNIZED_NAME: 'tls_unknown_name',
}

/** OpenSSL names alerts by the version that brought them, and each release differs. */
const ALERT = /^(?:SSLV3|TLSV1|TLSV13|SSL\/TLS)_ALERT_(.+)$/
/** When data was written before the handshake, Node says EPROTO and quotes OpenSSL. */
const QUOTED = /:SSL routines:[^:]*:([^:]+):/
const OPENSSL = 'ERR_SSL_'
const HINTS: Readonly<Record<string, string>> = {
  HANDSHAKE_FAILURE: 'it may demand a client certificate, or share no cipher with this server',
  NO_APPLICATION_PROTOCOL: 'it demands a protocol (ALPN) that this server does not offer',
}

export interface TlsError {
  readonly reason: Reason
  /** In OpenSSL's words; `null` where the message of the error says more. */
  readonly words: string | null
}

/** What an error of TLS means; `null` if it is not one. */
export function tlsError(code: string, message: string): TlsError | null {
  const quoted = QUOTED.exec(message)?.[1] ?? null
  if (code === 'EPROTO' && quoted !== null)
    return fromOpenssl(quoted.toUpperCase().replaceAll(' ', '_'), quoted)
  if (code.startsWith(OPENSSL)) return fromOpenssl(code.slice(OPENSSL.length), quoted)
  const verdict = VERDICTS[code]
  if (verdict !== undefined)
    return { reason: tooWeak(code, message) ? 'tls_weak' : verdict, words: null }
  return code.startsWith('ERR_TLS_') ? { reason: 'tls_handshake', words: null } : null
}

/** @param words of OpenSSL; `null` where it has said none */
function fromOpenssl(name: string, words: string | null): TlsError {
  const alert = ALERT.exec(name)?.[1]
  const reason = (alert === undefined ? ERRORS[name] : ALERTS[alert]) ?? 'tls_handshake'
  if (words === null) return { reason, words }
  const hint = HINTS[alert ?? '']
  return { reason, words: `${words} (${OPENSSL}${name})${hint === undefined ? '' : `: ${hint}`}` }
}

function tooWeak(code: string, message: string): boolean {
  return code === 'UNSPECIFIED' && /too (weak|small)/i.test(message)
}

/**
 * The reasons for error codes of the operating system and of the resolver. A code that is not listed is `network_error`: the
 * server retries it like any other outage, and `detail` has the code. No code is permanent by default.
 */
import { isIPv6 } from 'node:net'
import { networkInterfaces } from 'node:os'
import type { Reason } from '@mqtt-status/protocol'

/** This machine lacks a resource that every dial needs. No broker is at fault. */
const LOCAL: Readonly<Record<string, Reason>> = {
  EMFILE: 'local_resources',
  ENFILE: 'local_resources',
  ENOBUFS: 'local_resources',
  ENOMEM: 'local_resources',
  ENOSR: 'local_resources',
  ENOSPC: 'local_resources',
  EAGAIN: 'local_resources',
  EWOULDBLOCK: 'local_resources',
  // A firewall or a policy of this machine forbids the dial.
  EACCES: 'local_resources',
  EPERM: 'local_resources',
  EADDRINUSE: 'local_ports_exhausted',
  EADDRNOTAVAIL: 'local_ports_exhausted',
}

const REMOTE: Readonly<Record<string, Reason>> = {
  ECONNREFUSED: 'connection_refused',
  EHOSTUNREACH: 'host_unreachable',
  EHOSTDOWN: 'host_unreachable',
  ENETUNREACH: 'host_unreachable',
  ENETDOWN: 'host_unreachable',
  ENONET: 'host_unreachable',
  // The address is of a family that this machine does not speak.
  EAFNOSUPPORT: 'host_unreachable',
  ETIMEDOUT: 'connect_timeout',
  ECONNRESET: 'connection_reset',
  ECONNABORTED: 'connection_reset',
  ENETRESET: 'connection_reset',
  ENOTCONN: 'connection_reset',
  EPIPE: 'connection_reset',
  ESHUTDOWN: 'connection_reset',
  ERR_STREAM_PREMATURE_CLOSE: 'connection_reset',
  EOF: 'closed_by_broker',
}

/** Codes of the resolver for a name that does not exist or has no address. */
const NO_SUCH_NAME: ReadonlySet<string> = new Set([
  'ENOTFOUND',
  'ENODATA',
  'ENONAME',
  'EBADNAME',
  'EAI_NONAME',
  'EAI_NODATA',
  'EAI_ADDRFAMILY',
  'EAI_OVERFLOW',
])

/** Codes for a resolver that does not work on this machine. */
const RESOLVER_BROKEN: ReadonlySet<string> = new Set([
  'EFILE',
  'ENOTINITIALIZED',
  'ELOADIPHLPAPI',
  'EADDRGETNETWORKPARAMS',
  'EAI_MEMORY',
])

/** Codes that only a lookup produces. */
const ONLY_LOOKUP =
  /^(EAI_\w+|ENOTFOUND|ENODATA|ENONAME|EFORMERR|ESERVFAIL|ENOTIMP|EREFUSED|EBAD(QUERY|NAME|FAMILY|RESP|STR|FLAGS|HINTS)|ETIMEOUT|EFILE|EDESTRUCTION|ENOTINITIALIZED|ELOADIPHLPAPI|EADDRGETNETWORKPARAMS|ECANCELLED)$/

/** @returns the reason for a code of a dial; `null` if no table lists the code */
export function networkReason(code: string, address: unknown): Reason | null {
  if (ONLY_LOOKUP.test(code)) return lookupReason(code)
  if (code === 'EADDRNOTAVAIL' && lacksFamilyOf(address)) return 'host_unreachable'
  return LOCAL[code] ?? REMOTE[code] ?? null
}

/** @returns the reason for a code of a lookup; `dns_temporary` if no table lists the code */
export function lookupReason(code: string): Reason {
  if (NO_SUCH_NAME.has(code)) return 'dns_not_found'
  if (RESOLVER_BROKEN.has(code)) return 'local_resources'
  return LOCAL[code] ?? 'dns_temporary'
}

/** On a machine without an IPv6 address Linux fails each IPv6 dial with EADDRNOTAVAIL, as if all local ports were in use. */
function lacksFamilyOf(address: unknown): boolean {
  if (typeof address !== 'string' || !isIPv6(address)) return false
  return !Object.values(networkInterfaces()).some((all) =>
    all?.some(({ family }) => family === 'IPv6'),
  )
}

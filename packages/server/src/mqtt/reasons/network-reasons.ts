/**
 * The reasons of what the operating system says about a dial. A code that is not listed is `network_error`, which is
 * retried like any other outage and keeps the code in its detail: no code is permanent by default.
 */
import { isIPv6 } from 'node:net'
import { networkInterfaces } from 'node:os'
import type { Reason } from '@mqtt-status/protocol'

/** This server lacks something that it needs for any dial. No broker is at fault. */
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

/** What the resolver says that is no answer of a name server: the name does not exist, or has no address. */
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

/** The resolver of this machine can't work. */
const RESOLVER_BROKEN: ReadonlySet<string> = new Set([
  'EFILE',
  'ENOTINITIALIZED',
  'ELOADIPHLPAPI',
  'EADDRGETNETWORKPARAMS',
  'EAI_MEMORY',
])

/** Codes that only a lookup has, so they need no context. */
const ONLY_LOOKUP =
  /^(EAI_\w+|ENOTFOUND|ENODATA|ENONAME|EFORMERR|ESERVFAIL|ENOTIMP|EREFUSED|EBAD(QUERY|NAME|FAMILY|RESP|STR|FLAGS|HINTS)|ETIMEOUT|EFILE|EDESTRUCTION|ENOTINITIALIZED|ELOADIPHLPAPI|EADDRGETNETWORKPARAMS|ECANCELLED)$/

/** The reason of a code of a dial; `null` if the code is not listed. */
export function networkReason(code: string, address: unknown): Reason | null {
  if (ONLY_LOOKUP.test(code)) return lookupReason(code)
  if (code === 'EADDRNOTAVAIL' && lacksFamilyOf(address)) return 'host_unreachable'
  return LOCAL[code] ?? REMOTE[code] ?? null
}

/** The reason of a code of a lookup; what is not listed is temporary. */
export function lookupReason(code: string): Reason {
  if (NO_SUCH_NAME.has(code)) return 'dns_not_found'
  if (RESOLVER_BROKEN.has(code)) return 'local_resources'
  return LOCAL[code] ?? 'dns_temporary'
}

/** Without any IPv6 address of its own, Linux says of each IPv6 dial that no local address is free. */
function lacksFamilyOf(address: unknown): boolean {
  if (typeof address !== 'string' || !isIPv6(address)) return false
  return !Object.values(networkInterfaces()).some((all) =>
    all?.some(({ family }) => family === 'IPv6'),
  )
}

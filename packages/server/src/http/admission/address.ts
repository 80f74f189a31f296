import type { IncomingMessage } from 'node:http'
import ipaddr from 'ipaddr.js'
import proxyAddr from 'proxy-addr'

/** Whose request it is, as a key for limits. */
export type AddressOf = (request: IncomingMessage) => string

/**
 * The forwarded address (`X-Forwarded-For`) is believed only as far as trusted proxies vouch for it: the nearest
 * address that is none of theirs is the caller. Without trusted proxies it is the other end of the socket.
 *
 * @param trustedProxies addresses, or ranges in CIDR notation
 */
export function createAddressOf(trustedProxies: readonly string[]): AddressOf {
  const trust = proxyAddr.compile([...trustedProxies])
  return (request) => group(proxyAddr(request, trust))
}

/** A subscriber of IPv6 is given a whole /64 (RFC 6177), so its addresses are one; IPv4 in IPv6 clothes is IPv4. */
function group(address: string | undefined): string {
  if (address === undefined || !ipaddr.isValid(address)) return 'unknown'
  const parsed = ipaddr.process(address)
  if (parsed.kind() === 'ipv4') return parsed.toString()
  return `${parsed.toNormalizedString().split(':').slice(0, 4).join(':')}::/64`
}

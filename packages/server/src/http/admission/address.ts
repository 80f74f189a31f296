import type { IncomingMessage } from 'node:http'
import ipaddr from 'ipaddr.js'
import proxyAddr from 'proxy-addr'

/** @returns the address of the client, as a key for limits */
export type AddressOf = (request: IncomingMessage) => string

/**
 * Reads `X-Forwarded-For` from right to left and skips the addresses of trusted proxies: the first other address is the client.
 * Without trusted proxies the client is the peer of the socket.
 *
 * @param trustedProxies addresses, or ranges in CIDR notation
 */
export function createAddressOf(trustedProxies: readonly string[]): AddressOf {
  const trust = proxyAddr.compile([...trustedProxies])
  return (request) => group(proxyAddr(request, trust))
}

/** A subscriber of IPv6 has a whole /64 (RFC 6177), so all its addresses are one key. An IPv4-mapped IPv6 address is IPv4. */
function group(address: string | undefined): string {
  if (address === undefined || !ipaddr.isValid(address)) return 'unknown'
  const parsed = ipaddr.process(address)
  if (parsed.kind() === 'ipv4') return parsed.toString()
  return `${parsed.toNormalizedString().split(':').slice(0, 4).join(':')}::/64`
}

/**
 * A row decides where this server connects to, so an editor of rows could make it connect to hosts of its own network
 * (SSRF). The guard checks every address at each dial: it resolves the name once and checks each address, and the dialer
 * connects to checked addresses only, so a second answer of the name server changes nothing (DNS rebinding).
 */
import { BlockList, isIP } from 'node:net'
import { interleave } from './addresses.ts'
import { fromLookup } from '../reasons/classify-failure.ts'
import type { Address, Asker, Resolver } from '../../dns/resolver.ts'
import type { Failure } from '../reasons/failure.ts'

export interface GuardRules {
  /** Address ranges that may be dialled in addition to public addresses. */
  readonly cidrs: readonly string[]
  /** Names that may be dialled whatever address they resolve to. */
  readonly hosts: readonly string[]
  readonly ports: readonly (number | readonly [from: number, to: number])[]
}

/** Addresses that no rule can allow: unspecified, multicast and broadcast addresses name no single host. */
const NO_HOST = ['0.0.0.0/8', '224.0.0.0/4', '255.255.255.255/32', '::/128', 'ff00::/8']

/** Addresses that are not public. NAT64 and 6to4 contain an IPv4 address, which `BlockList` does not check. */
const PRIVATE = [
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '240.0.0.0/4',
  '::1/128',
  '64:ff9b::/96',
  '64:ff9b:1::/48',
  '2002::/16',
  'fc00::/7',
  'fe80::/10',
]

export class DialGuard {
  readonly #hosts: ReadonlySet<string>
  readonly #ports: GuardRules['ports']
  readonly #noHost = listOf(NO_HOST)
  readonly #private = listOf(PRIVATE)
  readonly #allowed: BlockList
  readonly #resolver: Resolver

  constructor({ cidrs, hosts, ports }: GuardRules, resolver: Resolver) {
    this.#hosts = new Set(hosts.map((host) => host.toLowerCase()))
    this.#ports = ports
    this.#allowed = listOf(cidrs)
    this.#resolver = resolver
  }

  /** @returns the addresses that may be dialled, in the order of the attempts; or the failure if there are none */
  async check(
    { host, port }: { readonly host: string; readonly port: number },
    asker: Asker,
  ): Promise<{ readonly addresses: readonly string[] } | Failure> {
    if (
      !this.#ports.some((range) =>
        typeof range === 'number' ? range === port : range[0] <= port && port <= range[1],
      )
    ) {
      return blocked(`Port ${port} may not be dialled; MQTT_ALLOW_PORTS allows more.`)
    }
    let found: readonly Pick<Address, 'address'>[]
    try {
      const bare = host.replace(/^\[(.*)\]$/, '$1')
      found = isIP(bare) === 0 ? await this.#resolver.resolve(host, asker) : [{ address: bare }]
    } catch (error) {
      return fromLookup(error)
    }
    if (found.length === 0) return { reason: 'dns_not_found', detail: null, code: null }
    const named = this.#hosts.has(host.toLowerCase())
    // Node would look up any text that is not an address once more when it dials.
    const allowed = found.filter(
      ({ address }) => isIP(address) !== 0 && this.#permits(address, named),
    )
    return allowed.length === 0
      ? blocked('The address is not public; MQTT_ALLOW_CIDRS or MQTT_ALLOW_HOSTS allow more.')
      : { addresses: interleave(allowed.map(({ address }) => address)) }
  }

  #permits(address: string, named: boolean): boolean {
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    if (this.#noHost.check(address, family)) return false
    return named || this.#allowed.check(address, family) || !this.#private.check(address, family)
  }
}

function listOf(cidrs: readonly string[]): BlockList {
  const list = new BlockList()
  for (const cidr of cidrs) {
    const [network = '', prefix = ''] = cidr.split('/')
    list.addSubnet(network, Number(prefix), isIP(network) === 6 ? 'ipv6' : 'ipv4')
  }
  return list
}

/** The detail has no address, because a viewer could learn the addresses of a private network from it. */
function blocked(detail: string): Failure {
  return { reason: 'address_blocked', detail, code: null }
}

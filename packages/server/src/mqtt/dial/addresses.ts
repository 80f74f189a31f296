/** The order in which a dial tries the addresses of a host. */
import { isIPv6 } from 'node:net'
import { isAnswer, reachesHost } from '../reasons/attribution.ts'
import type { Step } from '../reasons/attribution.ts'
import type { Failure } from '../reasons/failure.ts'

/** Alternates IPv6 and IPv4, IPv6 first (RFC 8305, 4); each family keeps the order of the resolver. */
export function interleave(addresses: readonly string[]): string[] {
  const all = [...new Set(addresses)]
  const [six, four] = [all.filter((a) => isIPv6(a)), all.filter((a) => !isIPv6(a))]
  const length = Math.max(six.length, four.length)
  return Array.from({ length }, (_, i) => [six[i], four[i]])
    .flat()
    .filter((address) => address !== undefined)
}

/**
 * Whether another address of the same host may succeed. A broker that refuses the row in MQTT would refuse it at each of its
 * addresses.
 */
export function isOfAddress(failure: Failure, step: Step): boolean {
  return reachesHost(step) && !isAnswer(failure)
}

/** Addresses that one dial tries at most. Failed addresses come last, so the next dial tries others. */
const MOST = 16
/** Hosts with failed addresses in memory; beyond this number the oldest host is dropped. */
const MAX_HOSTS = 10_000

/**
 * Remembers which addresses of a host have failed. A host with several addresses may have one node that accepts TCP and
 * is silent afterwards: the next dial of any connection to the host begins with another address.
 */
export class AddressOrder {
  /** Failed addresses by host, the latest failure last. */
  readonly #failed = new Map<string, Set<string>>()

  /** @returns the addresses without a failure, then the failed ones, the oldest failure first */
  order(host: string, addresses: readonly string[]): string[] {
    const failed = this.#failed.get(host)
    if (failed === undefined) return addresses.slice(0, MOST)
    // The name does not resolve to these addresses any more.
    for (const address of failed) if (!addresses.includes(address)) failed.delete(address)
    return [...addresses.filter((address) => !failed.has(address)), ...failed].slice(0, MOST)
  }

  /** Hosts with a failed address in memory. */
  get size(): number {
    return this.#failed.size
  }

  /** Drops a host that no connection dials any more. */
  forget(host: string): void {
    this.#failed.delete(host)
  }

  failed(host: string, address: string): void {
    const failed = this.#failed.get(host) ?? new Set()
    this.#failed.delete(host)
    this.#failed.set(host, failed)
    failed.delete(address)
    failed.add(address)
    const [oldest] = this.#failed.keys()
    if (this.#failed.size > MAX_HOSTS && oldest !== undefined) this.#failed.delete(oldest)
  }

  reached(host: string, address: string): void {
    const failed = this.#failed.get(host)
    failed?.delete(address)
    if (failed?.size === 0) this.#failed.delete(host)
  }
}

/** In which order the addresses of a host are tried. */
import { isIPv6 } from 'node:net'
import { isAnswer, reachesHost } from '../reasons/attribution.ts'
import type { Step } from '../reasons/attribution.ts'
import type { Failure } from '../reasons/failure.ts'

/** Both families in turn, IPv6 first (RFC 8305, 4); each family stays in the order of the resolver. */
export function interleave(addresses: readonly string[]): string[] {
  const all = [...new Set(addresses)]
  const [six, four] = [all.filter((a) => isIPv6(a)), all.filter((a) => !isIPv6(a))]
  const length = Math.max(six.length, four.length)
  return Array.from({ length }, (_, i) => [six[i], four[i]])
    .flat()
    .filter((address) => address !== undefined)
}

/**
 * Whether another address of the same host may do better. A broker that refuses a connection for what it is would do so at
 * each of its addresses.
 */
export function isOfAddress(failure: Failure, step: Step): boolean {
  return reachesHost(step) && !isAnswer(failure)
}

/** More are not tried by one dial; those that failed come last, so the next dial tries others. */
const MOST = 16
/** Hosts whose failed addresses are remembered; more are forgotten, oldest first. */
const MAX_HOSTS = 10_000

/**
 * Remembers which addresses of a host have failed. A host with several addresses may have one node that accepts TCP and
 * is silent afterwards: the next dial, of whichever connection, begins with another address.
 */
export class AddressOrder {
  /** By host; the address that failed last is the last one. */
  readonly #failed = new Map<string, Set<string>>()

  /** The addresses that have not failed in their order, then the others, beginning with the one that failed first. */
  order(host: string, addresses: readonly string[]): string[] {
    const failed = this.#failed.get(host)
    if (failed === undefined) return addresses.slice(0, MOST)
    // Addresses that the name does not lead to any more are forgotten.
    for (const address of failed) if (!addresses.includes(address)) failed.delete(address)
    return [...addresses.filter((address) => !failed.has(address)), ...failed].slice(0, MOST)
  }

  /** Hosts of which something is remembered. */
  get size(): number {
    return this.#failed.size
  }

  /** No connection leads to the host any more. */
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

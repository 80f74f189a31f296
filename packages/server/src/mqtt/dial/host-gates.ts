import { HostGate } from './host-gate.ts'
import type { GateTiming } from './host-gate.ts'
import type { DialSettings } from '../session/dial-settings.ts'

/** One gate for each broker, by protocol, host and port. */
export class HostGates {
  readonly #timing: GateTiming
  readonly #gates = new Map<string, HostGate>()

  constructor(timing: GateTiming) {
    this.#timing = timing
  }

  get size(): number {
    return this.#gates.size
  }

  to({ protocol, host, port }: Pick<DialSettings, 'protocol' | 'host' | 'port'>): HostGate {
    const key = `${protocol}://${host.toLowerCase()}:${port}`
    const known = this.#gates.get(key)
    if (known !== undefined) return known
    const gate = new HostGate(this.#timing)
    this.#gates.set(key, gate)
    return gate
  }

  /**
   * Drops gates at which no connection dials, is up or waits.
   *
   * @returns the hosts and ports of these gates
   */
  forget(): string[] {
    const idle = [...this.#gates].filter(([, gate]) => gate.isIdle).map(([key]) => key)
    for (const key of idle) this.#gates.delete(key)
    return idle.map((key) => key.replace(/^\w+:\/\//, ''))
  }
}

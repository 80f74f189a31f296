import { HostGate } from './host-gate.ts'
import type { GateTiming } from './host-gate.ts'
import type { DialSettings } from './settings.ts'

/** Beyond it, gates that nobody stands at are forgotten, and with them what they have learnt. */
const MANY = 10_000

/** One gate for each broker, by protocol, host and port. */
export class HostGates {
  readonly #timing: GateTiming
  readonly #gates = new Map<string, HostGate>()

  constructor(timing: GateTiming) {
    this.#timing = timing
  }

  to({ protocol, host, port }: Pick<DialSettings, 'protocol' | 'host' | 'port'>): HostGate {
    const key = `${protocol}://${host.toLowerCase()}:${port}`
    const known = this.#gates.get(key)
    if (known !== undefined) return known
    if (this.#gates.size >= MANY) this.#prune()
    const gate = new HostGate(this.#timing)
    this.#gates.set(key, gate)
    return gate
  }

  #prune(): void {
    for (const [key, gate] of this.#gates) if (gate.isIdle) this.#gates.delete(key)
  }
}

/**
 * Tests and checks of connections that persons wait for. Each talks to a broker, which may be silent: one site has a few
 * under way at most, and further ones wait for their turn, so that its silent brokers keep no other site waiting.
 */
import { StatusError } from '../errors.ts'
import { FairQueue } from '../model/fair-queue.ts'

export interface PersonTurnsOptions {
  /** Of one site and kind, at the same time. @default 4 */
  readonly perSite?: number
  /** @default 64 */
  readonly inAll?: number
  /** How long one waits for its turn, in ms. @default 5_000 */
  readonly patienceMs?: number
}

export class PersonTurns {
  readonly #queue: FairQueue
  readonly #perSite: number
  readonly #patienceMs: number

  constructor({ perSite = 4, inAll = 64, patienceMs = 5_000 }: PersonTurnsOptions = {}) {
    this.#queue = new FairQueue({ places: inAll, perParty: perSite })
    this.#perSite = perSite
    this.#patienceMs = patienceMs
  }

  /** Nothing is under way and nothing waits. */
  get isIdle(): boolean {
    return this.#queue.isIdle
  }

  /** @throws StatusError `rate_limited` where the turn has not come in time; and what the work throws */
  async run<T>(kind: 'test' | 'check', site: string, work: () => Promise<T>): Promise<T> {
    const leave = await this.#queue.enter(
      `${kind}s of ${site}`,
      AbortSignal.timeout(this.#patienceMs),
    )
    if (leave === null) throw this.#busy(kind)
    try {
      return await work()
    } finally {
      leave()
    }
  }

  #busy(kind: 'test' | 'check'): StatusError {
    return new StatusError(
      'rate_limited',
      `${this.#perSite} ${kind}s of connections of this site are running, and their brokers do not answer; try again when one of them has ended.`,
      { retryAfterS: Math.max(1, Math.ceil(this.#patienceMs / 1_000)) },
    )
  }
}

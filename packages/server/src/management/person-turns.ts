/**
 * Tests and checks of connections, which operators wait for. Each sends packets to a broker, which may be silent. A site
 * runs at most `perSite` of a kind at the same time and queues the others, so its silent brokers delay no other site.
 */
import { StatusError } from '../errors.ts'
import { FairQueue } from '../model/fair-queue.ts'

export interface PersonTurnsOptions {
  /** Of one site and kind, at the same time. @default 4 */
  readonly perSite?: number
  /** @default 64 */
  readonly inAll?: number
  /** How long a test or check waits for its turn, in ms. @default 5_000 */
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

  /** Whether nothing runs and nothing waits. */
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

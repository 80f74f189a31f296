/** Lookups at one source: sites take turns, and lookups of the same name at the same time share one answer. */
import { FairQueue } from '../model/fair-queue.ts'
import type { FairQueueOptions } from '../model/fair-queue.ts'

export interface Address {
  readonly address: string
  readonly family: number
}

/** The caller of a lookup. */
export interface Asker {
  readonly site: string
  /**
   * Each purpose of a site has turns of its own, so that a person who saves or tests settings does not wait for the dials of
   * the same site, and the dial after a command does not wait for retries.
   */
  readonly purpose: 'dial' | 'command' | 'settings'
  /** Ends the wait, but not the lookup, because other callers may wait for it. */
  readonly signal: AbortSignal
}

export interface Asked {
  readonly answer: Promise<readonly Address[]>
  /** Resolves when the lookup uses no thread and no socket any more: after a time-out that is later than the answer. */
  readonly over: Promise<void>
}

export class LookupTurns {
  readonly #ask: (host: string) => Asked
  readonly #turns: FairQueue
  /** Lookups under way, by host. */
  readonly #running = new Map<string, Promise<readonly Address[]>>()

  constructor(limits: FairQueueOptions, ask: (host: string) => Asked) {
    this.#turns = new FairQueue(limits)
    this.#ask = ask
  }

  /** Whether no lookup is under way and none waits. */
  get isIdle(): boolean {
    return this.#turns.isIdle && this.#running.size === 0
  }

  /** @throws the error of the source; `EAI_AGAIN` if the signal ended the wait before the lookup began */
  async lookup(host: string, { site, purpose, signal }: Asker): Promise<readonly Address[]> {
    const running = this.#running.get(host)
    if (running !== undefined) return running
    const leave = await this.#turns.enter(`${purpose} of ${site}`, signal)
    if (leave === null) throw outOfTurn()
    // Another site may have started the same lookup in the meantime.
    const begun = this.#running.get(host)
    if (begun !== undefined) {
      leave()
      return begun
    }
    const { answer, over } = this.#ask(host)
    void over.finally(leave)
    const shared = answer.finally(() => {
      this.#running.delete(host)
    })
    this.#running.set(host, shared)
    return shared
  }
}

/** The failure of a lookup whose wait ended before its turn. */
export function outOfTurn(): Error {
  const message = 'other names of this site are being looked up, and are not answered'
  return Object.assign(new Error(message), { code: 'EAI_AGAIN' })
}

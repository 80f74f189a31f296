/**
 * Looks names up. The system does it in four threads that it shares with everything else, and a name server that is
 * silent holds one for many seconds: names that were not answered quickly before get half of them, so that they never
 * delay a name that was. Whoever asks for a name that is being looked up shares the answer.
 */
import { lookup as systemLookup } from 'node:dns/promises'
import { DialLimiter } from './dial-limiter.ts'

export interface Address {
  readonly address: string
  readonly family: number
}

export type Lookup = (host: string) => Promise<readonly Address[]>

const LANE = 2
/** A name that takes longer is looked up among the slow ones the next time. */
const QUICK_MS = 500
const TIMEOUT_MS = 5_000
/** Names that are remembered as quick; more are forgotten, oldest first. */
const MAX_QUICK = 10_000

export class Resolver {
  readonly #lookup: Lookup
  readonly #quick = new Set<string>()
  readonly #lanes = { quick: new DialLimiter(LANE), other: new DialLimiter(LANE) }
  readonly #pending = new Map<string, Promise<readonly Address[]>>()
  readonly #never = new AbortController().signal

  constructor(lookup: Lookup = (host) => systemLookup(host, { all: true })) {
    this.#lookup = lookup
  }

  /** @throws what the system says, or `EAI_AGAIN` after 5 s without an answer */
  resolve(host: string): Promise<readonly Address[]> {
    const pending = this.#pending.get(host)
    if (pending !== undefined) return pending
    const answer = this.#ask(host).finally(() => this.#pending.delete(host))
    this.#pending.set(host, answer)
    return answer
  }

  async #ask(host: string): Promise<readonly Address[]> {
    const lane = this.#quick.has(host) ? this.#lanes.quick : this.#lanes.other
    const leave = await lane.enter(this.#never)
    const startedAt = performance.now()
    try {
      const found = await withDeadline(this.#lookup(host))
      if (performance.now() - startedAt < QUICK_MS) this.#remember(host)
      else this.#quick.delete(host)
      return found
    } catch (error) {
      this.#quick.delete(host)
      throw error
    } finally {
      leave?.()
    }
  }

  #remember(host: string): void {
    this.#quick.add(host)
    const [oldest] = this.#quick
    if (this.#quick.size > MAX_QUICK && oldest !== undefined) this.#quick.delete(oldest)
  }
}

async function withDeadline<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(
        Object.assign(new Error('the name servers do not answer'), { code: 'EAI_AGAIN' as const }),
      )
    }, TIMEOUT_MS)
  })
  try {
    return await Promise.race([work, deadline])
  } finally {
    clearTimeout(timer)
  }
}

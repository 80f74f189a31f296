/**
 * The watches of one subscriber that the hub has not begun to answer. Equal ones are one entry with several ids, so a client that
 * repeats a watch and reads nothing costs one number for each. The answer itself is built when the subscriber writes it.
 */
import type { WatchFilter } from '@mqtt-status/protocol'

export interface WatchRequest extends WatchFilter {
  readonly id?: number
  readonly cursor?: string
}

export interface Unanswered {
  readonly request: WatchRequest
  /** The id of each equal watch. */
  readonly ids: (number | undefined)[]
  /** Reads of the database that have to end before the answer: one for each equal watch that arrived after a read had begun. */
  reads: number
}

export interface BacklogLimits {
  /** Watches that differ. */
  readonly distinct: number
  /** Equal ones included. */
  readonly watches: number
  /** Ids, sites and summaries that the watches name together. */
  readonly names: number
}

export class Backlog {
  readonly #limits: BacklogLimits
  readonly #waiting = new Map<string, Unanswered>()
  #watches = 0
  #names = 0

  constructor(limits: BacklogLimits) {
    this.#limits = limits
  }

  get isEmpty(): boolean {
    return this.#waiting.size === 0
  }

  /** @returns the entry of the watch; `null` if the subscriber has too many unanswered watches */
  add(request: WatchRequest): Unanswered | null {
    const key = keyOf(request)
    const names = namesOf(request)
    const known = this.#waiting.get(key)
    const { distinct, watches, names: most } = this.#limits
    if (this.#watches >= watches) return null
    this.#watches++
    if (known !== undefined) {
      known.ids.push(request.id)
      return known
    }
    if (this.#waiting.size >= distinct || this.#names + names > most) return null
    const entry: Unanswered = { request, ids: [request.id], reads: 0 }
    this.#waiting.set(key, entry)
    this.#names += names
    return entry
  }

  /** Takes the oldest entry whose reads have ended; `null` if there is none. */
  take(): Unanswered | null {
    for (const [key, entry] of this.#waiting) {
      if (entry.reads > 0) continue
      this.#waiting.delete(key)
      this.#watches -= entry.ids.length
      this.#names -= namesOf(entry.request)
      return entry
    }
    return null
  }
}

function keyOf({ connections, sites, all = false, summary, cursor }: WatchRequest): string {
  return JSON.stringify([connections ?? [], sites ?? [], all, summary ?? [], cursor])
}

function namesOf({ connections = [], sites = [], summary = [] }: WatchRequest): number {
  return connections.length + sites.length + summary.length
}

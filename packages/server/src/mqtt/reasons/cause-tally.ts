/**
 * Counts changes of connections by their cause, so that the outage of a broker with a thousand connections takes a few lines of
 * the log. The first line of a cause is due 1 s after its first change. The next line of that cause is due 30 s later and counts
 * all changes since the last line.
 */
import type { Reason, Status } from '@mqtt-status/protocol'

/** The state of a connection as the log names it. Retries do not change it. */
export type Condition = 'connected' | 'interrupted' | 'failed' | 'disconnected'

export interface ConditionChange {
  readonly id: string
  readonly condition: Condition
  /** Host and port of the broker. */
  readonly broker: string
  readonly reason: Reason | null
}

export interface CauseLine extends Omit<ConditionChange, 'id'> {
  readonly count: number
  /** Up to three of the connections. */
  readonly ids: readonly string[]
}

const GATHER_MS = 1_000
const QUIET_MS = 30_000
/** Connections that a line names. */
const EXAMPLES = 3
/** Causes with a count of their own. Beyond this number, all brokers with one condition and reason share a count. */
const CAUSES = 1_000

interface Cause extends Omit<CauseLine, 'ids'> {
  readonly ids: string[]
  dueMs: number
  count: number
}

/** @returns `null` for a status that is not a result: the server still tries, or the node that owns the row is lost */
export function conditionOf(status: Status): Condition | null {
  switch (status) {
    case 'connected':
    case 'failed':
    case 'disconnected':
      return status
    case 'reconnecting':
      return 'interrupted'
    case 'connecting':
    case 'disconnecting':
    case 'unknown':
      return null
  }
}

export class CauseTally {
  readonly #causes = new Map<string, Cause>()

  add({ id, condition, broker, reason }: ConditionChange, nowMs: number): void {
    const isFull = this.#causes.size >= CAUSES
    const own = JSON.stringify([condition, broker, reason])
    const place = isFull && !this.#causes.has(own) ? 'other brokers' : broker
    const key = JSON.stringify([condition, place, reason])
    let cause = this.#causes.get(key)
    if (cause === undefined) {
      const dueMs = nowMs + GATHER_MS
      cause = { condition, broker: place, reason, dueMs, count: 0, ids: [] }
      this.#causes.set(key, cause)
    }
    cause.count += 1
    if (cause.ids.length < EXAMPLES && !cause.ids.includes(id)) cause.ids.push(id)
  }

  /** Takes the lines that are due. */
  take(nowMs: number): readonly CauseLine[] {
    const lines: CauseLine[] = []
    for (const [key, cause] of this.#causes) {
      if (cause.dueMs > nowMs) continue
      if (cause.count === 0) {
        this.#causes.delete(key)
        continue
      }
      const { condition, broker, reason, count } = cause
      lines.push({ condition, broker, reason, count, ids: cause.ids.splice(0) })
      cause.count = 0
      cause.dueMs = nowMs + QUIET_MS
    }
    return lines
  }

  /** The time at which the next line is due, in ms; `null` if no cause is counted. */
  get nextMs(): number | null {
    let next: number | null = null
    for (const { dueMs } of this.#causes.values()) next = Math.min(next ?? dueMs, dueMs)
    return next
  }
}

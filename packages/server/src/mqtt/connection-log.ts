/** Logs established, interrupted, failed and disconnected connections; `debug` has every status. */
import type { Log } from '../log.ts'
import { CauseTally, conditionOf } from './reasons/cause-tally.ts'
import type { CauseLine, Condition } from './reasons/cause-tally.ts'
import type { Ledger, Seen } from './ledger.ts'

const WORDS: Readonly<Record<Condition, readonly [one: string, many: string]>> = {
  connected: ['a connection is established', 'connections are established'],
  interrupted: [
    'a connection is interrupted; the server tries again',
    'connections are interrupted; the server tries again',
  ],
  failed: [
    'a connection has failed; the server tries again after some minutes, and at once when its settings change or a user asks for it',
    'connections have failed; the server tries again after some minutes, and at once when their settings change or a user asks for it',
  ],
  disconnected: [
    'a connection is disconnected, as asked for',
    'connections are disconnected, as asked for',
  ],
}

export class ConnectionLog {
  readonly #log: Log
  readonly #tally = new CauseTally()
  /** The last condition of each connection that the log has. */
  readonly #known = new WeakMap<Ledger, Condition>()
  #timer: NodeJS.Timeout | null = null

  constructor(log: Log) {
    this.#log = log
  }

  note(ledger: Ledger, { status, reason, detail }: Seen): void {
    const { id, dial } = ledger.claimed
    this.#log.debug({ connection: id, status, reason, detail }, 'status')
    const condition = conditionOf(status)
    const known = this.#known.get(ledger) ?? conditionOf(ledger.due.status)
    if (condition === null || condition === known) return
    this.#known.set(ledger, condition)
    this.#tally.add({ id, condition, broker: brokerOf(dial), reason }, performance.now())
    this.#arm()
  }

  #arm(): void {
    const nextMs = this.#tally.nextMs
    if (this.#timer !== null || nextMs === null) return
    this.#timer = setTimeout(
      () => {
        this.#timer = null
        for (const line of this.#tally.take(performance.now())) this.#print(line)
        this.#arm()
      },
      Math.max(1, nextMs - performance.now()),
    ).unref()
  }

  #print({ condition, broker, reason, count, ids }: CauseLine): void {
    const [one, many] = WORDS[condition]
    const cause = reason === null ? {} : { reason }
    const fields = { broker, ...cause, count, connections: ids }
    const isTrouble = condition === 'interrupted' || condition === 'failed'
    this.#log[isTrouble ? 'warn' : 'info'](fields, count === 1 ? one : `${count} ${many}`)
  }
}

/** The row may contain any value, so the log uses a host and a port only, after a check of their types. */
function brokerOf({ host, port }: { readonly host: unknown; readonly port: unknown }): string {
  const name = typeof host === 'string' ? host.slice(0, 255) : 'no host'
  return typeof port === 'number' ? `${name}:${port}` : name
}

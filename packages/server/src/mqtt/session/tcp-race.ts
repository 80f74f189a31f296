/**
 * Opens one TCP connection to whichever address of a host answers first (RFC 8305, "Happy Eyeballs"): a new address is
 * tried 250 ms after the last one, or as soon as one fails, and those before it go on. Node's own `autoSelectFamily` ends an
 * attempt after its delay, so a host that is farther away than that is only ever reached at its last address.
 */
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { fromAttempts } from '../reasons/attempts.ts'
import type { Attempt } from '../reasons/attempts.ts'
import type { Failure } from '../reasons/failure.ts'

export interface RaceListener {
  /** @param overtaken addresses that have failed, or had more time and no answer */
  readonly onConnected: (socket: Socket, address: string, overtaken: readonly string[]) => void
  /** Every address has failed. */
  readonly onFailed: (failure: Failure) => void
}

export interface RaceTarget {
  /** At least one; addresses, never names, so that nothing is looked up any more. */
  readonly addresses: readonly string[]
  readonly port: number
}

/** RFC 8305, 5: the recommended Connection Attempt Delay. */
const ATTEMPT_DELAY_MS = 250

export class TcpRace {
  readonly #target: RaceTarget
  readonly #listener: RaceListener
  readonly #waiting: string[]
  readonly #pending = new Map<string, Socket>()
  readonly #failed: Attempt[] = []
  #next: NodeJS.Timeout | null = null

  private constructor(target: RaceTarget, listener: RaceListener) {
    this.#target = target
    this.#listener = listener
    this.#waiting = [...target.addresses]
  }

  /**
   * Nothing of the listener is called before this has returned.
   *
   * @throws when the port is none
   */
  static start(target: RaceTarget, listener: RaceListener): TcpRace {
    const race = new TcpRace(target, listener)
    race.#tryNext()
    return race
  }

  /** Ends it: what is under way is cut. */
  stop(): void {
    clearTimeout(this.#next ?? undefined)
    this.#waiting.length = 0
    for (const socket of this.#pending.values()) socket.destroy()
    this.#pending.clear()
  }

  /** What is known if it ends now, without an answer of those that are under way. */
  get unanswered(): Failure {
    return fromAttempts([
      ...this.#failed,
      ...Array.from(this.#pending.keys(), (address) => ({ address, error: null })),
    ])
  }

  #tryNext(): void {
    clearTimeout(this.#next ?? undefined)
    const address = this.#waiting.shift()
    if (address === undefined) return
    const socket = connect({ host: address, port: this.#target.port, noDelay: true })
    this.#pending.set(address, socket)
    socket.once('connect', () => {
      this.#won(socket, address)
    })
    socket.on('error', (error) => {
      if (this.#pending.delete(address)) this.#lost({ address, error })
    })
    if (this.#waiting.length > 0)
      this.#next = setTimeout(() => {
        this.#tryNext()
      }, ATTEMPT_DELAY_MS)
  }

  #won(socket: Socket, address: string): void {
    if (!this.#pending.delete(address)) return
    const before = [...this.#failed.map((attempt) => attempt.address), ...this.#pending.keys()]
    this.stop()
    socket.removeAllListeners('error')
    this.#listener.onConnected(socket, address, before)
  }

  #lost(attempt: Attempt): void {
    this.#failed.push(attempt)
    if (this.#waiting.length > 0) this.#tryNext()
    else if (this.#pending.size === 0) this.#listener.onFailed(fromAttempts(this.#failed))
  }
}

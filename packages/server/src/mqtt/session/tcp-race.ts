/**
 * Opens one TCP connection to the address of a host that answers first (RFC 8305, "Happy Eyeballs"). The race starts an attempt
 * 250 ms after the last one, or as soon as one fails; earlier attempts continue. Node's `autoSelectFamily` ends each attempt
 * after its delay, so it reaches a host with a longer round trip at its last address only.
 */
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { fromAttempts } from '../reasons/attempts.ts'
import type { Attempt } from '../reasons/attempts.ts'
import type { Failure } from '../reasons/failure.ts'

export interface RaceListener {
  /** @param overtaken addresses that have failed, or were tried earlier and have not answered */
  readonly onConnected: (socket: Socket, address: string, overtaken: readonly string[]) => void
  /** Every address has failed. */
  readonly onFailed: (failure: Failure) => void
}

export interface RaceTarget {
  /** At least one address; never a name, which Node would look up again. */
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
   * Starts the race; calls the listener after it has returned, never before.
   *
   * @throws if the port is not valid
   */
  static start(target: RaceTarget, listener: RaceListener): TcpRace {
    const race = new TcpRace(target, listener)
    race.#tryNext()
    return race
  }

  /** Destroys the sockets of all attempts that have not succeeded. */
  stop(): void {
    clearTimeout(this.#next ?? undefined)
    this.#waiting.length = 0
    for (const socket of this.#pending.values()) socket.destroy()
    this.#pending.clear()
  }

  /** The failure if the race ends now: open attempts count as not answered. */
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

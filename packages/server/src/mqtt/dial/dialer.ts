/**
 * Takes a row through the steps to a session: secrets, settings, its turn at the gate of the host, an address, and a place among
 * all dials. A dial gives its place back after 1 s and continues, so that silent hosts do not delay the dials of others.
 */
import type { FairQueue, Leave } from '../../model/fair-queue.ts'
import { AddressOrder, isOfAddress } from './addresses.ts'
import type { Step } from '../reasons/attribution.ts'
import type { DialGuard } from './dial-guard.ts'
import { filtersOf } from '../device/device.ts'
import { planOf } from '../session/filter-search.ts'
import type { FilterSearch } from '../session/filter-search.ts'
import type { HostGate, Pass } from './host-gate.ts'
import type { HostGates } from './host-gates.ts'
import { fromUnreadable } from './secret-reader.ts'
import type { SecretReader, Unreadable } from './secret-reader.ts'
import { Session } from '../session/session.ts'
import type { SessionListener } from '../session/session.ts'
import type { Failure } from '../reasons/failure.ts'
import { checkSettings } from '../session/dial-settings.ts'
import type { DialSettings, Secrets } from '../session/dial-settings.ts'
import type { StoredDial } from '../../model/connection/settings.ts'
import { Turns } from './turns.ts'

/** Whether this node may dial at this moment. */
export interface Permit {
  readonly granted: boolean
  /** Waits for the permit; resolves to `false` if the signal ended the wait. */
  enter(signal: AbortSignal): Promise<boolean>
}

export interface DialerOptions {
  readonly guard: DialGuard
  /** The queue for the places of concurrent dials; sites take turns. */
  readonly places: FairQueue
  readonly gates: HostGates
  /** `null`: the node may always dial. */
  readonly permit: Permit | null
  /** `null`: this installation stores no secrets. */
  readonly secrets: SecretReader | null
  /** @returns the client id of a connection whose row has none */
  readonly clientId: (id: string) => string
  /** @default 10_000 */
  readonly connectTimeoutMs?: number
}

export interface DialRequest {
  readonly id: string
  /** The site of the connection: sites take turns. */
  readonly siteId: string
  readonly stored: StoredDial
  /** The search for topic filters that the broker forbids. */
  readonly search: FilterSearch
  /** A viewer waits for the outcome. */
  readonly urgent: boolean
  /** Ends the waits of the dial and gives its place back. The caller ends a session that exists already. */
  readonly signal: AbortSignal
}

export interface Dialled {
  /** `null` if the settings of the row are not valid. */
  readonly settings: DialSettings | null
  /** The gate of the host; `null` if the dial ended before it had one. */
  readonly gate: HostGate | null
  readonly outcome: Session | Failure
}

/** A dial that takes longer gives its place to another dial and continues. */
const PATIENCE_MS = 1_000
const DIALS_PER_TURN = 20

export class Dialer {
  readonly #options: DialerOptions
  readonly #turns = new Turns(DIALS_PER_TURN)
  readonly #order = new AddressOrder()

  constructor(options: DialerOptions) {
    this.#options = options
  }

  /** Gates, and hosts with failed addresses, in memory. */
  get remembered(): number {
    return this.#options.gates.size + this.#order.size
  }

  /** Drops gates and addresses of brokers that no connection dials any more. */
  forget(): void {
    for (const host of this.#options.gates.forget()) this.#order.forget(host)
  }

  /** @returns `null` if the signal ended the dial before there was a session */
  async dial(request: DialRequest, listener: SessionListener): Promise<Dialled | null> {
    const { siteId, stored, signal, urgent } = request
    const secrets = await this.#secretsOf(request)
    // The secrets of many rows arrive in one read, and to parse the settings of them all at once would block the event loop.
    await this.#turns.enter()
    if (signal.aborted) return null
    if ('unreadable' in secrets)
      return { settings: null, gate: null, outcome: fromUnreadable(secrets) }
    const settings = checkSettings(stored, secrets)
    if ('reason' in settings) return { settings: null, gate: null, outcome: settings }
    const { gates, permit } = this.#options
    if (permit !== null && !(await permit.enter(signal))) return null
    const gate = gates.to(settings)
    const pass = await gate.enter(signal, { site: siteId, urgent })
    if (pass === null) return null
    if ('reason' in pass) return { settings, gate, outcome: pass }
    const outcome = await this.#throughGate({ request, settings, pass }, listener)
    return outcome === null ? null : { settings, gate, outcome }
  }

  async #secretsOf({ id, signal }: DialRequest): Promise<Secrets | Unreadable> {
    const { secrets } = this.#options
    return secrets === null ? {} : secrets.read(id, signal)
  }

  async #throughGate(
    { request, settings, pass }: Passing,
    listener: SessionListener,
  ): Promise<Session | Failure | null> {
    const { id, siteId, search, signal } = request
    const { clientId, connectTimeoutMs } = this.#options
    const target = await this.#target({ request, settings, pass })
    if (target === null || 'reason' in target) return target
    const leave = await this.#place(siteId, signal)
    if (leave === null) {
      pass.over()
      return null
    }
    const place = new Place(pass, leave, signal)
    const host = `${settings.host.toLowerCase()}:${settings.port}`
    const isOneOfSeveral = target.addresses.length > 1
    let address: string | null = null
    return Session.dial(
      {
        settings,
        addresses: this.#order.order(host, target.addresses),
        clientId: settings.clientId ?? clientId(id),
        plan: planOf(filtersOf(settings), search),
        ...(connectTimeoutMs === undefined ? {} : { connectTimeoutMs }),
      },
      {
        onAddress: (reached, overtaken) => {
          address = reached
          for (const other of overtaken) this.#order.failed(host, other)
        },
        onAccepted: () => {
          place.accepted()
        },
        onOpen: (denied) => {
          if (address !== null) this.#order.reached(host, address)
          listener.onOpen(denied)
        },
        onEnd: (failure, step, asked) => {
          if (isOneOfSeveral && address !== null && isOfAddress(failure, step))
            this.#order.failed(host, address)
          place.failed(failure, step)
          listener.onEnd(failure, step, asked)
        },
        onGone: () => {
          place.over()
        },
        onMessage: listener.onMessage,
      },
    )
  }

  /** Checks the host of the settings with the dial guard. */
  async #target({
    request,
    settings,
    pass,
  }: Passing): Promise<Awaited<ReturnType<DialGuard['check']>> | null> {
    const { siteId, urgent, signal } = request
    const purpose = urgent ? 'command' : 'dial'
    const target = await this.#options.guard.check(settings, { site: siteId, purpose, signal })
    if (signal.aborted) {
      pass.over()
      return null
    }
    if ('reason' in target) pass.failed(target, 'lookup')
    return target
  }

  /** Takes a place. If the permit was withdrawn in the meantime, the dial keeps its place and waits for the permit. */
  async #place(siteId: string, signal: AbortSignal): Promise<Leave | null> {
    const { places, permit } = this.#options
    const leave = await places.enter(siteId, signal)
    if (leave === null || permit === null || (await permit.enter(signal))) return leave
    leave()
    return null
  }
}

interface Passing {
  readonly request: DialRequest
  readonly settings: DialSettings
  readonly pass: Pass
}

/** The place of a dial among all dials. The dial gives it back when its outcome is known, after 1 s, or when the caller aborts. */
class Place {
  readonly #pass: Pass
  readonly #leave: Leave
  readonly #signal: AbortSignal
  readonly #patience: NodeJS.Timeout
  readonly #onAbort = (): void => {
    this.over()
  }

  constructor(pass: Pass, leave: Leave, signal: AbortSignal) {
    this.#pass = pass
    this.#leave = leave
    this.#signal = signal
    this.#patience = setTimeout(() => {
      leave()
      pass.overdue()
    }, PATIENCE_MS)
    signal.addEventListener('abort', this.#onAbort, { once: true })
  }

  accepted(): void {
    this.#clear()
    this.#pass.accepted()
  }

  failed(failure: Failure, step: Step): void {
    this.#clear()
    this.#pass.failed(failure, step)
  }

  /** The caller has aborted the dial, or the connection has ended. */
  over(): void {
    this.#clear()
    this.#pass.over()
  }

  #clear(): void {
    clearTimeout(this.#patience)
    this.#signal.removeEventListener('abort', this.#onAbort)
    this.#leave()
  }
}

/** Keeps one connection as `desired` says: runs the session machine and performs its effects. */
import type { Desired, DeviceState } from '@mqtt-status/protocol'
import type { Claimed } from '../model/claimed.ts'
import type { CheckResult } from '../model/check-result.ts'
import { deviceState, NO_RULES, observe, remember } from './device/device.ts'
import type { DeviceEvent, DeviceMemory, DeviceRules } from './device/device.ts'
import type { Step } from './reasons/attribution.ts'
import type { Dialer } from './dial/dialer.ts'
import {
  answered,
  closedAt,
  forbids,
  lostAfter,
  NO_SEARCH,
  recall,
} from './session/filter-search.ts'
import type { FilterSearch } from './session/filter-search.ts'
import type { HostGate } from './dial/host-gate.ts'
import { Ledger } from './ledger.ts'
import type { Seen } from './ledger.ts'
import { Session } from './session/session.ts'
import { IDLE, step } from './session/session-state.ts'
import type { Failure } from './reasons/failure.ts'
import type {
  Cause,
  Effect,
  SessionEvent,
  SessionState,
  StatusChange,
  Timing,
} from './session/session-state.ts'

export interface KeeperOptions {
  readonly dialer: Dialer
  readonly write: (ledger: Ledger, seen: Seen) => void
  readonly timing: Timing
  /** A monotonic clock, in ms. */
  readonly now: () => number
  readonly random: () => number
}

export class Keeper {
  readonly #options: KeeperOptions
  readonly ledger: Ledger
  #state: SessionState = IDLE
  #session: Session | null = null
  #dialling: AbortController | null = null
  /** The number of the current dial: the keeper ignores events of earlier dials. */
  #dials = 0
  #gate: HostGate | null = null
  #timer: NodeJS.Timeout | null = null
  /** Cancels the wait for the host to accept clients again. */
  #notAwaited: (() => void) | null = null
  #stopped = false
  /** Called when the connection has ended during a hand-over. */
  #onGone: (() => void) | null = null
  #rules: DeviceRules = NO_RULES
  /** The search for topic filters on which the broker closes the connection. */
  #search: FilterSearch = NO_SEARCH
  /** The time at which the broker accepted the connection, in ms; `null` while it is not up. */
  #upAtMs: number | null = null
  #device: DeviceMemory
  /** The time of the last message that the table has, in ms. */
  #writtenMs: number | null
  /** The last write. */
  #written: Seen | null = null

  constructor(claimed: Claimed, options: KeeperOptions) {
    this.ledger = new Ledger(claimed)
    this.#options = options
    const { lastMessageAgeMs } = claimed
    this.#writtenMs = lastMessageAgeMs === null ? null : options.now() - lastMessageAgeMs
    this.#device = remember(this.#writtenMs)
    const pending = claimed.generation > claimed.seen.observedGeneration
    if (wish(claimed) === 'connected') {
      if (pending) this.#wish('command', false)
      else this.#resume(claimed)
    } else if (pending || claimed.seen.status !== 'disconnected') this.#wish('command', false)
  }

  /** The row as it was last read. */
  get claimed(): Claimed {
    return this.ledger.claimed
  }

  /** The time of the last message, if the table does not have it yet; else `null`. */
  get unwrittenMs(): number | null {
    const { lastMessageMs } = this.#device
    return lastMessageMs === this.#writtenMs ? null : lastMessageMs
  }

  /** The table has the time of that message now. */
  written(messageMs: number): void {
    this.#writtenMs = messageMs
  }

  /** Acts on the changes of a row that was read again. */
  update(claimed: Claimed): void {
    const before = this.claimed
    if (!this.ledger.read(claimed)) return
    const edited = JSON.stringify(before.dial) !== JSON.stringify(claimed.dial)
    const restarted = claimed.restartGeneration > before.restartGeneration
    const commanded = claimed.generation > before.generation || wish(claimed) !== wish(before)
    if (edited || restarted || commanded) {
      this.#search = NO_SEARCH
      this.#wish(edited && !restarted ? 'config_changed' : 'command', edited || restarted)
    }
  }

  /** Writes the state of the device if it has become stale since the last call. */
  tick(): void {
    if (this.#stopped || this.#written === null || this.#written.device === this.#deviceState())
      return
    this.#write({ ...this.#written, urgent: false })
  }

  /** Pings the broker; without an answer within 5 s it closes the connection and dials again. */
  async check(): Promise<CheckResult> {
    const startedAt = performance.now()
    const ok = this.#state.kind === 'up' && (await this.#session?.check()) === true
    const tookMs = Math.round(performance.now() - startedAt)
    return { ok, reason: ok ? null : (this.#written?.reason ?? 'command'), tookMs }
  }

  /** Whether the broker has accepted the connection. */
  get isUp(): boolean {
    return this.#state.kind === 'up'
  }

  /**
   * Stops dials and writes, and keeps an open connection until its next owner takes it over. Resolves when the connection is closed;
   * the caller calls `stop` next.
   */
  async handOver(): Promise<void> {
    if (!this.isUp) return this.stop()
    this.#stopped = true
    this.#cancel()
    await new Promise<void>((resolve) => {
      this.#onGone = resolve
    })
  }

  /** Closes the connection and ends this keeper without a write. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#cancel()
    await this.#hangUp()
    this.#onGone?.()
  }

  /** Continues a connection without a command: another node, or an earlier process, has kept it. */
  #resume({ seen: { status, reason }, inherited }: Claimed): void {
    switch (status) {
      case 'connected':
      case 'connecting':
      case 'reconnecting':
      case 'failed': {
        const cause = inherited ? 'owner_lost' : 'handover'
        this.#handle({ kind: 'inherited', status, reason, cause })
        return
      }
      default:
        this.#wish('startup', false)
    }
  }

  #wish(cause: Cause, redial: boolean): void {
    this.#handle({ kind: 'wish', desired: wish(this.claimed), cause, redial })
  }

  #handle(event: SessionEvent): void {
    if (this.#stopped) return
    const { now, random, timing } = this.#options
    const [state, effects] = step(this.#state, event, { nowMs: now(), random: random(), timing })
    this.#state = state
    for (const effect of effects) this.#perform(effect)
  }

  #perform(effect: Effect): void {
    switch (effect.kind) {
      case 'dial':
        void this.#dial(effect.urgent)
        return
      case 'close':
        void this.#hangUp().then(() => {
          this.#handle({ kind: 'closed' })
        })
        return
      case 'wait':
        this.#cancel()
        this.#timer = setTimeout(() => {
          this.#cancel()
          this.#handle({ kind: 'elapsed' })
        }, effect.ms)
        this.#notAwaited =
          this.#gate?.onceBack(() => {
            this.#notAwaited = null
            this.#handle({ kind: 'wake' })
          }) ?? null
        return
      case 'cancel':
        this.#cancel()
        return
      case 'write':
        this.#write(effect)
    }
  }

  #cancel(): void {
    clearTimeout(this.#timer ?? undefined)
    this.#timer = null
    this.#notAwaited?.()
    this.#notAwaited = null
  }

  async #dial(urgent: boolean): Promise<void> {
    const { dialer } = this.#options
    const { id, siteId, dial } = this.claimed
    this.#search = recall(this.#search, this.#options.now())
    const search = this.#search
    const number = ++this.#dials
    const isCurrent = (): boolean => number === this.#dials
    this.#dialling = new AbortController()
    const { signal } = this.#dialling
    const dialled = await dialer.dial(
      { id, siteId, stored: dial, search, urgent, signal },
      {
        onOpen: (denied) => {
          if (isCurrent()) this.#opened(denied)
        },
        onEnd: (failure, at, asked) => {
          if (isCurrent()) this.#broken(this.#searched(failure, at, asked))
        },
        onMessage: (message) => {
          if (isCurrent()) this.#observe({ kind: 'message', ...message })
        },
      },
    )
    if (dialled === null) return
    const { outcome, settings, gate } = dialled
    if (!isCurrent()) {
      if (outcome instanceof Session) void outcome.close()
      return
    }
    this.#gate = gate
    this.#rules = settings ?? NO_RULES
    if (outcome instanceof Session) this.#session = outcome
    else this.#broken(outcome)
  }

  #opened(denied: Failure | null): void {
    this.#dialling = null
    this.#search = answered(this.#search)
    this.#upAtMs = this.#options.now()
    this.#observe({ kind: 'opened' })
    this.#handle({ kind: 'opened', denied })
  }

  #broken(failure: Failure): void {
    this.#dialling = null
    this.#session = null
    this.#observe({ kind: 'lost' })
    this.#onGone?.()
    this.#handle({ kind: 'broken', failure })
  }

  /** Updates the search for forbidden topic filters with a failure. */
  #searched(failure: Failure, at: Step, asked: readonly string[]): Failure {
    const nowMs = this.#options.now()
    if (this.#upAtMs !== null) this.#search = lostAfter(this.#search, nowMs - this.#upAtMs)
    this.#upAtMs = null
    if (!forbids(failure, at, asked)) return failure
    const search = closedAt(this.#search, asked, nowMs)
    this.#search = search ?? NO_SEARCH
    return search === null ? failure : { ...failure, isSearched: true }
  }

  /** Ends the dial or the connection and ignores its events; resolves when it is closed. */
  async #hangUp(): Promise<void> {
    this.#dials++
    this.#dialling?.abort()
    this.#dialling = null
    const session = this.#session
    this.#session = null
    this.#upAtMs = null
    this.#observe({ kind: 'lost' })
    // Ends the event that has caused the call first.
    await Promise.resolve()
    await session?.close()
  }

  #observe(event: DeviceEvent): void {
    const nowMs = this.#options.now()
    this.#device = observe(this.#device, event, { rules: this.#rules, nowMs })
  }

  #deviceState(): DeviceState {
    return deviceState(this.#device, { rules: this.#rules, nowMs: this.#options.now() })
  }

  #write(change: StatusChange): void {
    this.#written = { ...change, device: this.#deviceState() }
    this.#options.write(this.ledger, this.#written)
  }
}

/** A managed row without `desired` is disconnected. */
function wish({ desired }: Claimed): Desired {
  return desired ?? 'disconnected'
}

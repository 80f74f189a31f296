/** Keeps one connection as it is wished: runs the session machine and does what it asks for. */
import type { Desired, DeviceState, Status } from '@mqtt-status/protocol'
import type { DialGuard } from './dial-guard.ts'
import type { DialLimiter } from './dial-limiter.ts'
import { Session } from './session.ts'
import { IDLE, step } from './session-state.ts'
import type {
  Cause,
  Effect,
  Failure,
  SessionEvent,
  SessionState,
  StatusChange,
  Timing,
} from './session-state.ts'
import { checkSettings } from './settings.ts'
import type { StoredSettings } from './settings.ts'

/** A row that is ours to keep. */
export interface Claimed {
  readonly id: string
  /** Fences writes: it rises whenever the owner changes. */
  readonly epoch: number
  readonly desired: Desired | null
  readonly status: Status
  readonly generation: number
  readonly observedGeneration: number
  readonly restartGeneration: number
  readonly device: DeviceState
  /** How long ago the last message came; `null`: never. */
  readonly lastMessageAgeMs: number | null
  readonly dial: StoredSettings
}

export interface KeeperOptions {
  readonly guard: DialGuard
  readonly limiter: DialLimiter
  readonly clientId: (id: string) => string
  readonly write: (claimed: Claimed, change: StatusChange) => void
  readonly timing: Timing
  readonly now: () => number
  readonly random: () => number
}

export class Keeper {
  readonly #options: KeeperOptions
  #claimed: Claimed
  #state: SessionState = IDLE
  #session: Session | null = null
  /** Ends what a dial waits for; each dial has its own, so late answers of an old one find it aborted. */
  #dialling: AbortController | null = null
  #timer: NodeJS.Timeout | null = null
  #stopped = false

  constructor(claimed: Claimed, options: KeeperOptions) {
    this.#claimed = claimed
    this.#options = options
    const pending = claimed.generation > claimed.observedGeneration
    if (wish(claimed) === 'connected') this.#wish(pending ? 'command' : 'startup', false)
    else if (pending || claimed.status !== 'disconnected') this.#wish('command', false)
  }

  /** The row as it was last read. */
  get claimed(): Claimed {
    return this.#claimed
  }

  /** The row was read again: acts on what is new in it. */
  update(claimed: Claimed): void {
    const before = this.#claimed
    this.#claimed = claimed
    const edited = JSON.stringify(before.dial) !== JSON.stringify(claimed.dial)
    const restarted = claimed.restartGeneration > before.restartGeneration
    const commanded = claimed.generation > before.generation || wish(claimed) !== wish(before)
    if (edited || restarted || commanded) {
      this.#wish(edited && !restarted ? 'config_changed' : 'command', edited || restarted)
    }
  }

  /** Closes whatever is open and never acts again; nothing is written. */
  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer ?? undefined)
    this.#dialling?.abort()
    await this.#session?.close()
  }

  #wish(cause: Cause, redial: boolean): void {
    this.#handle({ kind: 'wish', desired: wish(this.#claimed), cause, redial })
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
        void this.#dial()
        return
      case 'close':
        void this.#close()
        return
      case 'wait':
        this.#timer = setTimeout(() => {
          this.#handle({ kind: 'elapsed' })
        }, effect.ms)
        return
      case 'cancel':
        clearTimeout(this.#timer ?? undefined)
        return
      case 'write':
        this.#options.write(this.#claimed, effect)
    }
  }

  async #dial(): Promise<void> {
    const { guard, limiter, clientId } = this.#options
    const { id, dial } = this.#claimed
    const dialling = new AbortController()
    this.#dialling = dialling
    const { signal } = dialling
    const settings = checkSettings(dial)
    if ('reason' in settings) {
      // Not within the event that asked for the dial.
      await Promise.resolve()
      this.#broken(signal, settings)
      return
    }
    const leave = await limiter.enter(signal)
    if (leave === null) return
    signal.addEventListener('abort', leave)
    const target = await guard.check(settings.host, settings.port)
    if (signal.aborted) return
    if ('reason' in target) {
      leave()
      this.#broken(signal, target)
      return
    }
    this.#session = Session.dial({ ...settings, clientId: settings.clientId ?? clientId(id) }, target.address, {
      onOpen: (denied) => {
        leave()
        if (!signal.aborted) this.#handle({ kind: 'opened', denied })
      },
      onEnd: (failure) => {
        leave()
        this.#broken(signal, failure)
      },
    })
  }

  #broken(signal: AbortSignal, failure: Failure): void {
    if (signal.aborted) return
    this.#session = null
    this.#handle({ kind: 'broken', failure })
  }

  async #close(): Promise<void> {
    this.#dialling?.abort()
    const session = this.#session
    this.#session = null
    await session?.close()
    this.#handle({ kind: 'closed' })
  }
}

/** A managed row without a wish is one that nobody wants. */
function wish({ desired }: Claimed): Desired {
  return desired ?? 'disconnected'
}

/**
 * What happens between a click and the end of a command, for one element.
 *
 *   idle ──ask──▶ asking ──yes──▶ running ──▶ idle, done (1.2 s, if nothing else shows it) or failed
 *     ▲             │ no, Esc, 5 s               failed ──next command or status──▶ idle
 *     └─────────────┘ or nothing is left to ask
 *
 * Whether a connection is pending is the store's affair, shared by all elements; this is only the part of the one
 * that was clicked. It belongs to the connection that was shown then: an element that shows another one is idle.
 */
import type { ReactiveController, ReactiveControllerHost } from 'lit'
import type { Action } from '@mqtt-status/protocol'
import type { Outcome, StatusClient } from '../client/index.ts'
import { newRequestId } from '../client/request-id.ts'
import { wakeIn } from '../page/clock.ts'

/** How long a confirmation stays open. */
const ASK_MS = 5_000
/** A spinner that only flashes looks like an error. */
const SHOWN_MS = 400
/** How long a success is shown that the status word does not tell. */
const DONE_MS = 1_200

export type CommandState =
  | { readonly kind: 'idle' }
  /** `at` in ms of the page's own clock, that of the time stamps of events. */
  | { readonly kind: 'asking'; readonly action: Action; readonly at: number }
  | { readonly kind: 'running'; readonly action: Action }
  | { readonly kind: 'done'; readonly action: Action }
  /** `seen` is what the row looked like then: the message goes when the row moves on. */
  | {
      readonly kind: 'failed'
      readonly code: string
      readonly seen: string
      /** Until when the server takes no other one, by this device's clock, in ms; then it is idle again by itself. */
      readonly retryAt: number | null
    }

const IDLE: CommandState = { kind: 'idle' }
const PREVENTED: Outcome = { outcome: 'prevented', code: null }

/** A command as it was given, whatever the element shows by now. */
export interface Command {
  readonly client: StatusClient
  readonly id: string
  /** What the connection was called. */
  readonly name: string
  readonly action: Action
  readonly requestId: string
}

/** What the controller asks of its element. */
export interface CommandUses {
  readonly target: () => Target
  /** Tells the page about a command that is about to be sent; `false` = somebody prevented it. */
  readonly allow: (command: Command) => boolean
  readonly ended: (command: Command, outcome: Outcome) => void
}

/** What a command is given to. */
export interface Target {
  readonly client: StatusClient | null
  readonly id: string | null
  readonly name: string
  readonly pending: boolean
  /** Whether a command is on offer, and can be given. */
  readonly mayStill: (action: Action) => boolean
  /** The status as it is shown. */
  readonly status: string | null
  /** Anything that changes when the row's status does. */
  readonly seen: string
}

export class CommandController implements ReactiveController {
  readonly #host: ReactiveControllerHost
  readonly #uses: CommandUses
  #state: CommandState = IDLE
  /** Whom the state is about. */
  #about: Pick<Target, 'client' | 'id'> | null = null
  #stopTimer: (() => void) | null = null

  constructor(host: ReactiveControllerHost, uses: CommandUses) {
    this.#host = host
    this.#uses = uses
    host.addController(this)
  }

  get state(): CommandState {
    const state = this.#state
    if (state === IDLE) return state
    const target = this.#uses.target()
    if (!this.#isAbout(target)) return IDLE
    if (state.kind === 'asking' && (target.pending || !target.mayStill(state.action))) return IDLE
    // For how long the server takes no other command does not depend on the row.
    if (state.kind === 'failed' && state.retryAt === null && state.seen !== target.seen) return IDLE
    return state
  }

  hostUpdate(): void {
    // What runs comes to its end wherever the element looks; anything else would be there again on its return.
    if (this.#state.kind !== 'running' && this.state === IDLE) this.#state = IDLE
  }

  hostDisconnected(): void {
    this.cancel()
  }

  /** Asks "Disconnect?" and forgets about it after a while. */
  ask(action: Action): void {
    if (this.#busy()) return
    this.#about = this.#uses.target()
    this.#become({ kind: 'asking', action, at: performance.now() }, ASK_MS)
  }

  /** Takes the question back. */
  cancel(): void {
    if (this.#state.kind === 'asking') this.#become(IDLE)
  }

  /** Gives the command, unless one is under way already. */
  async run(action: Action): Promise<Outcome> {
    const target = this.#uses.target()
    const { client, id, name, status } = target
    if (!client || !id || this.#busy()) return PREVENTED
    const requestId = newRequestId()
    const command = { client, id, name, action, requestId }
    if (!this.#uses.allow(command)) {
      this.cancel()
      return PREVENTED
    }
    const running: CommandState = { kind: 'running', action }
    this.#about = target
    this.#become(running)
    const [outcome] = await Promise.all([
      client.command(id, action, { requestId }),
      shownLongEnough(),
    ])
    // Meanwhile another connection may have been shown, and been given a command of its own.
    if (this.#state === running) this.#end(action, outcome, status)
    this.#uses.ended(command, outcome)
    return outcome
  }

  #isAbout({ client, id }: Target): boolean {
    return this.#about?.client === client && this.#about.id === id
  }

  #end(action: Action, { outcome, code, retryAfterMs }: Outcome, before: string | null): void {
    const target = this.#uses.target()
    const { seen, status } = target
    if (!this.#isAbout(target)) {
      this.#become(IDLE)
      return
    }
    if (outcome === 'failed') {
      const retryAt = retryAfterMs === undefined ? null : Date.now() + retryAfterMs
      this.#become({ kind: 'failed', code: code ?? 'internal', seen, retryAt }, retryAfterMs)
    } else if (outcome === 'done' && status === before)
      this.#become({ kind: 'done', action }, DONE_MS)
    else this.#become(IDLE)
  }

  #busy(): boolean {
    const { state } = this
    return state.kind === 'running' || isWaiting(state) || this.#uses.target().pending
  }

  /** @param lastsMs after which it is idle again by itself */
  #become(state: CommandState, lastsMs?: number): void {
    this.#stopTimer?.()
    this.#state = state
    this.#stopTimer =
      lastsMs === undefined
        ? null
        : wakeIn(lastsMs, () => {
            this.#become(IDLE)
          })
    this.#host.requestUpdate()
  }
}

/** Whether the server has said that it takes no other command yet. */
export function isWaiting(state: CommandState): boolean {
  return state.kind === 'failed' && state.retryAt !== null
}

function shownLongEnough(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, SHOWN_MS)
  })
}

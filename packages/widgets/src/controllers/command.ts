/**
 * The states of one element between a click and the end of a command.
 *
 *   idle ──ask──▶ asking ──yes──▶ running ──▶ idle, done (1.2 s, if nothing else shows it) or failed
 *     ▲             │ no, Esc, 5 s               failed ──next command or status──▶ idle
 *     └─────────────┘ or nothing is left to ask
 *
 * The store, which all elements share, knows whether a connection is pending; this controller has only the state of the
 * clicked element. The state belongs to the connection that was shown at the click: an element that shows another one is idle.
 */
import type { ReactiveController, ReactiveControllerHost } from 'lit'
import type { Action } from '@mqtt-status/protocol'
import type { Outcome, StatusClient } from '../client/index.ts'
import { newRequestId } from '../client/request-id.ts'
import { wakeIn } from '../page/clock.ts'

/** How long a confirmation stays open. */
const ASK_MS = 5_000
/** The shortest time of a spinner, in ms: a shorter one looks like an error. */
const SHOWN_MS = 400
/** How long a success is shown if the status word does not change. */
const DONE_MS = 1_200

export type CommandState =
  | { readonly kind: 'idle' }
  /** `at` is in ms of `performance.now()`, as time stamps of events are. */
  | { readonly kind: 'asking'; readonly action: Action; readonly at: number }
  | { readonly kind: 'running'; readonly action: Action }
  | { readonly kind: 'done'; readonly action: Action }
  /** `seen` identifies the row at the failure: the message is removed when the row's status changes. */
  | {
      readonly kind: 'failed'
      readonly code: string
      readonly seen: string
      /** Until when the server refuses other commands, in ms of `Date.now()`; then the state is `idle` again. */
      readonly retryAt: number | null
    }

const IDLE: CommandState = { kind: 'idle' }
const PREVENTED: Outcome = { outcome: 'prevented', code: null }

/** A command as it was sent; the element may show another connection by now. */
export interface Command {
  readonly client: StatusClient
  readonly id: string
  /** The connection's name at the click. */
  readonly name: string
  readonly action: Action
  readonly requestId: string
}

/** The callbacks to the controller's element. */
export interface CommandUses {
  readonly target: () => Target
  /** Dispatches the cancelable event before a command is sent; `false` = a listener of the page prevented it. */
  readonly allow: (command: Command) => boolean
  readonly ended: (command: Command, outcome: Outcome) => void
}

/** The connection that a command is for. */
export interface Target {
  readonly client: StatusClient | null
  readonly id: string | null
  readonly name: string
  readonly pending: boolean
  /** Whether a command is on offer and its button enabled. */
  readonly mayStill: (action: Action) => boolean
  /** The status that the element shows. */
  readonly status: string | null
  /** A text that changes whenever the row's status does. */
  readonly seen: string
}

export class CommandController implements ReactiveController {
  readonly #host: ReactiveControllerHost
  readonly #uses: CommandUses
  #state: CommandState = IDLE
  /** The connection that the state belongs to. */
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
    // How long the server refuses commands does not depend on the row.
    if (state.kind === 'failed' && state.retryAt === null && state.seen !== target.seen) return IDLE
    return state
  }

  hostUpdate(): void {
    // A running command ends also if the element shows another connection; any other state must not come back with its own.
    if (this.#state.kind !== 'running' && this.state === IDLE) this.#state = IDLE
  }

  hostDisconnected(): void {
    this.cancel()
  }

  /** Opens the question "Disconnect?", which closes after `ASK_MS`. */
  ask(action: Action): void {
    if (this.#busy()) return
    this.#about = this.#uses.target()
    this.#become({ kind: 'asking', action, at: performance.now() }, ASK_MS)
  }

  /** Closes the question. */
  cancel(): void {
    if (this.#state.kind === 'asking') this.#become(IDLE)
  }

  /** Sends the command, unless another one is under way. */
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
    // The element may show another connection by now, and have sent a command for it.
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

  /** @param lastsMs the state is `idle` again after so many ms */
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

/** Whether the server refuses commands for a while (`Retry-After`). */
export function isWaiting(state: CommandState): boolean {
  return state.kind === 'failed' && state.retryAt !== null
}

function shownLongEnough(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, SHOWN_MS)
  })
}

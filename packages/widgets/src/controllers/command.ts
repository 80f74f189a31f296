/**
 * What happens between a click and the end of a command, for one element.
 *
 *   idle ──ask──▶ asking ──yes──▶ running ──▶ idle (done) or failed
 *     ▲             │ no, Esc, 5 s               failed ──next command or status──▶ idle
 *     └─────────────┘
 *
 * Whether a connection is pending is the store's affair, shared by all elements; this is only the part of the one
 * that was clicked.
 */
import type { ReactiveController, ReactiveControllerHost } from 'lit'
import type { Action } from '@mqtt-status/protocol'
import type { Outcome, StatusClient } from '../client/index.ts'
import { wakeIn } from './clock.ts'

/** How long a confirmation stays open. */
const ASK_MS = 5_000
/** A spinner that only flashes looks like an error. */
const SHOWN_MS = 400

export type CommandState =
  | { readonly kind: 'idle' }
  | { readonly kind: 'asking'; readonly action: Action }
  | { readonly kind: 'running'; readonly action: Action }
  /** `seen` is what the row looked like then: the message goes when the row moves on. */
  | { readonly kind: 'failed'; readonly code: string; readonly seen: string }

const IDLE: CommandState = { kind: 'idle' }

/** What the controller needs of its element. */
export interface CommandHost extends ReactiveControllerHost {
  /** Announces the command; `false` = somebody prevented it. */
  allowCommand(action: Action, requestId: string): boolean
  commandEnded(action: Action, requestId: string, outcome: Outcome): void
}

/** What a command is given to. */
export interface Target {
  readonly client: StatusClient | null
  readonly id: string | null
  readonly pending: boolean
  /** Anything that changes when the row's status does. */
  readonly seen: string
}

export class CommandController implements ReactiveController {
  readonly #host: CommandHost
  readonly #target: () => Target
  #state: CommandState = IDLE
  #stopAsking: (() => void) | null = null

  constructor(host: CommandHost, target: () => Target) {
    this.#host = host
    this.#target = target
    host.addController(this)
  }

  get state(): CommandState {
    const state = this.#state
    if (state.kind === 'failed' && state.seen !== this.#target().seen) return IDLE
    return state
  }

  hostDisconnected(): void {
    this.cancel()
  }

  /** Asks "Disconnect?" and forgets about it after a while. */
  ask(action: Action): void {
    if (this.#busy()) return
    this.#become({ kind: 'asking', action })
    this.#stopAsking = wakeIn(ASK_MS, () => {
      this.cancel()
    })
  }

  /** Takes the question back. */
  cancel(): void {
    if (this.#state.kind === 'asking') this.#become(IDLE)
  }

  /** Gives the command, unless one is under way already. */
  async run(action: Action): Promise<Outcome> {
    const { client, id } = this.#target()
    if (!client || !id || this.#busy()) return { outcome: 'prevented', code: null }
    const requestId = newRequestId()
    if (!this.#host.allowCommand(action, requestId)) {
      this.cancel()
      return { outcome: 'prevented', code: null }
    }
    this.#become({ kind: 'running', action })
    const [outcome] = await Promise.all([
      client.command(id, action, { requestId }),
      shownLongEnough(),
    ])
    this.#become(
      outcome.outcome === 'failed'
        ? { kind: 'failed', code: outcome.code ?? 'internal', seen: this.#target().seen }
        : IDLE,
    )
    this.#host.commandEnded(action, requestId, outcome)
    return outcome
  }

  #busy(): boolean {
    return this.#state.kind === 'running' || this.#target().pending
  }

  #become(state: CommandState): void {
    this.#stopAsking?.()
    this.#stopAsking = null
    this.#state = state
    this.#host.requestUpdate()
  }
}

function shownLongEnough(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, SHOWN_MS)
  })
}

// `crypto.randomUUID` is missing on pages served over plain HTTP.
function newRequestId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/**
 * What happens between a click and the end of a command, for one element.
 *
 *   idle ──ask──▶ asking ──yes──▶ running ──▶ idle, done (1.2 s, if nothing else shows it) or failed
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
/** How long a success is shown that the status word does not tell. */
const DONE_MS = 1_200

export type CommandState =
  | { readonly kind: 'idle' }
  | { readonly kind: 'asking'; readonly action: Action }
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
  /** The status as it is shown. */
  readonly status: string | null
  /** Anything that changes when the row's status does. */
  readonly seen: string
}

export class CommandController implements ReactiveController {
  readonly #host: CommandHost
  readonly #target: () => Target
  #state: CommandState = IDLE
  #stopTimer: (() => void) | null = null

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
    this.#become({ kind: 'asking', action }, ASK_MS)
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
    const { status } = this.#target()
    this.#become({ kind: 'running', action })
    const [outcome] = await Promise.all([
      client.command(id, action, { requestId }),
      shownLongEnough(),
    ])
    this.#end(action, outcome, status)
    this.#host.commandEnded(action, requestId, outcome)
    return outcome
  }

  #end(action: Action, { outcome, code, retryAfterMs }: Outcome, before: string | null): void {
    const { seen, status } = this.#target()
    if (outcome === 'failed') {
      const retryAt = retryAfterMs === undefined ? null : Date.now() + retryAfterMs
      this.#become({ kind: 'failed', code: code ?? 'internal', seen, retryAt }, retryAfterMs)
    } else if (outcome === 'done' && status === before)
      this.#become({ kind: 'done', action }, DONE_MS)
    else this.#become(IDLE)
  }

  #busy(): boolean {
    const { state } = this
    return state.kind === 'running' || isWaiting(state) || this.#target().pending
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

// `crypto.randomUUID` is missing on pages served over plain HTTP.
function newRequestId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

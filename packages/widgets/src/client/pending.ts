/** Commands without an answer yet: what this page has sent, and what the rows say of everybody's. */
import { isPending } from '@mqtt-status/protocol'
import type { Action, Connection } from '@mqtt-status/protocol'
import { isAnswered } from './commands.ts'
import type { Outcome } from './commands.ts'

export interface Pending {
  readonly action: Action
  /** `sent`: not accepted yet; `accepted`: under way; `overdue`: no confirmation in time, which may still come. */
  readonly phase: 'sent' | 'accepted' | 'overdue'
}

interface Sent {
  readonly action: Action
  phase: Pending['phase']
  generation: number
  timer: ReturnType<typeof setTimeout> | null
  readonly settle: (outcome: Outcome) => void
}

export interface PendingsOptions {
  readonly onChange: (id: string) => void
  /** The server's time, in ms. */
  readonly now: () => number
  readonly timeoutMs: () => number
}

export class Pendings {
  readonly #options: PendingsOptions
  readonly #sent = new Map<string, Sent>()
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>()

  constructor(options: PendingsOptions) {
    this.#options = options
  }

  of(id: string, row: Connection | undefined): Pending | null {
    const sent = this.#sent.get(id)
    if (sent !== undefined) return { action: sent.action, phase: sent.phase }
    if (row === undefined || !isPending(row)) return null
    const action = row.desired === 'disconnected' ? 'disconnect' : 'connect'
    return { action, phase: this.#leftMs(row) > 0 ? 'accepted' : 'overdue' }
  }

  /** @returns how it ends; `settle` of the same id may end it sooner */
  begin(id: string, action: Action): { readonly outcome: Promise<Outcome> } {
    const { promise: outcome, resolve: settle } = Promise.withResolvers<Outcome>()
    this.#sent.set(id, {
      action,
      phase: 'sent',
      generation: Number.POSITIVE_INFINITY,
      timer: null,
      settle,
    })
    this.#options.onChange(id)
    return { outcome }
  }

  /** The server has taken it; a row may have answered it already. */
  accepted(id: string, generation: number, timeoutMs: number): void {
    const sent = this.#sent.get(id)
    if (sent === undefined) return
    sent.phase = 'accepted'
    sent.generation = generation
    sent.timer = setTimeout(() => {
      sent.phase = 'overdue'
      sent.settle({ outcome: 'timeout', code: null })
      this.#options.onChange(id)
    }, timeoutMs)
  }

  failed(id: string, code: string): void {
    this.#end(id, { outcome: 'failed', code })
    this.#options.onChange(id)
  }

  /** A row has come: it may answer what this page sent, and says what others have. */
  seen(row: Connection): void {
    const sent = this.#sent.get(row.id)
    if (sent !== undefined && isAnswered(row, sent.action, sent.generation)) {
      this.#end(row.id, { outcome: 'done', code: null })
    }
    clearTimeout(this.#timers.get(row.id))
    this.#timers.delete(row.id)
    const leftMs = isPending(row) ? this.#leftMs(row) : 0
    if (leftMs <= 0) return
    const overdue = setTimeout(() => {
      this.#timers.delete(row.id)
      this.#options.onChange(row.id)
    }, leftMs)
    this.#timers.set(row.id, overdue)
  }

  stop(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer)
    this.#timers.clear()
    for (const id of [...this.#sent.keys()]) this.#end(id, { outcome: 'unknown', code: null })
  }

  #leftMs({ desiredAt }: Connection): number {
    return Date.parse(desiredAt ?? '') + this.#options.timeoutMs() - this.#options.now() || 0
  }

  #end(id: string, outcome: Outcome): void {
    const sent = this.#sent.get(id)
    if (sent === undefined) return
    clearTimeout(sent.timer ?? undefined)
    this.#sent.delete(id)
    sent.settle(outcome)
  }
}

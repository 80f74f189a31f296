/** Commands without a result: those that this page has sent, and those of other pages, which the rows show. */
import { isPending } from '@mqtt-status/protocol'
import type { Action, CommandAccepted, Connection } from '@mqtt-status/protocol'
import type { Outcome, Refusal } from './commands.ts'

export interface Pending {
  readonly action: Action
  /** `sent`: not accepted yet; `accepted`: under way; `overdue`: no confirmation in time, which may still come. */
  readonly phase: 'sent' | 'accepted' | 'overdue'
}

/** A command that this page has sent. */
export interface Sent {
  readonly outcome: Promise<Outcome>
  readonly settle: (outcome: Outcome) => void
  readonly action: Action
  phase: Pending['phase']
  generation: number
  /** Whether the server has confirmed the generation. */
  accepted?: boolean
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
  /** One for each connection with a pending command. */
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>()

  constructor(options: PendingsOptions) {
    this.#options = options
  }

  of(id: string, row: Connection | null): Pending | null {
    const sent = this.#sent.get(id)
    if (sent) return { action: sent.action, phase: sent.phase }
    if (!row || !isPending(row)) return null
    const action = row.desired === 'disconnected' ? 'disconnect' : 'connect'
    return { action, phase: this.#leftMs(row) > 0 ? 'accepted' : 'overdue' }
  }

  /**
   * A new command takes the place of one that has not ended yet.
   *
   * @param generation the least that the command will have: a row may overtake the server's answer to it
   */
  begin(id: string, action: Action, generation: number): Sent {
    this.#end(id, 'unknown')
    const { promise: outcome, resolve: settle } = Promise.withResolvers<Outcome>()
    const sent: Sent = { outcome, settle, action, phase: 'sent', generation }
    this.#sent.set(id, sent)
    this.#await(id, this.#options.timeoutMs())
    return sent
  }

  /** The server has accepted the command; a row may have settled it already. */
  accepted(sent: Sent, { connection, generation, timeoutMs }: CommandAccepted): void {
    if (this.#sent.get(connection.id) !== sent) return
    sent.phase = 'accepted'
    sent.accepted = true
    sent.generation = generation
    this.#await(connection.id, timeoutMs)
  }

  failed(id: string, sent: Sent, refusal: Refusal): void {
    if (this.#sent.get(id) !== sent) return
    sent.settle({ outcome: 'failed', ...refusal })
    this.#end(id, 'failed')
  }

  /** A row may confirm a command of this page, and shows commands of other pages. */
  seen(row: Connection): void {
    const { id } = row
    const sent = this.#sent.get(id)
    if (sent && isAnswered(row, sent.action, sent.generation)) this.#end(id, 'done')
    // A later command has replaced it.
    else if (sent?.accepted && row.generation > sent.generation) this.#end(id, 'unknown')
    if (!this.#sent.has(id)) this.#await(id, isPending(row) ? this.#leftMs(row) : 0)
  }

  stop(): void {
    for (const id of [...this.#timers.keys(), ...this.#sent.keys()]) this.#end(id, 'unknown')
  }

  /** The promise resolves as `timeout` after `ms`. A later row may still confirm what the page shows. */
  #await(id: string, ms: number): void {
    clearTimeout(this.#timers.get(id))
    this.#timers.delete(id)
    if (ms <= 0) return
    const overdue = setTimeout(() => {
      this.#timers.delete(id)
      const sent = this.#sent.get(id)
      if (sent) sent.phase = 'overdue'
      sent?.settle({ outcome: 'timeout', code: null })
      this.#options.onChange(id)
    }, ms)
    this.#timers.set(id, overdue)
  }

  #leftMs({ desiredAt }: Connection): number {
    return Date.parse(desiredAt ?? '') + this.#options.timeoutMs() - this.#options.now() || 0
  }

  #end(id: string, outcome: Outcome['outcome'], code: string | null = null): void {
    this.#await(id, 0)
    this.#sent.get(id)?.settle({ outcome, code })
    this.#sent.delete(id)
  }
}

/** Whether a row settles a command: the supervisor has acted on it, and the status is final for the action. */
function isAnswered(row: Connection, action: Action, generation: number): boolean {
  // The writer of an observed row may not know generations.
  if (row.managed && row.observedGeneration < generation) return false
  return (
    row.status === 'failed' ||
    row.status === (action === 'disconnect' ? 'disconnected' : 'connected')
  )
}

/** Keeps what the server is asked for in step with what the page listens to. */
import type { ClientMessage, Patch, Snapshot, WatchFilter } from '@mqtt-status/protocol'
import { slowWait } from './link/link-state.ts'
import { firstPortion, toFilter } from './names.ts'
import { Questions } from './questions.ts'
import { WatchSet } from './watch-set.ts'

/** The line, as far as watches are concerned. */
interface LinkUses {
  /** @returns whether it went out */
  send(message: ClientMessage): boolean
  /** The server has answered everything. */
  answered(): void
  /** The server has not answered in time. */
  unanswered(): void
  stop(): void
}

export interface WatchesOptions {
  readonly link: () => LinkUses
  /** The server's time, in ms. */
  readonly now: () => number
  readonly random: () => number
  /** Names have lost their last listener. */
  readonly onLeave: (removed: WatchFilter) => void
  /** The server does not take names, or takes them again. */
  readonly onRefusal: (names: WatchFilter) => void
}

export class Watches {
  readonly set: WatchSet
  readonly #options: WatchesOptions
  readonly #questions: Questions
  /** From where on the server can continue, for the whole set. */
  #cursor: string | undefined
  /** Since the line is open. */
  #refusals = 0
  #readmission: ReturnType<typeof setTimeout> | undefined

  constructor(options: WatchesOptions) {
    this.#options = options
    const { link, onRefusal } = options
    this.set = new WatchSet({
      onAdd: (added) => {
        this.#cursor = undefined
        this.#questions.ask(added)
      },
      onRemove: (removed) => {
        this.#leave(removed)
      },
      onRefusal: (names) => {
        this.#questions.drop(names)
        onRefusal(toFilter(names))
      },
    })
    this.#questions = new Questions({
      onAsk: (id, filter) => {
        const cursor = this.#cursor
        return link().send({ type: 'watch', id, ...filter, ...(cursor && { cursor }) })
      },
      onRefused: (names) => {
        this.#refused(names)
      },
      onOverdue: () => {
        link().unanswered()
      },
    })
  }

  /** What a watch has named, until it is answered. */
  filter(id: number | undefined): WatchFilter | undefined {
    return id === undefined ? undefined : this.#questions.filter(id)
  }

  /** A new line knows nothing: it is asked for everything. */
  begin(): void {
    this.#refusals = 0
    this.#questions.forget()
    this.#questions.ask(this.set.names)
  }

  /** An answer, or a part of one, or a change. @returns whether an answer is complete */
  heard({
    type,
    id,
    final,
    cursor,
  }: Pick<Snapshot | Patch, 'type' | 'id' | 'final' | 'cursor'>): boolean {
    if (final) this.set.answer(this.#questions.settle(id))
    else if (id !== undefined || type === 'snapshot') this.#questions.heard()
    this.reach(cursor)
    return final ?? false
  }

  /** The server has told everything up to there; of the whole set only when no watch is still to be answered. */
  reach(cursor: string | undefined): void {
    if (cursor !== undefined && this.#questions.answered) this.#cursor = cursor
  }

  /** The next line is asked for all rows, not for what has changed since. */
  startOver(): void {
    this.#cursor = undefined
  }

  settled(): void {
    if (this.#questions.answered) this.#options.link().answered()
  }

  /** The server takes nothing of this watch. */
  refuse(id: number): void {
    this.#questions.refuse(id)
  }

  stop(): void {
    this.set.stop()
    this.#end()
  }

  #end(): void {
    this.#cursor = undefined
    this.#questions.forget()
    clearTimeout(this.#readmission)
  }

  /** The server has no room, although it takes as many: tabs may share the line. */
  #refused(names: readonly string[]): void {
    const { now, random } = this.#options
    const waitMs = slowWait(this.#refusals++, random())
    this.set.refuse(names, now() + waitMs)
    clearTimeout(this.#readmission)
    this.#readmission = setTimeout(() => {
      this.set.readmit()
    }, waitMs)
    this.settled()
  }

  #leave(removed: readonly string[]): void {
    this.#questions.drop(removed)
    this.#options.onLeave(toFilter(removed))
    if (this.set.empty) {
      this.#end()
      this.#options.link().stop()
    } else this.#unwatch(removed)
  }

  #unwatch(removed: readonly string[]): void {
    const portion = firstPortion(removed, Infinity)
    this.#options.link().send({ type: 'unwatch', ...toFilter(portion) })
    if (portion.length < removed.length) this.#unwatch(removed.slice(portion.length))
  }
}

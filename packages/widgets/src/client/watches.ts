/** Sends the server what the page watches, and runs the effects and the timers of `sync.ts`. */
import type {
  ClientMessage,
  ErrorMessage,
  Patch,
  Snapshot,
  WatchFilter,
} from '@mqtt-status/protocol'
import { slowWait } from './link/link-state.ts'
import { firstPortion, isTooLong, toFilter, toNames } from './names.ts'
import type { Answer } from './rows.ts'
import { arrivedIn, INITIAL_SYNC, namedBy, nextSync } from './sync.ts'
import type { Sync, SyncEffect, SyncEvent } from './sync.ts'
import { WatchSet } from './watch-set.ts'

/** The client waits this long for each part of an answer, in ms: the server reads its database before it answers. */
const ANSWER_MS = 30_000
/** Events that are a reply of the server to a watch. */
const REPLIES: readonly SyncEvent['kind'][] = ['part', 'answered', 'refused']

/** What watches need of the link. */
interface LinkUses {
  /** @returns whether the message was sent */
  send(message: ClientMessage): boolean
  /** The server has answered every watch. */
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
  /** The server refuses names, or accepts names that it has refused before. */
  readonly onRefusal: (names: WatchFilter) => void
  /** The server has answered one more watch. */
  readonly onAnswer: () => void
  /** The database has another history, so all rows and cursors are void. */
  readonly onForget: () => void
}

export class Watches {
  readonly set: WatchSet
  readonly #options: WatchesOptions
  #sync: Sync = INITIAL_SYNC
  /** Refusals since the transport was opened. */
  #refusals = 0
  #deadline: ReturnType<typeof setTimeout> | undefined
  #readmission: ReturnType<typeof setTimeout> | undefined

  constructor(options: WatchesOptions) {
    this.#options = options
    this.set = new WatchSet({
      onAdd: (names) => {
        this.#handle({ kind: 'added', names })
      },
      onRemove: (names) => {
        this.#leave(names)
      },
      onRefusal: (names) => {
        this.#handle({ kind: 'removed', names })
        options.onRefusal(toFilter(names))
      },
    })
  }

  /** Whether the server has answered all of this, and the page still watches it. */
  answered(filter: WatchFilter): boolean {
    return toNames(filter).every((name) => this.#sync.answered.has(name) || isTooLong(name))
  }

  /** A transport is open. The server knows none of the watches. */
  opened(): void {
    this.#refusals = 0
    this.#handle({ kind: 'opened', names: this.set.names })
  }

  closed(): void {
    this.#handle({ kind: 'closed' })
  }

  welcomed(epoch: string): void {
    this.#handle({ kind: 'welcomed', epoch })
  }

  /** What a snapshot completes; `null`: another part follows. */
  answer({ id, connections, final }: Snapshot): Answer | null {
    if (!final) return null
    const ids = connections.map((row) => row.id)
    return { named: namedBy(this.#sync, id), arrived: arrivedIn(this.#sync, id, ids) }
  }

  /** The store has the rows of this message. */
  heard({ type, id, final, cursor, connections }: Snapshot | Patch): void {
    if (final) this.#handle({ kind: 'answered', id, cursor })
    else if (id !== undefined || type === 'snapshot') {
      const rows = type === 'snapshot' ? connections.map((row) => row.id) : []
      this.#handle({ kind: 'part', id, rows })
    } else this.reach(cursor)
  }

  /** The server has sent every change before the cursor. */
  reach(cursor: string | undefined): void {
    this.#handle({ kind: 'reached', cursor })
  }

  /** The client could not read a message: on the next transport it watches without a cursor. */
  garbled(): void {
    this.#handle({ kind: 'garbled' })
  }

  /** @returns whether the error refuses a watch */
  refuse({ code, id }: ErrorMessage): boolean {
    if (code !== 'limit_watch' || id === undefined) return false
    this.#handle({ kind: 'refused', id })
    return true
  }

  stop(): void {
    this.set.stop()
    this.#end()
  }

  #end(): void {
    this.#handle({ kind: 'emptied' })
    clearTimeout(this.#readmission)
  }

  #handle(event: SyncEvent): void {
    const [sync, effects] = nextSync(this.#sync, event)
    this.#sync = sync
    this.#expect(REPLIES.includes(event.kind))
    if (event.kind === 'answered') this.#options.onAnswer()
    for (const effect of effects) this.#run(effect)
  }

  #run(effect: SyncEffect): void {
    switch (effect.kind) {
      case 'ask': {
        const { id, names, cursor } = effect
        const watch = { type: 'watch', id, ...toFilter(names), ...(cursor && { cursor }) } as const
        this.#options.link().send(watch)
        return
      }
      case 'refuse':
        this.#refused(effect.names)
        return
      case 'forget':
        this.#options.onForget()
        return
      case 'settled':
        this.#options.link().answered()
    }
  }

  /** @param again whether the server gets the whole time for the next part */
  #expect(again: boolean): void {
    const isWaiting = this.#sync.kind === 'open' && this.#sync.asked.size > 0
    if (isWaiting && !again && this.#deadline !== undefined) return
    clearTimeout(this.#deadline)
    this.#deadline = undefined
    if (!isWaiting) return
    this.#deadline = setTimeout(() => {
      this.#expect(true)
      this.#options.link().unanswered()
    }, ANSWER_MS)
  }

  /** The server has no room although it has announced more, because other tabs may use the same socket. */
  #refused(names: readonly string[]): void {
    const { now, random } = this.#options
    const waitMs = slowWait(this.#refusals++, random())
    this.set.refuse(names, now() + waitMs)
    clearTimeout(this.#readmission)
    this.#readmission = setTimeout(() => {
      this.set.readmit()
    }, waitMs)
  }

  #leave(removed: readonly string[]): void {
    this.#handle({ kind: 'removed', names: removed })
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

/**
 * The watches of one line that the server has not answered. A watch that the server refuses is asked again in halves, so
 * that it takes as many names as it has room for; one that it does not answer in time is reported.
 */
import type { WatchFilter } from '@mqtt-status/protocol'
import { firstPortion, toFilter } from './names.ts'

/** The server reads its database before it answers. It has so long for each part of an answer, in ms. */
const ANSWER_MS = 30_000

export interface QuestionsListener {
  /** @returns whether it went out */
  readonly onAsk: (id: number, filter: WatchFilter) => boolean
  /** The server has no room for these. */
  readonly onRefused: (names: readonly string[]) => void
  readonly onOverdue: () => void
}

interface Question {
  /** What is still wanted of it. */
  readonly names: readonly string[]
  /** How many names it had when it was sent. */
  readonly sent: number
}

export class Questions {
  readonly #listener: QuestionsListener
  readonly #asked = new Map<number, Question>()
  /** What is asked next: names that did not fit into one message, or that the server has refused together. */
  #next: readonly string[] = []
  /** The most names of one watch. Where it is finite, one is asked after the other. */
  #portion = Infinity
  #lastId = 0
  #deadline: ReturnType<typeof setTimeout> | undefined

  constructor(listener: QuestionsListener) {
    this.#listener = listener
  }

  /** Whether the server has answered everything. */
  get answered(): boolean {
    return this.#asked.size === 0 && this.#next.length === 0
  }

  /** What a watch has named; `undefined` if it was answered, or belongs to another line. */
  filter(id: number): WatchFilter | undefined {
    const question = this.#asked.get(id)
    return question && toFilter(question.names)
  }

  /** Without names the answer says that the server is there. */
  ask(names: readonly string[]): void {
    if (names.length === 0) this.#ask(names)
    this.#next = [...this.#next, ...names]
    this.#askNext()
  }

  /** These names are not asked for any more. */
  drop(names: readonly string[]): void {
    const gone = new Set(names)
    const kept = (name: string): boolean => !gone.has(name)
    this.#next = this.#next.filter(kept)
    for (const [id, { names: asked, sent }] of this.#asked)
      this.#asked.set(id, { names: asked.filter(kept), sent })
  }

  /** A part of an answer has come. */
  heard(): void {
    clearTimeout(this.#deadline)
    this.#deadline = undefined
    if (this.#asked.size === 0) return
    this.#deadline = setTimeout(() => {
      this.heard()
      this.#listener.onOverdue()
    }, ANSWER_MS)
  }

  /**
   * An answer is complete.
   *
   * @param id `undefined`: it answers all of them
   * @returns what it is about
   */
  settle(id: number | undefined): readonly string[] {
    const settled = [...this.#asked].filter(([asked]) => (id ?? asked) === asked)
    for (const [asked] of settled) this.#asked.delete(asked)
    this.heard()
    this.#askNext()
    return settled.flatMap(([, { names }]) => names)
  }

  /** The server takes nothing of this watch. */
  refuse(id: number): void {
    const question = this.#asked.get(id)
    if (!question) return
    const { names, sent } = question
    this.#asked.delete(id)
    this.heard()
    this.#next = [...names, ...this.#next]
    // What was dropped since may be what was too much.
    this.#portion = names.length < sent ? Math.max(1, names.length) : Math.ceil(sent / 2)
    if (sent === 1) {
      const refused = this.#next
      this.#next = []
      this.#listener.onRefused(refused)
    }
    this.#askNext()
  }

  /** Nothing of what was asked will be answered. */
  forget(): void {
    this.#asked.clear()
    this.#next = []
    this.#portion = Infinity
    this.heard()
  }

  #askNext(): void {
    while (this.#next.length > 0 && (this.#portion === Infinity || this.#asked.size === 0)) {
      const names = firstPortion(this.#next, this.#portion)
      // A new line asks for everything.
      this.#next = this.#ask(names) ? this.#next.slice(names.length) : []
    }
    if (this.answered) this.#portion = Infinity
  }

  #ask(names: readonly string[]): boolean {
    const id = this.#lastId + 1
    if (!this.#listener.onAsk(id, toFilter(names))) return false
    this.#lastId = id
    this.#asked.set(id, { names, sent: names.length })
    if (this.#deadline === undefined) this.heard()
    return true
  }
}

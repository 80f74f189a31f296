/**
 * The names that this page watches, with the number of listeners of each: the first listener adds a name, the last one that
 * leaves removes it. The server accepts a limited number of names; further names wait until others leave.
 */
import type { Connection, WatchFilter } from '@mqtt-status/protocol'
import { isCounted, isTooLong, toName, toNames } from './names.ts'
import type { Kind } from './names.ts'

/** The client keeps a watch for this long after its last listener has left, because the page may render its elements anew. */
const GRACE_MS = 5_000
/** The client sends one `unwatch` for all listeners that leave within this time. */
const TOGETHER_MS = 100
/** The limit of a server that announces none. */
const LIMIT = 1_000

/** Why the server sends no rows for a name: the page watches as many names as it may, or the server has refused this one. */
export interface Refusal {
  readonly code: 'limit_watch'
  /** When the client retries, in ms since 1970 of the server's clock; `null`: as soon as there is room. */
  readonly retryAt: number | null
}

export interface WatchSetListener {
  readonly onAdd: (added: readonly string[]) => void
  readonly onRemove: (removed: readonly string[]) => void
  /** Names were refused, or are accepted again. */
  readonly onRefusal: (names: readonly string[]) => void
}

const NO_ROOM: Refusal = { code: 'limit_watch', retryAt: null }

export class WatchSet {
  readonly #listener: WatchSetListener
  readonly #heads = new Map<string, number>()
  readonly #outside = new Map<string, Refusal>()
  #limit = LIMIT
  #added: string[] = []
  #leaving: { readonly names: readonly string[]; readonly atMs: number }[] = []
  #timer: ReturnType<typeof setTimeout> | undefined
  /** Listeners, also those that watch no name and only need the link. */
  #holders = 0

  constructor(listener: WatchSetListener) {
    this.#listener = listener
  }

  get empty(): boolean {
    return this.#holders === 0
  }

  has(kind: Kind, id?: string): boolean {
    return this.#isInside(toName(kind, id))
  }

  /** Why the server does not send this; `null`: it does, or has not answered. */
  refusal(filter: WatchFilter): Refusal | null {
    for (const name of toNames(filter)) {
      const refusal = this.#outside.get(name)
      if (refusal) return refusal
    }
    return null
  }

  /**
   * Whether the page watches a row.
   *
   * @param besides the names that do not count
   */
  holds({ id, siteId }: Connection, besides: WatchFilter = {}): boolean {
    const { all, connections, sites } = besides
    return (
      (!all && this.has('all')) ||
      (this.has('connections', id) && !connections?.includes(id)) ||
      (this.has('sites', siteId) && !sites?.includes(siteId))
    )
  }

  /** The names that the client sends to the server. */
  get names(): readonly string[] {
    return [...this.#heads.keys()].filter((name) => this.#isInside(name))
  }

  /** How many names the server accepts. The names that came last have to wait. */
  set limit(limit: number) {
    this.#limit = limit
    const over = this.names.filter(isCounted).slice(limit)
    if (over.length > 0) this.refuse(over, null)
    else this.readmit()
  }

  /** @returns the undo function, which has an effect once */
  add(filter: WatchFilter): () => void {
    const names = toNames(filter)
    this.#holders++
    for (const name of names) {
      const heads = this.#heads.get(name) ?? 0
      this.#heads.set(name, heads + 1)
      if (heads === 0 && !isTooLong(name)) this.#announce(name)
    }
    let undone = false
    return () => {
      if (undone) return
      undone = true
      this.#leaving.push({ names, atMs: performance.now() + GRACE_MS })
      this.#schedule()
    }
  }

  /** @param retryAt when the client retries; `null`: as soon as there is room */
  refuse(names: readonly string[], retryAt: number | null): void {
    const refused = names.filter((name) => this.#heads.has(name))
    for (const name of refused) {
      this.#outside.set(name, retryAt === null ? NO_ROOM : { ...NO_ROOM, retryAt })
    }
    if (refused.length > 0) this.#listener.onRefusal(refused)
  }

  /** Adds names that wait, as far as there is room. */
  readmit(): void {
    this.#admit([...this.#outside.keys()])
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#holders = 0
    this.#heads.clear()
    this.#outside.clear()
    this.#added = []
    this.#leaving = []
  }

  #isInside(name: string): boolean {
    return this.#heads.has(name) && !this.#outside.has(name) && !isTooLong(name)
  }

  /** The client sends one message for all names that are added within a task. */
  #announce(name: string): void {
    this.#added.push(name)
    if (this.#added.length > 1) return
    queueMicrotask(() => {
      const added = this.#added.filter((one) => this.#heads.has(one))
      this.#added = []
      this.#admit(added)
    })
  }

  /** Removes names in their grace period at once where the server has no room for all. */
  #admit(names: readonly string[]): void {
    const asking = new Set(names)
    const taken = (): number =>
      this.names.filter((name) => isCounted(name) && !asking.has(name)).length
    const tooMany = taken() + names.filter(isCounted).length > this.#limit
    if (tooMany) this.#letGo(Infinity)
    const wanted = names.filter((name) => this.#heads.has(name))
    const over = new Set(wanted.filter(isCounted).slice(Math.max(0, this.#limit - taken())))
    const admitted = wanted.filter((name) => !over.has(name))
    const refused = [...over].filter((name) => this.#outside.get(name) !== NO_ROOM)
    const back = admitted.filter((name) => this.#outside.delete(name))
    if (refused.length > 0) this.refuse(refused, null)
    if (back.length > 0) this.#listener.onRefusal(back)
    if (admitted.length > 0) this.#listener.onAdd(admitted)
  }

  #schedule(): void {
    const [first] = this.#leaving
    clearTimeout(this.#timer)
    if (!first) return
    this.#timer = setTimeout(() => {
      if (this.#letGo(performance.now() + TOGETHER_MS) && this.#outside.size > 0) this.readmit()
      this.#schedule()
    }, first.atMs - performance.now())
  }

  /** @returns whether there is more room now */
  #letGo(untilMs: number): boolean {
    const gone: string[] = []
    while (this.#leaving[0] && this.#leaving[0].atMs <= untilMs) {
      this.#holders--
      gone.push(...(this.#leaving.shift()?.names ?? []).filter((name) => this.#drop(name)))
    }
    if (gone.length > 0 || this.empty) this.#listener.onRemove(gone)
    return gone.length > 0
  }

  /** A listener has left. @returns whether the client has to send an `unwatch` */
  #drop(name: string): boolean {
    const heads = (this.#heads.get(name) ?? 0) - 1
    if (heads > 0) {
      this.#heads.set(name, heads)
      return false
    }
    return this.#heads.delete(name) && !this.#outside.delete(name) && !isTooLong(name)
  }
}
